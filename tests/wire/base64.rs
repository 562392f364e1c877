//! Base64 is standard, padded and strict: what Python's lenient decoder drops, we refuse.

use base64::{Engine, engine::general_purpose::STANDARD};
use tegami::envelope::{CloudEvents, DecodeErrorKind, Envelope, JsonBase, Message, ProtobufBase};

use crate::{full_head, outcome, protobuf, sealed};

const INPUTS: usize = 25;

/// Each way to spoil base64 text, by name.
fn spoiled(good: &str) -> Vec<(&'static str, String)> {
    let (head, tail) = good.split_at(8);
    vec![
        ("empty", String::new()),
        ("stray only", "!!!!".into()),
        ("stray inside", format!("{head}!{tail}")),
        ("four strays inside", format!("{head}!!!!{tail}")),
        ("line feed inside", format!("{head}\n{tail}")),
        ("line feed after", format!("{good}\n")),
        ("carriage return and line feed inside", format!("{head}\r\n{tail}")),
        ("blank before", format!(" {good}")),
        ("blank after", format!("{good} ")),
        ("tab inside", format!("{head}\t{tail}")),
        ("NUL after", format!("{good}\0")),
        ("without padding", good.trim_end_matches('=').to_owned()),
        ("one padding less", good.strip_suffix('=').unwrap().to_owned()),
        ("one padding more", format!("{good}=")),
        ("four paddings more", format!("{good}====")),
        ("padding before", format!("={good}")),
        ("padding inside", format!("{head}={tail}")),
        ("two texts", format!("{good}{good}")),
        ("one character", "Q".into()),
        ("url alphabet, minus", format!("{head}----{tail}")),
        ("url alphabet, underscore", format!("{head}____{tail}")),
        ("letter of another script", format!("{head}éé{tail}")),
        ("prefix", format!("base64,{good}")),
        ("quoted", format!("\"{good}\"")),
        ("bits left over", format!("{}//==", &good[..good.len() - 4])),
    ]
}

#[test]
fn whole_protobuf_bodies_are_strict() {
    let head = (0..3).map(|n| full_head().key("k".repeat(n)));
    let body = head
        .map(|head| {
            ProtobufBase::default().seal(Message::new(head, protobuf(b"\x0a\x05hello".as_slice()))).unwrap().body
        })
        .find(|body| body.ends_with(b"=="))
        .expect("one of three lengths needs two paddings");
    let good = std::str::from_utf8(&body).unwrap();
    assert!(outcome(&ProtobufBase::default(), &sealed(body.clone())).is_ok());
    for (name, text) in spoiled(good) {
        let found = outcome(&ProtobufBase::default(), &sealed(text));
        assert_eq!(found, Err(DecodeErrorKind::Undecodable), "{name}");
    }
    assert_eq!(spoiled(good).len(), INPUTS, "the corpus only grows");
}

#[test]
fn compressed_data_in_json_is_strict() {
    let body = |data: &str| {
        let data = serde_json::Value::from(data);
        sealed(format!(r#"{{"metadata": {{"data_encoding": "base64_gzip_json"}}, "data": {data}}}"#))
    };
    let good = (1..4).map(|n| STANDARD.encode(crate::zlib::packed("1".repeat(n).as_bytes())));
    let good = good.into_iter().find(|text| text.ends_with("==")).expect("one of three lengths needs two paddings");
    assert!(outcome(&JsonBase::default(), &body(&good)).is_ok());
    for (name, text) in spoiled(&good) {
        assert_eq!(outcome(&JsonBase::default(), &body(&text)), Err(DecodeErrorKind::Undecodable), "{name}");
    }
}

#[test]
fn data_of_cloud_events_is_strict() {
    let body = |data: &str| {
        let data = serde_json::Value::from(data);
        sealed(format!(
            r#"{{"specversion":"1.0","id":"1","source":"/","type":"t","datacontenttype":"application/protobuf","data_base64":{data}}}"#
        ))
    };
    let good = STANDARD.encode([7; 10]);
    assert!(outcome(&CloudEvents::json(), &body(&good)).is_ok());
    for (name, text) in spoiled(&good).into_iter().filter(|(name, _)| *name != "empty") {
        assert_eq!(outcome(&CloudEvents::json(), &body(&text)), Err(DecodeErrorKind::Undecodable), "{name}");
    }
}
