//! One says it, the other understands the same.

use serde_json::{Value, json};
use tegami::Event;
use tegami_test_servers::Release;

use super::office::{KEY, Office, posted, reads};
use crate::{
    desk::{Plan, encoding, letters},
    generated::letters::v1::LetterPosted,
    peer::{Kind, Read},
};

pub async fn to_tomodachi(release: Release, kind: Kind) {
    let office = Office::open(release).await;
    let mut peer = office.peer([reads(kind, KEY, Some("peer"))]).await;
    let running = office.service(kind, "").start().await.expect("it starts");
    for letter in letters() {
        let id = running.publisher().publish(&letter).await.expect("it is published");
        let read = peer.read().await;
        assert_eq!(read.data, json!(letter));
        assert_eq!((read.id.as_str(), &read.service["name"]), (id.as_str(), &json!("office")));
        assert_eq!(read.metadata["topic"], "letters-v1");
        assert_eq!(read.metadata["data_encoding"], encoding(kind, &letter));
        check_properties(&read, kind, letter.number);
    }
    running.stop().await.expect("it stops");
}

/// Everything that tegami says beside the body.
fn check_properties(read: &Read, kind: Kind, number: u64) {
    let number = i64::try_from(number).map_or_else(|_| json!({ "tegami-integer": number.to_string() }), Value::from);
    let content_type = match kind {
        Kind::Json => "application/json",
        Kind::Protobuf => "text/plain",
    };
    for (name, value) in [
        ("content_type", json!(content_type)),
        ("delivery_mode", json!(2)),
        ("message_id", json!(read.id)),
        ("message_type", json!(LetterPosted::CONTRACT.name)),
        ("app_id", json!("office")),
        ("headers", json!({ "number": number, "tegami-event": LetterPosted::CONTRACT.name })),
    ] {
        assert_eq!(read.beside.get(name), Some(&value), "{name}");
    }
    assert!(read.beside.contains_key("timestamp"));
}

pub async fn to_tegami(release: Release, kind: Kind) {
    let office = Office::open(release).await;
    let mut desk = office.desk(Plan::new(kind)).await.expect("it starts");
    let mut peer = office.peer([reads(kind, KEY, Some("peer"))]).await;
    for letter in letters() {
        peer.send(posted(kind, json!(letter))).await;
        let (told, run) = (peer.read().await, desk.run().await);
        assert!(told.beside.is_empty(), "tomodachi sets none: {:?}", told.beside);
        assert_eq!(told.metadata["data_encoding"], encoding(kind, &letter));
        assert_eq!(run.letter, letter);
        assert_eq!(run.ctx.message_id().as_str(), told.id);
        assert_eq!(run.ctx.correlation_id().as_str(), told.id, "it begins a conversation");
        assert_eq!((run.ctx.source(), run.ctx.attempt()), (Some("peer"), 1));
        assert!(run.ctx.time().is_some() && run.ctx.attributes().is_empty());
    }
    desk.running.stop().await.expect("it stops");
}
