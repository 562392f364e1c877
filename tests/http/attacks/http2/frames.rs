//! Frames of each kind that are too short, too long, out of place or out of order.

use super::{
    Attack, CLOSED, CONTINUATION,
    End::{Answer, Connection, Nothing, Silence, Stream},
    FLOW, PRIORITY, PROTOCOL, PUSH, ROOM, SIZE, attack,
};
use crate::frames::{DATA, GOAWAY, HEADERS, PING, POST, PREFACE, REQUEST, RESET, SETTINGS, frame, request};

/// The flags of RFC 9113, 6.
const END_STREAM: u8 = 0x1;
const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;
const WHOLE: u8 = END_STREAM | END_HEADERS;
/// A kind that is none.
const UNKNOWN: u8 = 0xbe;
/// One byte more than a frame may have.
static TOO_LARGE: [u8; 16_385] = [0; 16_385];

pub fn all() -> impl Iterator<Item = Attack> {
    let all = [heads(), continuations(), priorities(), resets(), settings(), pushes(), pings(), farewells(), rooms()];
    all.into_iter().flatten().chain(others()).chain(prefaces())
}

/// A setting and its value.
pub fn setting(name: u8, value: u32) -> Vec<u8> {
    frame(SETTINGS, 0, 0, &[&[0, name], &value.to_be_bytes()[..]].concat())
}

/// A request whose body is to come.
fn open(stream: u32) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, stream, POST)
}

/// A head that has not ended.
fn begun() -> Vec<u8> {
    frame(HEADERS, END_STREAM, 1, REQUEST)
}

fn heads() -> Vec<Attack> {
    let depends = |on: u32| [&on.to_be_bytes()[..], &[0], REQUEST].concat();
    vec![
        attack("a head of no stream", frame(HEADERS, WHOLE, 0, REQUEST), Connection(PROTOCOL)),
        attack("a head of the server's stream", frame(HEADERS, WHOLE, 2, REQUEST), Connection(PROTOCOL)),
        attack("a head of an earlier stream", [request(3), request(1)].concat(), Connection(PROTOCOL)),
        attack("a second head after the end", [request(1), request(1)].concat(), Connection(PROTOCOL)),
        attack("a second head that is no trailer", [open(1), open(1)].concat(), Stream(PROTOCOL)),
        attack("a head padded beyond its end", frame(HEADERS, WHOLE | PADDED, 1, &[200, 0x82]), Connection(PROTOCOL)),
        attack("a padded head without a length", frame(HEADERS, WHOLE | PADDED, 1, &[]), Connection(PROTOCOL)),
        attack("a head too short for its priority", frame(HEADERS, WHOLE | 0x20, 1, &[0; 4]), Connection(PROTOCOL)),
        attack("a head that depends on itself", frame(HEADERS, WHOLE | 0x20, 1, &depends(1)), Stream(PROTOCOL)),
        attack("an empty head", frame(HEADERS, WHOLE, 1, &[]), Stream(PROTOCOL)),
        attack("a head larger than agreed", frame(HEADERS, WHOLE, 1, &TOO_LARGE), Connection(SIZE)),
    ]
}

fn continuations() -> Vec<Attack> {
    let go_on = |stream| frame(CONTINUATION, END_HEADERS, stream, &[]);
    vec![
        attack("a continuation of nothing", go_on(1), Connection(PROTOCOL)),
        attack("a continuation of no stream", [begun(), go_on(0)].concat(), Connection(PROTOCOL)),
        attack("a continuation of another head", [begun(), go_on(3)].concat(), Connection(PROTOCOL)),
        attack("a continuation of a head that has ended", [request(1), go_on(1)].concat(), Connection(PROTOCOL)),
        attack("a ping within a head", [begun(), frame(PING, 0, 0, &[0; 8])].concat(), Connection(PROTOCOL)),
        attack("data within a head", [begun(), frame(DATA, 0, 1, b"a")].concat(), Connection(PROTOCOL)),
        attack("settings within a head", [begun(), setting(3, 100)].concat(), Connection(PROTOCOL)),
        attack("a reset within its head", [begun(), frame(RESET, 0, 1, &[0; 4])].concat(), Connection(PROTOCOL)),
        attack("a head within a head", [begun(), request(3)].concat(), Connection(PROTOCOL)),
        attack("what is no frame within a head", [begun(), frame(UNKNOWN, 0, 1, b"a")].concat(), Connection(PROTOCOL)),
    ]
}

fn priorities() -> Vec<Attack> {
    let on = |stream: u32| [&stream.to_be_bytes()[..], &[0]].concat();
    vec![
        attack("a priority of no stream", frame(PRIORITY, 0, 0, &[0; 5]), Connection(PROTOCOL)),
        attack("a priority too short", frame(PRIORITY, 0, 1, &[0; 4]), Connection(PROTOCOL)),
        attack("a priority too long", frame(PRIORITY, 0, 1, &[0; 6]), Connection(PROTOCOL)),
        attack("a stream that depends on itself", frame(PRIORITY, 0, 3, &on(3)), Stream(PROTOCOL)),
    ]
}

fn resets() -> Vec<Attack> {
    let reset = |stream, bytes: usize| frame(RESET, 0, stream, &[0, 0, 0, 8, 0][..bytes]);
    vec![
        attack("a reset of no stream", reset(0, 4), Connection(PROTOCOL)),
        attack("a reset of a stream that was not begun", reset(1, 4), Connection(PROTOCOL)),
        attack("a reset of the server's stream", reset(2, 4), Connection(PROTOCOL)),
        attack("a reset too short", [open(1), reset(1, 3)].concat(), Connection(PROTOCOL)),
        attack("a reset too long", [open(1), reset(1, 5)].concat(), Connection(PROTOCOL)),
        attack("a reset again and again", [open(1), reset(1, 4).repeat(3)].concat(), Nothing),
        attack("data after a reset", [open(1), reset(1, 4), frame(DATA, 1, 1, b"a")].concat(), Stream(CLOSED)),
    ]
}

