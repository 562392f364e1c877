//! The real tomodachi reads what we write. Runs where `scripts/wire-peers --install` was run.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use tegami::envelope::{Envelope, JsonBase, Message, ProtobufBase};

use crate::{full_head, json as json_payload, protobuf};

/// The script, if its Python environment is there. Where `WIRE_PYTHON` says that it is, it must be.
fn script() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let promised = std::env::var("WIRE_PYTHON").map(PathBuf::from);
    let python = promised.clone().unwrap_or_else(|_| root.join("target/tomodachi"));
    let there = python.join("bin/python").exists();
    assert!(there || promised.is_err(), "WIRE_PYTHON is {}, and there is no Python", python.display());
    there.then(|| root.join("scripts/wire-peers"))
}

/// What tomodachi makes of these envelopes.
fn read_by_tomodachi(script: &Path, bodies: &[(&str, bytes::Bytes)]) -> Vec<Value> {
    let bodies = bodies.iter();
    let bodies: Vec<_> = bodies
        .map(|(envelope, body)| json!({ "envelope": envelope, "body": std::str::from_utf8(body).unwrap() }))
        .collect();
    let mut child = Command::new(script).arg("--check").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(Value::from(bodies).to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn tomodachi_reads_what_tegami_wrote() {
    let Some(script) = script() else {
        return eprintln!("skipped: run scripts/wire-peers --install to have tomodachi read our envelopes");
    };
    let texts = ["hello".to_owned(), "é😀\u{0}".to_owned(), "x".repeat(59_996), "x".repeat(59_998), "é".repeat(40_000)];
    let mut bodies = Vec::new();
    for text in &texts {
        let payload = json_payload(Value::from(text.as_str()).to_string());
        bodies.push(("json", JsonBase::default().seal(Message::new(full_head(), payload)).unwrap().body));
        let payload = protobuf(prost::Message::encode_to_vec(text));
        bodies.push(("protobuf", ProtobufBase::default().seal(Message::new(full_head(), payload)).unwrap().body));
    }
    let read = read_by_tomodachi(&script, &bodies);
    for (n, found) in read.iter().enumerate() {
        assert_eq!(found["data"], texts[n / 2].as_str());
        assert_eq!(found["service"], json!({ "name": "svc", "uuid": "5d0b530f-5c44-4981-b01f-342801bd48f5" }));
        assert_eq!(found["topic"], "t.o");
        assert_eq!(found["timestamp"], json!(1795224550.7684295));
        assert_eq!(found["message_uuid"], full_head().id.unwrap().as_str());
    }
    let encodings: Vec<_> = read.iter().map(|found| found["data_encoding"].as_str().unwrap()).collect();
    let (raw, packed) = (["raw", "proto"], ["base64_gzip_json", "gzip_proto"]);
    assert_eq!(encodings, [raw, raw, raw, packed, packed].concat());
}
