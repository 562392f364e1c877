//! What stands beside the body, of every type that either has.

use serde_json::{Value as Json, json};
use tegami::{
    Event,
    event::{Attributes, Value},
};

use super::{
    Emulated,
    office::{Office, Way, posted, reads},
};
use crate::{
    desk::{Plan, letter},
    generated::letters::v1::LetterPosted,
    peer::Kind,
};

pub async fn to_tomodachi(on: Emulated, way: Way) {
    let office = Office::open(on).await;
    let mut peer = office.peer([reads(Kind::Json, Some("peer"))]).await;
    let running = office.service(Kind::Json, "").start().await.expect("it starts");
    let (publisher, letter) = (running.publisher(), letter(7, "hello"));
    let sending = publisher.publish_with(&letter, |p| {
        let p = p.attribute("text", "é😀 'you'").attribute("yes", true).attribute("no", false);
        let p = p.attribute("whole", -5).attribute("broken", 1.5).attribute("round", 2.0).attribute("large", 1e20);
        // SNS would keep this from subscriptions with a filter: it goes into the transport's own attribute.
        let p = p.attribute("quoted", "say \"hello\"");
        if way == Way::Queue { p.queue("peer") } else { p }
    });
    sending.await.expect("it is published");
    let read = peer.read().await;
    let mut attributes = read.beside["attributes"].clone();
    let mark = attributes.as_object_mut().expect("an object").remove("tegami");
    assert_eq!(mark.is_some(), way != Way::Queue);
    let expected = json!({
        "text": "é😀 'you'", "yes": true, "no": false, "whole": -5, "broken": 1.5, "round": 2.0, "large": 1e20,
        "number": 7, "tegami-event": LetterPosted::CONTRACT.name,
    });
    assert_eq!(attributes, expected);
    running.stop().await.expect("it stops");
}

pub async fn to_tegami(on: Emulated, way: Way) {
    let office = Office::open(on).await;
    let mut desk =
        office.desk(Plan { parameters: way.parameters(), ..Plan::new(Kind::Json) }).await.expect("it starts");
    let mut peer = office.peer([]).await;
    let mut message = posted(Kind::Json, way, &letter(7, "hello"));
    message["attributes"] = said();
    peer.send(message).await;
    let run = desk.run().await;
    assert_eq!(run.ctx.attributes(), &understood(on, way));
    assert_eq!(run.letter, letter(7, "hello"));
    desk.running.stop().await.expect("it stops");
}

/// One of each type that tomodachi has.
fn said() -> Json {
    json!({
        "text": "é😀 \"you\"", "yes": true, "no": false, "whole": -5, "broken": 1.5, "large": 1e20,
        "nothing": null, "list": ["a", 1, null], "bytes": { "bytes": "AAH/" },
    })
}

/// The same, as values that tegami has. MiniStack leaves bytes out of notifications.
fn understood(on: Emulated, way: Way) -> Attributes {
    let bytes = if (on, way) == (Emulated::MiniStack, Way::Notification) { "" } else { "AAH/" };
    let whole = Attributes::new().with("text", "é😀 \"you\"").with("yes", true).with("no", false);
    let whole = whole.with("whole", -5).with("broken", 1.5).with("large", Value::Float(1e20));
    whole.with("nothing", "null").with("list", r#"["a", 1, null]"#).with("bytes", bytes)
}
