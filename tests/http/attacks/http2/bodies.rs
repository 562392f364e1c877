//! Bodies that do not belong to their head, and trailers that are none.

use super::{
    Attack,
    End::{Answer, Connection, Nothing, Stream},
    FLOW, PROTOCOL, SIZE, attack,
};
use crate::frames::{DATA, HEADERS, POST, frame, request};

pub fn all() -> impl Iterator<Item = Attack> {
    data().into_iter().chain(lengths()).chain(trailers())
}

/// A request whose body is to come, with more in its head.
fn open(more: &[u8]) -> Vec<u8> {
    frame(HEADERS, 0x4, 1, &[POST, more].concat())
}

/// A body, whole.
fn body(bytes: &[u8]) -> Vec<u8> {
    frame(DATA, 0x1, 1, bytes)
}

fn data() -> Vec<Attack> {
    let hold = frame(HEADERS, 0x4, 1, b"\x83\x86\x04\x05/hold\x41\x01a");
    // What hyper lets a client send before somebody reads it: 1 MiB.
    let much = frame(DATA, 0, 1, &[0; 16_384]).repeat(64);
    vec![
        attack("data of no stream", frame(DATA, 0, 0, b"a"), Connection(PROTOCOL)),
        attack("data before a head", frame(DATA, 0, 1, b"early"), Connection(PROTOCOL)),
        attack("data on the server's stream", frame(DATA, 0, 2, b"a"), Connection(PROTOCOL)),
        attack("data after the end", [request(1), body(b"a")].concat(), Connection(PROTOCOL)),
        attack("data larger than agreed", frame(DATA, 0, 1, &[0; 16_385]), Connection(SIZE)),
        attack(
            "padding longer than its frame",
            [open(b""), frame(DATA, 0x8, 1, &[200, 0])].concat(),
            Connection(PROTOCOL),
        ),
        attack(
            "padding as long as its frame",
            [open(b""), frame(DATA, 0x8, 1, &[2, 0])].concat(),
            Connection(PROTOCOL),
        ),
        attack("padding without a length", [open(b""), frame(DATA, 0x8, 1, &[])].concat(), Connection(PROTOCOL)),
        attack("padding and nothing else", [open(b""), frame(DATA, 0x9, 1, &[1, 0])].concat(), Answer(200)),
        attack("more than there is room for", [hold, much, frame(DATA, 0, 1, b"a")].concat(), Connection(FLOW)),
    ]
}

fn lengths() -> Vec<Attack> {
    let told = |length: &[u8]| open(&[&[0x0f, 0x0d, length.len() as u8], length].concat());
    vec![
        attack("a body longer than told", [told(b"1"), body(b"ab")].concat(), Stream(PROTOCOL)),
        attack("a body shorter than told", [told(b"3"), body(b"ab")].concat(), Stream(PROTOCOL)),
        attack("a body that was told to be none", [told(b"0"), body(b"a")].concat(), Stream(PROTOCOL)),
        attack(
            "no body where one was told",
            frame(HEADERS, 0x5, 1, &[POST, b"\x0f\x0d\x011"].concat()),
            Stream(PROTOCOL),
        ),
        attack("a length that is none", [told(b"+2"), body(b"ab")].concat(), Stream(PROTOCOL)),
        attack("a length below zero", [told(b"-1"), body(b"ab")].concat(), Stream(PROTOCOL)),
        attack("a length of words", [told(b"two"), body(b"ab")].concat(), Stream(PROTOCOL)),
        attack("a length beyond all numbers", [told(b"99999999999999999999"), body(b"ab")].concat(), Stream(PROTOCOL)),
        attack("a length larger than all that may come", told(b"2097153"), Answer(413)),
        attack("two lengths", [open(b"\x0f\x0d\x011\x0f\x0d\x012"), body(b"ab")].concat(), Stream(PROTOCOL)),
        attack(
            "chunks",
            [open(b"\x00\x11transfer-encoding\x07chunked"), body(b"0\r\n\r\n")].concat(),
            Stream(PROTOCOL),
        ),
    ]
}

fn trailers() -> Vec<Attack> {
    let after =
        |flags, trailer: &[u8]| [open(b""), frame(DATA, 0, 1, b"a"), frame(HEADERS, flags, 1, trailer)].concat();
    vec![
        attack("trailers with a path", after(0x5, b"\x84"), Answer(200)),
        attack("trailers with a status", after(0x5, b"\x88"), Answer(200)),
        attack("trailers that are not the end", after(0x4, b"\x00\x01x\x01y"), Stream(PROTOCOL)),
        attack("trailers in capitals", after(0x5, b"\x00\x01X\x01y"), Connection(PROTOCOL)),
        attack("trailers that part connections", after(0x5, b"\x00\x0aconnection\x05close"), Stream(PROTOCOL)),
        attack("trailers that are none", after(0x5, b""), Answer(200)),
        attack("trailers twice", [after(0x5, b""), frame(HEADERS, 0x5, 1, b"")].concat(), Connection(PROTOCOL)),
        attack("data after trailers", [after(0x5, b""), body(b"a")].concat(), Connection(PROTOCOL)),
        attack("an empty body", [open(b""), body(b"")].concat(), Answer(200)),
        attack("parts of a body that are empty", [open(b""), frame(DATA, 0, 1, b"").repeat(50)].concat(), Nothing),
    ]
}
