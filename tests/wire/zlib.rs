//! Compressed payloads: one whole zlib stream, measured on what comes out of it.

use std::{
    io::Write,
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::{Compress, Compression, FlushCompress, write::*};
use tegami::envelope::{
    DecodeErrorKind::{self, TooLarge, Undecodable},
    Envelope, JsonBase, ProtobufBase, Sealed,
};

use crate::{outcome, sealed};

const MIB: usize = 1024 * 1024;

/// Bytes as one zlib stream.
pub fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut stream = ZlibEncoder::new(Vec::new(), Compression::best());
    stream.write_all(bytes).unwrap();
    stream.finish().unwrap()
}

/// The beginning of a stream that becomes this many MiB of one byte: one block of a MiB, again and again.
fn bomb(mebibytes: usize, byte: u8) -> Vec<u8> {
    let block = vec![byte; MIB];
    let mut stream = Compress::new(Compression::best(), true);
    let mut first = Vec::with_capacity(MIB);
    stream.compress_vec(&block, &mut first, FlushCompress::Full).unwrap();
    let mut all = Vec::with_capacity(MIB);
    stream.compress_vec(&block, &mut all, FlushCompress::Full).unwrap();
    for _ in 1..mebibytes {
        first.extend_from_slice(&all);
    }
    first
}

