//! Envelopes that tomodachi wrote: read, and written again byte for byte.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use tegami::{
    codec::Payload,
    envelope::{DecodeErrorKind, Envelope, JsonBase, Message, ProtobufBase, Sealed},
    event::Encoding,
};

use crate::{events, full_head, id, json, outcome, protobuf, sealed};

const JSON_GOLDEN: &str = r#"{"service": {"name": "svc", "uuid": "5d0b530f-5c44-4981-b01f-342801bd48f5"}, "metadata": {"message_uuid": "5d0b530f-5c44-4981-b01f-342801bd48f5.30e68af3-7b44-455b-a06b-4029581a2b62", "protocol_version": "tomodachi-json-base--1.0.0", "compatible_protocol_versions": ["json_base-wip"], "timestamp": 1795224550.7684295, "topic": "t.o", "data_encoding": "raw"}, "data": {"a": 1, "\u00e5": "\u00e9", "f": 1.0}}"#;

const PROTOBUF_GOLDEN: &str = "CisKA3N2YxIkNWQwYjUzMGYtNWM0NC00OTgxLWIwMWYtMzQyODAxYmQ0OGY1En4KSTVkMGI1MzBmLTVjNDQtNDk4MS1iMDFmLTM0MjgwMWJkNDhmNS5jMWE4NmNlYi0wOTI5LTRkMmUtYWY0Mi0yNTYxYzlhMDk3MjUSHnRvbW9kYWNoaS1wcm90b2J1Zi1iYXNlLS0xLjAuMBlNy7H5PMDaQSIBdCoFcHJvdG8aBwoFaGVsbG8=";

#[derive(Deserialize)]
struct Vector {
    name: String,
    envelope: String,
    body: String,
    payload: String,
}

fn vectors(envelope: &str) -> Vec<Vector> {
    let all: Vec<Vector> = serde_json::from_str(include_str!("fixtures/tomodachi-0.29.0.json")).unwrap();
    let chosen: Vec<_> = all.into_iter().filter(|vector| vector.envelope == envelope).collect();
    assert!(chosen.len() >= 5);
    chosen
}

/// A body with its compressed part unpacked: compressors may differ, what they compress may not.
fn unpacked_json(body: &str) -> String {
    let Some((head, data)) = body.split_once("\"base64_gzip_json\"}, \"data\": ") else { return body.to_owned() };
    let packed = STANDARD.decode(data.trim_end_matches('}').trim_matches('"')).unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::ZlibDecoder::new(packed.as_slice()), &mut text).unwrap();
    format!("{head}{text}")
}

