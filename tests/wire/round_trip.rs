//! What an envelope is given is what comes out of it, for every field.

use std::time::{Duration, SystemTime};

use tegami::envelope::{CloudEvents, Envelope, Head, JsonBase, Message, ProtobufBase, Raw};

use crate::{events, full_head, id, json, protobuf};

fn comes_back(name: &str, envelope: &impl Envelope, message: Message<tegami::codec::Payload>) {
    let sealed = envelope.seal(message.clone()).unwrap();
    assert_eq!(envelope.open(&sealed).unwrap(), message, "{name}");
}

#[test]
fn every_field_comes_back_from_every_envelope() {
    for (n, payload) in [json(r#"{"a": [1, null]}"#), json("null"), json("\"\"")].into_iter().enumerate() {
        let message = Message::new(full_head(), payload);
        comes_back(&format!("json base {n}"), &JsonBase::default(), message.clone());
        comes_back(&format!("protobuf base {n}"), &ProtobufBase::default(), message.clone());
        comes_back(&format!("cloud events {n}"), &CloudEvents::json(), message.clone());
        comes_back(&format!("raw {n}"), &Raw::json(), message.clone());
        comes_back(&format!("raw, protobuf preferred {n}"), &Raw::protobuf(), message);
    }
}

#[test]
fn protobuf_payloads_come_back_even_if_they_are_empty() {
    for payload in [protobuf(b"\x0a\x05hello".as_slice()), protobuf(""), protobuf(vec![0xff; 70_000])] {
        let message = Message::new(full_head(), payload);
        comes_back("protobuf base", &ProtobufBase::default(), message.clone());
        comes_back("cloud events", &CloudEvents::protobuf(), message.clone());
        comes_back("raw", &Raw::protobuf(), message);
    }
}

#[test]
fn a_head_that_says_little_comes_back_as_little() {
    comes_back("json base", &JsonBase::default(), Message::new(Head::new(), json("{}")));
    comes_back("protobuf base", &ProtobufBase::default(), Message::new(Head::new(), protobuf("x")));
    comes_back("raw", &Raw::json(), Message::new(Head::new(), json("{}")));
    let least = Head::new().id(id("1")).event("e");
    comes_back("cloud events", &CloudEvents::json(), Message::new(least, json("{}")));
}

#[test]
fn times_come_back_to_the_nanosecond_where_the_format_has_room() {
    let time = SystemTime::UNIX_EPOCH + Duration::new(1_795_224_550, 768_429_517);
    comes_back("cloud events", &CloudEvents::json(), Message::new(full_head().time(time), json("{}")));
    comes_back("raw", &Raw::json(), Message::new(full_head().time(time), json("{}")));
}

#[test]
fn times_before_1970_come_back() {
    let time = SystemTime::UNIX_EPOCH - Duration::from_millis(1_500);
    comes_back("json base", &JsonBase::default(), Message::new(full_head().time(time), json("{}")));
    comes_back("protobuf base", &ProtobufBase::default(), Message::new(full_head().time(time), protobuf("x")));
    comes_back("cloud events", &CloudEvents::json(), Message::new(full_head().time(time), json("{}")));
    comes_back("raw", &Raw::json(), Message::new(full_head().time(time), json("{}")));
}

#[test]
fn typed_events_come_back_in_the_encoding_their_contract_has() {
    let hello = Message::new(full_head(), events::Hello { value: "hé".into() });
    let anything = Message::new(full_head(), events::Anything(serde_json::json!({ "a": [1.5, null, "é"] })));
    macro_rules! typed {
        // `Envelope::encode` is generic, so envelopes do not fit into one list.
        ($($envelope:expr),*) => {$(
            assert_eq!($envelope.decode::<events::Hello>(&$envelope.encode(&hello).unwrap()).unwrap(), hello);
            assert_eq!($envelope.decode::<events::Anything>(&$envelope.encode(&anything).unwrap()).unwrap(), anything);
        )*};
    }
    typed!(JsonBase::default(), ProtobufBase::default(), CloudEvents::json(), CloudEvents::protobuf());
    typed!(Raw::json(), Raw::protobuf());
}
