//! One says it, the other understands the same.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value as Json, json};
use tegami::Event;

use super::{
    Emulated,
    office::{Office, TOPIC, Way, posted, reads},
};
use crate::{
    desk::{Plan, encoding, letters},
    generated::letters::v1::LetterPosted,
    peer::{Kind, Read},
};

pub async fn to_tomodachi(on: Emulated, kind: Kind, way: Way) {
    let office = Office::open(on).await;
    let mut peer = office.peer([reads(kind, Some("peer"))]).await;
    let running = office.service(kind, "").start().await.expect("it starts");
    let publisher = running.publisher();
    for letter in letters() {
        let id = match way {
            Way::Topic | Way::Notification => publisher.publish(&letter).await,
            Way::Queue => publisher.publish_with(&letter, |p| p.queue("peer")).await,
        };
        let (id, read) = (id.expect("it is published"), peer.read().await);
        assert_eq!(read.data, json!(letter));
        assert_eq!((read.id.as_str(), &read.service["name"]), (id.as_str(), &json!("office")));
        assert_eq!(read.metadata["topic"], TOPIC);
        assert_eq!(read.metadata["data_encoding"], encoding(kind, &letter));
        check_beside(&read, (on, way), letter.number);
    }
    running.stop().await.expect("it stops");
}

/// Everything that tegami says beside the body.
fn check_beside(read: &Read, (on, way): (Emulated, Way), number: u64) {
    let said = |name: &str| &read.beside[name];
    let (kind, topic) = match way {
        Way::Topic | Way::Notification => ("Notification", TOPIC),
        Way::Queue => ("Message", ""),
    };
    assert_eq!((said("type"), said("topic")), (&json!(kind), &json!(topic)));
    let mut attributes = said("attributes").clone();
    let mark = attributes.as_object_mut().expect("an object").remove("tegami");
    assert_eq!(attributes, json!({ "number": number, "tegami-event": LetterPosted::CONTRACT.name }));
    match (on, way) {
        // Where SQS has attributes of its own, tomodachi looks at no others.
        (_, Way::Queue) => assert_eq!(mark, None),
        // It leaves bytes out of notifications.
        (Emulated::MiniStack, _) => assert_eq!(mark, Some(json!({ "bytes": "" }))),
        (Emulated::LocalStack, _) => assert_eq!(said_in(&mark.expect("it is there"))["id"], read.id),
    }
}

/// What the transport's own attribute says.
fn said_in(mark: &Json) -> Json {
    let bytes = STANDARD.decode(mark["bytes"].as_str().expect("it is bytes")).expect("peer.py writes base64");
    serde_json::from_slice(&bytes).expect("JSON")
}

pub async fn to_tegami(on: Emulated, kind: Kind, way: Way) {
    let office = Office::open(on).await;
    let mut desk = office.desk(Plan { parameters: way.parameters(), ..Plan::new(kind) }).await.expect("it starts");
    let mut peer = office.peer([reads(kind, Some("peer"))]).await;
    for letter in letters() {
        peer.send(posted(kind, way, &letter)).await;
        let run = desk.run().await;
        if way != Way::Queue {
            let told = peer.read().await;
            assert_eq!(told.metadata["data_encoding"], encoding(kind, &letter));
            assert_eq!(run.ctx.message_id().as_str(), told.id);
        }
        assert_eq!(run.letter, letter);
        // That of SNS or SQS would have none.
        assert!(run.ctx.message_id().as_str().contains('.'), "it is tomodachi's own id");
        assert_eq!(run.ctx.correlation_id(), run.ctx.message_id(), "it begins a conversation");
        assert_eq!((run.ctx.source(), run.ctx.attempt()), (Some("peer"), 1));
        assert!(run.ctx.time().is_some() && run.ctx.attributes().is_empty());
    }
    desk.running.stop().await.expect("it stops");
}