#[test]
fn golden_json_is_read() {
    let message = JsonBase::default().open(&sealed(JSON_GOLDEN)).unwrap();
    assert_eq!(message.content, json(r#"{"a": 1, "\u00e5": "\u00e9", "f": 1.0}"#));
    let told = full_head();
    assert_eq!(message.head.id, told.id);
    assert_eq!(message.head.time, told.time);
    assert_eq!(message.head.source, told.source);
    assert_eq!(message.head.topic, told.topic);
    assert_eq!((message.head.event, message.head.key), (None, None));
}

#[test]
fn golden_json_is_written() {
    let envelope = JsonBase::default();
    let message = envelope.open(&sealed(JSON_GOLDEN)).unwrap();
    assert_eq!(envelope.seal(message).unwrap().body, JSON_GOLDEN);
}

#[test]
fn golden_protobuf_is_read_and_written() {
    let envelope = ProtobufBase::default();
    let message = envelope.open(&sealed(PROTOBUF_GOLDEN)).unwrap();
    assert_eq!(message.content, protobuf(b"\x0a\x05hello".as_slice()));
    let told = id("5d0b530f-5c44-4981-b01f-342801bd48f5.c1a86ceb-0929-4d2e-af42-2561c9a09725");
    assert_eq!(message.head.id, Some(told));
    assert_eq!(message.head.topic.as_deref(), Some("t"));
    assert_eq!(envelope.seal(message).unwrap().body, PROTOBUF_GOLDEN);
}

#[test]
fn golden_protobuf_is_a_typed_event() {
    let message = ProtobufBase::default().decode::<events::Hello>(&sealed(PROTOBUF_GOLDEN)).unwrap();
    assert_eq!(message.content.value, "hello");
    assert_eq!(ProtobufBase::default().encode(&message).unwrap().body, PROTOBUF_GOLDEN);
}

#[test]
fn every_recorded_json_envelope_is_read_and_written_again() {
    let envelope = JsonBase::default();
    for Vector { name, body, payload, .. } in vectors("json") {
        let message = envelope.open(&sealed(body.clone())).unwrap();
        assert_eq!(message.content, json(payload), "{name}");
        let again = envelope.seal(message).unwrap().body;
        assert_eq!(unpacked_json(std::str::from_utf8(&again).unwrap()), unpacked_json(&body), "{name}");
    }
}

#[test]
fn every_recorded_json_envelope_is_a_typed_event() {
    let envelope = JsonBase::default();
    for Vector { name, body, .. } in vectors("json") {
        let message = envelope.decode::<events::Anything>(&sealed(body)).unwrap();
        let again = envelope.encode(&message).unwrap();
        assert_eq!(envelope.decode::<events::Anything>(&again).unwrap(), message, "{name}");
    }
}

#[test]
fn every_recorded_protobuf_envelope_is_read_and_written_again() {
    let envelope = ProtobufBase::default();
    for Vector { name, body, payload, .. } in vectors("protobuf") {
        let message = envelope.open(&sealed(body.clone())).unwrap();
        assert_eq!(message.content, protobuf(STANDARD.decode(payload).unwrap()), "{name}");
        let again = envelope.seal(message.clone()).unwrap();
        if name.contains("60,001") {
            assert_eq!(envelope.open(&again).unwrap(), message, "{name}");
        } else {
            assert_eq!(again.body, body, "{name}");
        }
    }
}

#[test]
fn compression_begins_where_tomodachi_begins_it() {
    let encoding = |name: &str| {
        let vector = vectors("json").into_iter().find(|vector| vector.name.ends_with(name)).unwrap();
        let message = JsonBase::default().open(&sealed(vector.body)).unwrap();
        let body = JsonBase::default().seal(message).unwrap().body;
        serde_json::from_slice::<serde_json::Value>(&body).unwrap()["metadata"]["data_encoding"].clone()
    };
    assert_eq!(encoding("59,997 characters"), "raw");
    assert_eq!(encoding("59,998 characters"), "base64_gzip_json");
    assert_eq!(encoding("60,000 escaped"), "base64_gzip_json");
}

#[test]
fn protocol_versions_we_know_are_read_and_a_different_major_is_a_mismatch() {
    let open = |version: &str| {
        let body = JSON_GOLDEN.replace("tomodachi-json-base--1.0.0", version);
        JsonBase::default().open(&Sealed { body: body.into(), ..Sealed::default() }).map(|message| message.content)
    };
    for known in ["tomodachi-json-base--1.0.0", "tomodachi-json-base--1.9.3", "json_base-wip"] {
        assert!(open(known).is_ok(), "{known}");
    }
    for other in ["tomodachi-json-base--2.0.0", "tomodachi-json-base--0.9", "tomodachi-protobuf-base--1.0.0", "x"] {
        assert_eq!(open(other).unwrap_err().kind(), DecodeErrorKind::VersionMismatch, "{other}");
    }
}

#[test]
fn protobuf_in_a_json_envelope_is_refused_before_it_leaves() {
    let message = Message::new(full_head(), protobuf(b"\x0a\x05hello".as_slice()));
    assert!(JsonBase::default().seal(message).is_err());
    let broken = Payload { encoding: Encoding::Json, bytes: "{".into() };
    assert!(JsonBase::default().seal(Message::new(full_head(), broken)).is_err());
}

#[test]
fn unknown_protocol_families_are_a_mismatch_in_protobuf_too() {
    let body = STANDARD.decode(PROTOBUF_GOLDEN).unwrap();
    let at = body.windows(3).position(|part| part == b"1.0").unwrap();
    let mut other = body.clone();
    other[at] = b'2';
    let found = outcome(&ProtobufBase::default(), &sealed(STANDARD.encode(other)));
    assert_eq!(found, Err(DecodeErrorKind::VersionMismatch));
}
