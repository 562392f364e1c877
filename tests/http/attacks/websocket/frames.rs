//! Frames that are none, and messages that are no text.

use super::{
    Attack,
    End::{Closed, Echo, Gone},
    attack,
};
use crate::sockets::{BINARY, CLOSE, PING, PONG, TEXT, frame};

/// The first part of a text, and one that goes on.
const FIRST: u8 = 0x01;
const MORE: u8 = 0x00;
const LAST: u8 = 0x80;

pub fn all() -> impl Iterator<Item = Attack> {
    bits()
        .chain(opcodes())
        .chain(masks())
        .chain(controls())
        .chain(parts())
        .chain(lengths())
        .chain(texts())
        .chain(closes())
}

/// RFC 6455, 5.2: reserved bits mean nothing unless an extension was agreed on, and none is.
fn bits() -> impl Iterator<Item = Attack> {
    let kinds = [("text", TEXT), ("bytes", BINARY), ("a ping", PING), ("a close", CLOSE)];
    let bits = [0x40, 0x20, 0x10, 0x70];
    let all = kinds.into_iter().flat_map(move |kind| bits.into_iter().map(move |bit| (kind, bit)));
    all.map(|((what, kind), bit)| {
        attack(format!("{what} with the reserved bits {bit:x}"), frame(kind | bit, b"\x03\xe8"), Closed(1002))
    })
}

fn opcodes() -> impl Iterator<Item = Attack> {
    let reserved = (0x3..=0x7).chain(0xb..=0xf);
    reserved.map(|code| attack(format!("the reserved kind {code:x}"), frame(0x80 | code, b"what"), Closed(1002)))
}

/// RFC 6455, 5.1: a client masks.
fn masks() -> impl Iterator<Item = Attack> {
    let kinds =
        [("text", TEXT), ("bytes", BINARY), ("a ping", PING), ("an answer to a ping", PONG), ("a close", CLOSE)];
    kinds.into_iter().map(|(what, kind)| attack(format!("{what} without a mask"), [kind, 2, 0x03, 0xe8], Closed(1002)))
}

/// RFC 6455, 5.5: control frames are whole, and short.
fn controls() -> impl Iterator<Item = Attack> {
    let kinds = [("a ping", PING), ("an answer to a ping", PONG), ("a close", CLOSE)];
    let long =
        kinds.into_iter().map(|(what, kind)| attack(format!("{what} too long"), frame(kind, &[3; 126]), Closed(1002)));
    let parts = kinds
        .into_iter()
        .map(|(what, kind)| attack(format!("{what} in parts"), frame(kind & 0x0f, b"\x03\xe8"), Closed(1002)));
    long.chain(parts)
}

fn parts() -> impl Iterator<Item = Attack> {
    let (first, hello) = (frame(FIRST, b"hel"), frame(LAST, b"lo"));
    let tiny = [frame(FIRST, b"h"), frame(MORE, b"").repeat(5_000), frame(LAST, b"ello")].concat();
    let single =
        [frame(FIRST, b""), "hello".bytes().flat_map(|byte| frame(MORE, &[byte])).collect(), frame(LAST, b"")].concat();
    [
        attack("an end of nothing", frame(LAST, b"a"), Closed(1002)),
        attack("a part of nothing", frame(MORE, b"a"), Closed(1002)),
        attack("a part after the end", [&first[..], &hello, &hello].concat(), Closed(1002)),
        attack("a text within a text", [&first[..], &frame(TEXT, b"b")].concat(), Closed(1002)),
        attack("a text begun within a text", [&first[..], &first].concat(), Closed(1002)),
        attack("bytes within a text", [&first[..], &frame(BINARY, b"b")].concat(), Closed(1002)),
        attack("a reserved kind within a text", [&first[..], &frame(0x83, b"b")].concat(), Closed(1002)),
        attack("a close within a text", [&first[..], &frame(CLOSE, b"\x03\xe8")].concat(), Closed(1000)),
        attack("a ping within a text", [&first[..], &frame(PING, b"?"), &hello].concat(), Echo("hello")),
        attack("a text in parts of a byte", single, Echo("hello")),
        attack("a text in parts of nothing", tiny, Echo("hello")),
        attack("a text of nothing", frame(TEXT, b""), Echo("")),
    ]
    .into_iter()
}

