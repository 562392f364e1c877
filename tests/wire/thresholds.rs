//! Every limit, at the limit and one beyond.

use base64::{Engine, engine::general_purpose::STANDARD};
use tegami::envelope::{CloudEvents, DecodeErrorKind::TooLarge, Envelope, JsonBase, Message, ProtobufBase};

use crate::{full_head, json, outcome, protobuf, sealed, zlib};

#[test]
fn json_payloads_travel_raw_below_60000_characters_and_compressed_from_there() {
    for (length, encoding) in [(59_999, "raw"), (60_000, "base64_gzip_json")] {
        let payload = json(serde_json::Value::from("x".repeat(length - 2)).to_string());
        let body = JsonBase::default().seal(Message::new(full_head(), payload)).unwrap().body;
        let marked = format!(r#""data_encoding": "{encoding}"}}"#);
        assert!(String::from_utf8_lossy(&body).contains(&marked), "{length}");
    }
}

#[test]
fn protobuf_payloads_travel_as_they_are_up_to_60000_bytes_and_compressed_beyond() {
    for (length, encoding) in [(60_000, "*\x05proto"), (60_001, "*\x0agzip_proto")] {
        let sealed = ProtobufBase::default().seal(Message::new(full_head(), protobuf(vec![7; length]))).unwrap();
        let body = STANDARD.decode(sealed.body).unwrap();
        assert!(String::from_utf8_lossy(&body).contains(encoding), "{length}");
    }
}

#[test]
fn payloads_are_allowed_at_the_limit_and_refused_one_beyond() {
    let payload = json(r#"{"a": 1}"#);
    let length = payload.bytes.len();
    let message = Message::new(full_head(), payload.clone());
    let body = JsonBase::default().seal(message.clone()).unwrap();
    assert_eq!(outcome(&JsonBase::default().decompressed_limit(length), &body), Ok(payload.clone()));
    assert_eq!(outcome(&JsonBase::default().decompressed_limit(length - 1), &body), Err(TooLarge));
    let body = ProtobufBase::default().seal(message.clone()).unwrap();
    assert_eq!(outcome(&ProtobufBase::default().decompressed_limit(length), &body), Ok(payload.clone()));
    assert_eq!(outcome(&ProtobufBase::default().decompressed_limit(length - 1), &body), Err(TooLarge));
    let body = CloudEvents::json().seal(message).unwrap();
    assert_eq!(outcome(&CloudEvents::json().payload_limit(length), &body), Ok(payload));
    assert_eq!(outcome(&CloudEvents::json().payload_limit(length - 1), &body), Err(TooLarge));
}

#[test]
fn compressed_payloads_are_allowed_at_the_limit_and_refused_one_beyond() {
    let bytes = [7; 1000];
    let packed = zlib::packed(&bytes);
    let text = STANDARD.encode(&packed);
    let bodies = [("gzip_proto", packed.as_slice()), ("base64_gzip_proto", text.as_bytes())];
    for (encoding, data) in bodies {
        let body = zlib::protobuf_body(encoding, data);
        let limited = |limit| outcome(&ProtobufBase::default().decompressed_limit(limit), &body);
        assert_eq!(limited(1000), Ok(protobuf(bytes.to_vec())), "{encoding}");
        assert_eq!(limited(999), Err(TooLarge), "{encoding}");
    }
}

#[test]
fn base64_is_refused_by_its_length_alone() {
    let body = sealed("!".repeat(4 * 1024 * 1024));
    assert_eq!(outcome(&ProtobufBase::default().decompressed_limit(1024), &body), Err(TooLarge));
    let data = "!".repeat(4096);
    let body = sealed(format!(r#"{{"metadata": {{"data_encoding": "base64_gzip_json"}}, "data": "{data}"}}"#));
    assert_eq!(outcome(&JsonBase::default().decompressed_limit(1024), &body), Err(TooLarge));
}

#[test]
fn ids_have_at_most_128_characters() {
    let body =
        |id: &str| sealed(format!(r#"{{"metadata": {{"data_encoding": "raw", "message_uuid": "{id}"}}, "data": 1}}"#));
    assert!(outcome(&JsonBase::default(), &body(&"i".repeat(128))).is_ok());
    assert!(outcome(&JsonBase::default(), &body(&"i".repeat(129))).is_err());
}