fn settings() -> Vec<Attack> {
    let said = |flags, payload: &[u8]| frame(SETTINGS, flags, 0, payload);
    let room = frame(ROOM, 0, 1, &0x7fff_0000_u32.to_be_bytes());
    vec![
        attack("settings of a stream", frame(SETTINGS, 0, 1, &[]), Connection(PROTOCOL)),
        attack("settings that end early", said(0, &[0, 3, 0, 0, 0]), Connection(PROTOCOL)),
        attack("settings that say more than yes", said(1, &[0, 3, 0, 0, 0, 1]), Connection(PROTOCOL)),
        attack("a push that is no choice", setting(2, 2), Connection(PROTOCOL)),
        attack("a window too large", [setting(4, u32::MAX), request(1)].concat(), Connection(PROTOCOL)),
        attack("frames too small to be allowed", setting(5, 16_383), Connection(PROTOCOL)),
        attack("frames too large to be allowed", setting(5, 1 << 24), Connection(PROTOCOL)),
        attack("a CONNECT that is no choice", setting(8, 2), Connection(PROTOCOL)),
        attack("a setting that is none", setting(0xbe, 1), Nothing),
        attack("a yes that nobody waits for", said(1, &[]).repeat(3), Connection(PROTOCOL)),
        attack("a window that grows too large", [open(1), room, setting(4, 0x7fff_ffff)].concat(), Connection(FLOW)),
        attack("settings larger than agreed", said(0, &[0; 16_386]), Connection(SIZE)),
    ]
}

fn pushes() -> Vec<Attack> {
    let push = |stream| frame(PUSH, END_HEADERS, stream, &[&2_u32.to_be_bytes(), REQUEST].concat());
    vec![
        attack("a push of no stream", push(0), Connection(PROTOCOL)),
        attack("a push before a request", push(1), Connection(PROTOCOL)),
        attack("a push within a request", [open(1), push(1)].concat(), Connection(PROTOCOL)),
        attack("a push too short", [open(1), frame(PUSH, END_HEADERS, 1, &[0; 3])].concat(), Connection(PROTOCOL)),
    ]
}

fn pings() -> Vec<Attack> {
    vec![
        attack("a ping of a stream", frame(PING, 0, 1, &[0; 8]), Connection(PROTOCOL)),
        attack("a ping too short", frame(PING, 0, 0, &[0; 7]), Connection(PROTOCOL)),
        attack("a ping too long", frame(PING, 0, 0, &[0; 9]), Connection(PROTOCOL)),
        attack("an answer to no ping", frame(PING, 1, 0, &[7; 8]), Nothing),
    ]
}

fn farewells() -> Vec<Attack> {
    let farewell = |stream, bytes| frame(GOAWAY, 0, stream, &vec![0; bytes]);
    vec![
        attack("a farewell of a stream", farewell(1, 8), Connection(PROTOCOL)),
        attack("a farewell too short", farewell(0, 7), Connection(PROTOCOL)),
        attack("a farewell, and then more", [farewell(0, 8), request(1)].concat(), Connection(0)),
    ]
}

fn rooms() -> Vec<Attack> {
    let room = |stream, more: u32| frame(ROOM, 0, stream, &more.to_be_bytes());
    vec![
        attack("room that is none", room(0, 0), Connection(PROTOCOL)),
        attack("room that is none on a stream", [open(1), room(1, 0)].concat(), Connection(PROTOCOL)),
        attack("room on a stream that was not begun", room(1, 1), Connection(PROTOCOL)),
        attack("more room than can be", room(0, 0x7fff_ffff), Connection(FLOW)),
        attack("more room on a stream than can be", [open(1), room(1, 0x7fff_ffff)].concat(), Stream(FLOW)),
        attack("room too short", frame(ROOM, 0, 0, &[0; 3]), Connection(PROTOCOL)),
        attack("room too long", frame(ROOM, 0, 0, &[0; 5]), Connection(PROTOCOL)),
    ]
}

/// What is no frame, or no HTTP/2.
fn others() -> Vec<Attack> {
    vec![
        attack("a frame that is none", frame(UNKNOWN, 0xff, 0, b"what"), Nothing),
        attack("a frame that is none, and too large", frame(UNKNOWN, 0, 0, &TOO_LARGE), Connection(SIZE)),
        attack("a frame that never comes", vec![0x00, 0xff, 0xff, DATA, 0, 0, 0, 0, 1], Connection(SIZE)),
        attack("the preface again", PREFACE, Connection(SIZE)),
        attack("a request of HTTP/1", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", Connection(SIZE)),
        attack("nothing but zeros", [0; 9_000], Connection(PROTOCOL)),
        attack("nothing but ones", [0xff; 9_000], Connection(SIZE)),
    ]
}

/// Beginnings that are none. h2 does not insist on settings.
fn prefaces() -> Vec<Attack> {
    let without = |end: &[u8]| [b"PRI * HTTP/2.0\r\n\r\n", end].concat();
    let begins = [
        ("a preface with another end", without(b"XX\r\n\r\n"), Silence),
        ("a preface that goes no further", without(b"SM\r\n\r\nGET / HTTP/1.1\r\n\r\n"), Connection(SIZE)),
        ("a request before settings", [PREFACE, &request(1)].concat(), Answer(200)),
        ("an answer to settings first", [PREFACE, &frame(SETTINGS, 1, 0, &[])].concat(), Nothing),
    ];
    begins.into_iter().map(|(what, bytes, end)| Attack { what, bytes, end }).collect()
}