fn json_body(packed: &[u8]) -> Sealed {
    let data = STANDARD.encode(packed);
    sealed(format!(r#"{{"metadata": {{"data_encoding": "base64_gzip_json"}}, "data": "{data}"}}"#))
}

/// A protobuf field of wire type 2.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut field = vec![number << 3 | 2];
    prost::encoding::encode_varint(bytes.len() as u64, &mut field);
    field.extend_from_slice(bytes);
    field
}

/// A protobuf envelope that says nothing but its payload.
pub fn protobuf_body(data_encoding: &str, data: &[u8]) -> Sealed {
    let metadata = field(2, &field(5, data_encoding.as_bytes()));
    sealed(STANDARD.encode([metadata, field(3, data)].concat()))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut stream = GzEncoder::new(Vec::new(), Compression::best());
    stream.write_all(bytes).unwrap();
    stream.finish().unwrap()
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut stream = DeflateEncoder::new(Vec::new(), Compression::best());
    stream.write_all(bytes).unwrap();
    stream.finish().unwrap()
}

/// Compressed shapes by name, each with what opening it comes to (`None`: it opens).
fn shapes() -> Vec<(&'static str, Vec<u8>, Option<DecodeErrorKind>)> {
    let good = packed(br#"{"a": 1}"#);
    let changed = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] ^= byte;
        bytes
    };
    let last = good.len() - 1;
    let with = |tail: &[u8]| [good.as_slice(), tail].concat();
    vec![
        ("good", good.clone(), None),
        ("good and stored, not compressed", stored(br#"{"a": 1}"#), None),
        ("exactly 8 MiB", packed(&blanks_and_zero(8 * MIB)), None),
        ("8 MiB and one byte", packed(&blanks_and_zero(8 * MIB + 1)), Some(TooLarge)),
        ("16 MiB, whole", packed(&vec![0; 16 * MIB]), Some(TooLarge)),
        ("a GiB of zeros", bomb(1024, 0), Some(TooLarge)),
        ("a GiB of blanks", bomb(1024, b' '), Some(TooLarge)),
        ("a GiB of opening brackets", bomb(1024, b'['), Some(TooLarge)),
        ("nested: a bomb in a bomb's place", packed(&bomb(1024, 0)[..MIB / 2]), None),
        ("nested: a compressed stream of streams", packed(&packed(&good)), None),
        ("empty", vec![], Some(Undecodable)),
        ("header only", good[..2].to_vec(), Some(Undecodable)),
        ("half a header", good[..1].to_vec(), Some(Undecodable)),
        ("cut in the middle", good[..last / 2].to_vec(), Some(Undecodable)),
        ("without its checksum", good[..good.len() - 4].to_vec(), Some(Undecodable)),
        ("one byte short", good[..last].to_vec(), Some(Undecodable)),
        ("wrong checksum", changed(last, 1), Some(Undecodable)),
        ("wrong header check", changed(1, 1), Some(Undecodable)),
        ("wrong method", changed(0, 1), Some(Undecodable)),
        ("asks for a dictionary", vec![0x78, 0xbb, 0, 0, 0, 1, 0x4b, 0x04, 0], Some(Undecodable)),
        ("a byte after the end", with(&[0]), Some(Undecodable)),
        ("a line feed after the end", with(b"\n"), Some(Undecodable)),
        ("two streams", with(&good), Some(Undecodable)),
        ("a bomb after the end", with(&bomb(64, 0)), Some(Undecodable)),
        ("a byte before the start", [b"\n", good.as_slice()].concat(), Some(Undecodable)),
        ("gzip (RFC 1952)", gzip(b"{}"), Some(Undecodable)),
        ("deflate without a header (RFC 1951)", deflate(b"{}"), Some(Undecodable)),
        ("not compressed", br#"{"a": 1}"#.to_vec(), Some(Undecodable)),
        ("reserved block type", vec![0x78, 0x9c, 0x07, 0, 0, 0, 0], Some(Undecodable)),
        ("stored block with a wrong length", vec![0x78, 0x01, 0x01, 5, 0, 0, 0, b'x', 0, 0, 0, 0], Some(Undecodable)),
        ("distance before the start", vec![0x78, 0x9c, 0x03, 0x02, 0, 0, 0, 0, 1], Some(Undecodable)),
        ("a flushed stream that never ends", bomb(1, 0), Some(Undecodable)),
    ]
}

/// JSON text of this length.
fn blanks_and_zero(length: usize) -> Vec<u8> {
    let mut text = vec![b' '; length];
    text[length - 1] = b'0';
    text
}

fn stored(bytes: &[u8]) -> Vec<u8> {
    let mut stream = ZlibEncoder::new(Vec::new(), Compression::none());
    stream.write_all(bytes).unwrap();
    stream.finish().unwrap()
}

#[test]
fn every_shape_has_its_outcome_in_both_envelopes() {
    let shapes = shapes();
    assert_eq!(shapes.len(), 32);
    for (name, bytes, expected) in shapes {
        let found = outcome(&JsonBase::default(), &json_body(&bytes)).err();
        // What is in there is not JSON, and is not unpacked again.
        let expected_in_json = if name.starts_with("nested") { Some(Undecodable) } else { expected };
        assert_eq!(found, expected_in_json, "json: {name}");
        let found = outcome(&ProtobufBase::default(), &protobuf_body("gzip_proto", &bytes)).err();
        assert_eq!(found, expected, "protobuf: {name}");
        let text = STANDARD.encode(&bytes);
        let found = outcome(&ProtobufBase::default(), &protobuf_body("base64_gzip_proto", text.as_bytes())).err();
        assert_eq!(found, expected, "protobuf in base64: {name}");
    }
}

#[test]
fn no_damage_to_a_stream_is_read_as_something_else() {
    let good = br#"{"a": 1}"#;
    let stream = stored(good);
    let cuts = (0..stream.len()).map(|length| stream[..length].to_vec());
    let flips = (0..stream.len() * 8).map(|bit| {
        let mut flipped = stream.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        flipped
    });
    let damaged: Vec<_> = cuts.chain(flips).collect();
    assert_eq!(damaged.len(), 171);
    for bytes in damaged {
        let found = outcome(&JsonBase::default(), &json_body(&bytes));
        // A bit that fills up a byte says nothing.
        assert!(found == Err(Undecodable) || found == Ok(crate::json(good.as_slice())), "{bytes:x?}: {found:?}");
    }
}

#[test]
fn a_good_message_opens_after_a_bomb() {
    let envelope = JsonBase::default();
    assert_eq!(outcome(&envelope, &json_body(&bomb(1024, 0))), Err(TooLarge));
    assert_eq!(outcome(&envelope, &json_body(&packed(b"{}"))), Ok(crate::json("{}")));
}

#[test]
fn bombs_are_stopped_by_what_comes_out_not_by_what_went_in() {
    let limit = MIB / 4;
    let envelope = JsonBase::default().decompressed_limit(limit);
    let bodies = [json_body(&bomb(1024, 0)), json_body(&packed(&vec![0; limit + 1]))];
    for body in bodies {
        assert_eq!(outcome(&envelope, &body), Err(TooLarge));
    }
    let body = json_body(&packed(&blanks_and_zero(limit)));
    assert_eq!(envelope.open(&body).unwrap().content.bytes.len(), limit);
}

#[test]
fn bombs_cost_little_time() {
    let allowed = if cfg!(debug_assertions) { 1_000 } else { 50 };
    for byte in [0, b' ', b'['] {
        let body = json_body(&bomb(1024, byte));
        let started = Instant::now();
        assert_eq!(outcome(&JsonBase::default(), &body), Err(TooLarge));
        let taken = started.elapsed();
        assert!(taken < Duration::from_millis(allowed), "{taken:?}");
    }
}