fn lengths() -> impl Iterator<Item = Attack> {
    let long = |length: u64| [&[TEXT, 0xff], &length.to_be_bytes()[..], &[0; 4]].concat();
    let far = |length: u64| [&[BINARY, 0xff], &length.to_be_bytes()[..], &[0; 4]].concat();
    let padded = |length: &[u8]| [&[TEXT], length, &[0; 4], b"hello"].concat();
    [
        attack("a frame one byte too long", frame(BINARY, &[0; 256 * 1024 + 1]), Closed(1009)),
        attack(
            "a message one byte too long",
            [frame(0x02, &[0; 256 * 1024]), frame(MORE, &[0; 256 * 1024]).repeat(3), frame(LAST, b"a")].concat(),
            Closed(1009),
        ),
        attack("a length of gibibytes", long(1 << 32), Closed(1009)),
        attack("a length of exbibytes", far(1 << 60), Closed(1009)),
        attack("the largest length", long(i64::MAX as u64), Closed(1009)),
        attack("a length with its top bit set", long(1 << 63), Closed(1009)),
        attack("a length of nothing but ones", far(u64::MAX), Closed(1009)),
        // RFC 6455, 5.2 wants the shortest; the library under axum takes any, and nobody reads the frame otherwise.
        attack("two bytes for a short length", padded(&[0xfe, 0, 5]), Echo("hello")),
        attack("eight bytes for a short length", padded(&[0xff, 0, 0, 0, 0, 0, 0, 0, 5]), Echo("hello")),
        attack(
            "two bytes for a ping's length",
            [&[PING, 0xfe, 0, 2], &[0; 4][..], b"ok", &frame(TEXT, b"hello")].concat(),
            Echo("hello"),
        ),
        attack("a request of HTTP", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", Closed(1002)),
    ]
    .into_iter()
}

/// RFC 6455, 8.1: text is UTF-8.
fn texts() -> impl Iterator<Item = Attack> {
    let texts: [(&str, &[u8]); 8] = [
        ("bytes that are none", b"\xff\xfe"),
        ("a part of a sign first", b"\x80"),
        ("a sign in too many bytes", b"\xc0\xaf"),
        ("a zero in two bytes", b"\xc0\x80"),
        ("half of a pair", b"\xed\xa0\x80"),
        ("a sign beyond all", b"\xf4\x90\x80\x80"),
        ("five bytes for a sign", b"\xf8\x88\x80\x80\x80"),
        ("an end within a sign", b"hel\xc3"),
    ];
    let whole = texts.into_iter().map(|(what, text)| attack(what, frame(TEXT, text), Closed(1007)));
    let parts = [
        attack("an end within a sign, in parts", [frame(FIRST, b"hel\xc3"), frame(LAST, b"")].concat(), Closed(1007)),
        attack("a sign that goes on wrongly", [frame(FIRST, b"hel\xc3"), frame(LAST, b"lo")].concat(), Closed(1007)),
        attack("a sign in two parts", [frame(FIRST, b"caf\xc3"), frame(LAST, b"\xa9")].concat(), Echo("caf\u{e9}")),
    ];
    whole.chain(parts)
}

/// RFC 6455, 5.5.1 and 7.4.
fn closes() -> impl Iterator<Item = Attack> {
    let codes = [0_u16, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, u16::MAX];
    let refused = codes
        .into_iter()
        .map(|code| attack(format!("the code {code}"), frame(CLOSE, &code.to_be_bytes()), Closed(1002)));
    let good = [1000_u16, 1001, 3000, 4999];
    let good = good
        .into_iter()
        .map(|code| attack(format!("the code {code}"), frame(CLOSE, &code.to_be_bytes()), Closed(code)));
    let close = frame(CLOSE, b"\x03\xe8bye");
    refused.chain(good).chain([
        attack("half a code", frame(CLOSE, b"\x03"), Closed(1002)),
        attack("a reason that is no text", frame(CLOSE, b"\x03\xe8\xff\xfe"), Closed(1007)),
        attack("a close without a code", frame(CLOSE, b""), Gone),
        attack("a text after the close", [&close[..], &frame(TEXT, b"more")].concat(), Closed(1000)),
        attack("a close after the close", [&close[..], &close].concat(), Closed(1000)),
        attack("a ping after the close", [&close[..], &frame(PING, b"?")].concat(), Closed(1000)),
    ])
}
