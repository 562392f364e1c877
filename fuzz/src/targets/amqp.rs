//! What a broker sends: through the guard, the parser behind it, and what is made of a message's properties.

use tegami::testing::doors::amqp::{Read, guarded, read};

use super::{assert_plain, aws::dead};

const HEADER: u8 = 2;
/// What every frame ends with.
const END: u8 = 0xCE;
const HEAD: usize = 7;
/// Class 60, and no body.
const FIXED: [u8; 12] = [0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
/// Headers that a copy would be misled by.
const KEPT: [&str; 9] = [
    "CC",
    "BCC",
    "x-death",
    "x-delivery-count",
    "x-acquired-count",
    "tegami-attempt",
    "tegami-first",
    "tegami-not-before",
    "tegami-reason",
];

/// How the bytes are cut, and whether they are the properties of a message or a stream of frames.
pub fn stream(data: &[u8]) {
    let Some((how, data)) = data.split_first() else { return };
    let stream = if how % 2 == 0 { data.to_vec() } else { frame(HEADER, &[&FIXED, data].concat()) };
    let (whole, end) = guarded(&stream, stream.len());
    let (pieces, their_end) = guarded(&stream, usize::from(how / 2 % 16));
    assert_eq!(end.is_ok(), their_end.is_ok(), "however it is cut");
    // Of a body, what has come passes before its end is seen.
    assert!(pieces.starts_with(&whole));
    if end.is_ok() {
        assert_eq!(pieces, whole);
        assert_eq!(guarded(&whole, whole.len()).0, whole, "what passed passes");
        headers(&whole).for_each(|frame| checked(&read(frame).expect("the parser reads what passed")));
    }
}

/// The frames that are headers.
fn headers(mut stream: &[u8]) -> impl Iterator<Item = &[u8]> {
    let frames = std::iter::from_fn(move || {
        let head = stream.get(..HEAD)?;
        let size = if head[0] == b'A' { 8 } else { HEAD + 1 + u32::from_be_bytes(head[3..].try_into().ok()?) as usize };
        let (frame, rest) = stream.split_at(size);
        stream = rest;
        Some(frame)
    });
    frames.filter(|frame| frame[0] == HEADER)
}

fn checked(read: &Read) {
    assert!((1..=1_000).contains(&read.attempt), "R5: {}", read.attempt);
    read.id.iter().for_each(|id| assert_plain(id.as_str()));
    for name in KEPT {
        assert!(read.attributes.get(name).is_none() && !read.copied.iter().any(|copied| copied == name), "{name}");
    }
    dead(&read.dead);
}

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let size = u32::try_from(payload.len()).expect("inputs are small").to_be_bytes();
    [&[kind, 0, 1], &size[..], payload, &[END]].concat()
}

/// The header of a message that has this one header.
pub fn header(name: &str, value: &str) -> Vec<u8> {
    let long = |bytes: &[u8]| [&u32::try_from(bytes.len()).expect("inputs are small").to_be_bytes(), bytes].concat();
    let name = [&[u8::try_from(name.len()).expect("names are short")], name.as_bytes()].concat();
    let table = [name, b"S".to_vec(), long(value.as_bytes())].concat();
    frame(HEADER, &[&FIXED[..], &[0x20, 0], &long(&table)].concat())
}
