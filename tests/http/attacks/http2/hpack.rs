//! Compressed headers that cannot be read.
//!
//! RFC 9113, 4.3 wants COMPRESSION_ERROR for them; h2 says PROTOCOL_ERROR. Both end the connection, and who sends this
//! looks at neither.

use super::{
    Attack, CALM,
    End::{Answer, Connection},
    PROTOCOL, attack,
};
use crate::frames::{HEADERS, REQUEST, frame};

/// A request with this after it in its head.
fn with(more: &[u8]) -> Vec<u8> {
    frame(HEADERS, 0x5, 1, &[REQUEST, more].concat())
}

fn before(first: &[u8]) -> Vec<u8> {
    frame(HEADERS, 0x5, 1, &[first, REQUEST].concat())
}

/// A header of 4,000 bytes that goes into the table, and one byte for each time it is meant again.
pub fn bomb() -> Vec<u8> {
    let header = [b"\x40\x01x\x7f\xa1\x1e".as_slice(), &[b'v'; 4_000]].concat();
    frame(HEADERS, 0x5, 1, &[REQUEST, &header, &[0xbe; 12_000]].concat())
}

pub fn all() -> impl Iterator<Item = Attack> {
    let unread = [
        ("a header of index 0", with(b"\x80")),
        ("a header that is in no table", with(b"\xbf")),
        ("a header far beyond any table", with(b"\xff\xff\x0f")),
        ("a header whose name is in no table", with(b"\x7f\x00\x01v")),
        ("an index that never ends", with(&[0xff; 40])),
        ("an index larger than any number", with(b"\xff\xff\xff\xff\xff\xff\x7f")),
        ("a length larger than any number", with(b"\x00\x7f\xff\xff\xff\xff\xff\x7f")),
        ("a name longer than its head", with(b"\x00\x7ename")),
        ("a value longer than its head", with(b"\x00\x01x\x7evalue")),
        ("a header without a value", with(b"\x00\x01x")),
        ("a header without a name", with(b"\x00")),
        ("a name in a code that has no end", with(b"\x00\x84\xff\xff\xff\xff\x01v")),
        ("a value with the sign for its end", with(b"\x00\x01x\x84\xff\xff\xff\xfc")),
        ("padding longer than a sign", with(b"\x00\x01x\x82\x1f\xff")),
        ("padding of zeros", with(b"\x00\x01x\x81\x18")),
        ("a table larger than agreed", before(b"\x3f\xff\xff\xff\x7f")),
        ("a table one byte larger than agreed", before(b"\x3f\xe2\x1f")),
        ("a table's size in a head's midst", with(b"\x20")),
        ("a table's size that never ends", before(&[0x3f; 1])),
    ];
    let unread = unread.into_iter().map(|(what, bytes)| attack(what, bytes, Connection(PROTOCOL)));
    unread.chain([
        attack("a table of nothing", before(b"\x20"), Answer(200)),
        attack("a bomb", bomb(), Connection(CALM)),
        attack(
            "a header larger than any table",
            with(&[b"\x40\x01x\x7f\xa1\x26".as_slice(), &[b'v'; 5_024]].concat()),
            Answer(200),
        ),
    ])
}
