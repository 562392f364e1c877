//! Protobuf envelopes at their edges: deprecated encodings, marks that contradict, bytes that are not the message.

use base64::{Engine, engine::general_purpose::STANDARD};
use tegami::envelope::{
    DecodeErrorKind::{self, Undecodable},
    Envelope, Message, ProtobufBase, Sealed,
};

use crate::{full_head, json, outcome, protobuf, sealed, zlib};

const HELLO: &[u8] = b"\x0a\x05hello";

fn refusal(sealed: &Sealed) -> Option<DecodeErrorKind> {
    outcome(&ProtobufBase::default(), sealed).err()
}

#[test]
fn every_data_encoding_tomodachi_ever_wrote_is_read() {
    let packed = zlib::packed(HELLO);
    let (text, packed_text) = (STANDARD.encode(HELLO), STANDARD.encode(&packed));
    let bodies = [
        ("proto", HELLO),
        ("raw", HELLO),
        ("gzip_proto", packed.as_slice()),
        ("base64", text.as_bytes()),
        ("base64_gzip_proto", packed_text.as_bytes()),
    ];
    for (encoding, data) in bodies {
        let body = zlib::protobuf_body(encoding, data);
        assert_eq!(outcome(&ProtobufBase::default(), &body), Ok(protobuf(HELLO)), "{encoding}");
    }
}

#[test]
fn unknown_and_empty_data_encodings_are_refused() {
    for encoding in ["", "PROTO", "proto ", "json", "zstd", "gzip", "base64_gzip_json", "é", "\0"] {
        assert_eq!(refusal(&zlib::protobuf_body(encoding, HELLO)), Some(Undecodable), "{encoding}");
    }
}

#[test]
fn deprecated_encodings_are_strict_too() {
    for text in ["!!!!", "CgVoZWxsbw", "CgVoZWxsbw==\n", "CgVoZWxsbw==CgVoZWxsbw=="] {
        assert_eq!(refusal(&zlib::protobuf_body("base64", text.as_bytes())), Some(Undecodable), "{text}");
    }
    assert_eq!(refusal(&zlib::protobuf_body("base64_gzip_proto", b"CgVoZWxsbw==")), Some(Undecodable));
}

#[test]
fn bytes_that_are_not_the_message_are_refused() {
    let groups = [vec![0x53; 10_000], vec![0x54; 10_000]].concat();
    let nested = (0..10_000).fold(Vec::new(), |inside: Vec<u8>, _| {
        let mut outside = vec![0x0a];
        prost::encoding::encode_varint(inside.len() as u64, &mut outside);
        outside.extend(inside);
        outside
    });
    let bodies: [(&str, &[u8]); 12] = [
        ("nothing", b""),
        ("one empty field", b"\x12\x00"),
        ("field zero", b"\x02\x00"),
        ("wire type 7", b"\x17"),
        ("end of no group", b"\x54"),
        ("group without an end", b"\x53"),
        ("10,000 groups in each other", &groups),
        ("10,000 messages in each other", &nested),
        ("length beyond the end", b"\x1a\x7fx"),
        ("length beyond every memory", b"\x1a\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),
        ("varint without an end", b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
        ("name that is not UTF-8", b"\x0a\x03\x0a\x01\xff"),
    ];
    for (name, bytes) in bodies {
        assert_eq!(refusal(&sealed(STANDARD.encode(bytes))), Some(Undecodable), "{name}");
    }
}

#[test]
fn times_that_are_none_are_refused() {
    for seconds in [f64::NAN, f64::INFINITY, -1e300] {
        let metadata = [b"\x12\x10\x19".as_slice(), &seconds.to_le_bytes(), b"*\x05proto"].concat();
        assert_eq!(refusal(&sealed(STANDARD.encode(metadata))), Some(Undecodable), "{seconds}");
    }
}

#[test]
fn json_events_travel_raw_with_a_mark() {
    let sealed = ProtobufBase::default().seal(Message::new(full_head(), json("{}"))).unwrap();
    let text = String::from_utf8_lossy(&STANDARD.decode(&sealed.body).unwrap()).into_owned();
    assert!(text.contains("*\x03raw") && text.ends_with("*\x04json"), "{text}");
    assert_eq!(outcome(&ProtobufBase::default(), &sealed), Ok(json("{}")));
}

#[test]
fn marks_that_contradict_or_are_unknown_are_refused() {
    let sealed_json = ProtobufBase::default().seal(Message::new(full_head(), json("{}"))).unwrap();
    let bytes = STANDARD.decode(sealed_json.body).unwrap();
    let mut unknown = bytes.clone();
    unknown.truncate(bytes.len() - 4);
    unknown.extend(b"yaml");
    assert_eq!(refusal(&sealed(STANDARD.encode(unknown))), Some(Undecodable));
    // A later field wins: the same message, its payload called protobuf.
    let contradicting = [bytes.as_slice(), b"\x12\x07*\x05proto"].concat();
    assert_eq!(refusal(&sealed(STANDARD.encode(contradicting))), Some(Undecodable));
}
