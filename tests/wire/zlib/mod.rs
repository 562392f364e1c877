//! Compressed payloads: one whole zlib stream, measured on what comes out of it.

mod bits;
mod shapes;

use std::{
    collections::BTreeSet,
    io::Write,
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::{Compress, Compression, FlushCompress, write::*};
use tegami::envelope::{
    DecodeErrorKind::{TooLarge, Undecodable},
    Envelope, JsonBase, ProtobufBase, Sealed,
};

use self::shapes::Fate;
use crate::{outcome, sealed};

/// Damages to one stream.
const INPUTS: usize = 171;
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
    let shapes = shapes::all();
    let bytes: BTreeSet<_> = shapes.iter().map(|(_, bytes, _)| bytes).collect();
    assert_eq!((shapes.len(), bytes.len()), (shapes::INPUTS, shapes::INPUTS), "the corpus only grows");
    let mut wrong = Vec::new();
    for (name, bytes, fate) in &shapes {
        let text = STANDARD.encode(bytes);
        let protobuf = |encoding, data| outcome(&ProtobufBase::default(), &protobuf_body(encoding, data)).err();
        let (in_json, in_protobuf) = match *fate {
            Fate::Opens => (None, None),
            Fate::IsNoJson => (Some(Undecodable), None),
            Fate::Refused(kind) => (Some(kind), Some(kind)),
        };
        let found = [
            ("json", outcome(&JsonBase::default(), &json_body(bytes)).err(), in_json),
            ("protobuf", protobuf("gzip_proto", bytes), in_protobuf),
            ("protobuf in base64", protobuf("base64_gzip_proto", text.as_bytes()), in_protobuf),
        ];
        let others = found.into_iter().filter(|(_, found, expected)| found != expected);
        wrong.extend(others.map(|(place, found, _)| format!("{name} in {place}: {found:?}, not {fate:?}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
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
    assert_eq!(damaged.len(), INPUTS);
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
