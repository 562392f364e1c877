//! What a tegami service does about a message of tomodachi's, which comes without properties.

use std::time::Duration;

use serde_json::json;
use tegami::{
    Event,
    envelope::{Envelope, JsonBase, ProtobufBase, Sealed},
    testing::ReasonKind,
    transport::{DeadLetter, Transport},
};
use tegami_test_servers::Release;
use tokio::time::{sleep, timeout};

use crate::{
    WAIT,
    generated::{letters::v1::LetterPosted, shop::billing::v1::ReceiptSent},
    office::{Office, Plan, letter},
    peer::{Kind, Peer, reads},
};

/// How often the dead-letter queue is looked at.
const LOOK: Duration = Duration::from_millis(50);

pub async fn in_the_conversation(release: Release) {
    let office = Office::open(release).await;
    let mut desk = office.desk(Plan::new(Kind::Json)).await.expect("it starts");
    let answers = reads(Kind::Json, ReceiptSent::CONTRACT.routing_key, Some("answers"));
    let mut peer = Peer::start(&office, [answers]).await;
    peer.publish(Kind::Json, json!({ "box": "b-1", "number": 7, "text": "hello" })).await;
    let run = desk.run().await;
    let receipt = ReceiptSent::builder().order_id("o-1").build();
    let id = run.ctx.publish(&receipt).await.expect("it is published");
    let read = peer.read().await;
    assert_eq!((read.id.as_str(), read.data), (id.as_str(), json!({ "orderId": "o-1" })));
    assert_eq!(read.properties["correlation_id"], run.ctx.message_id().as_str());
    desk.running.stop().await.expect("it stops");
}

pub async fn failing(release: Release, kind: Kind) {
    let office = Office::open(release).await;
    let mut desk = office.desk(Plan { fails: |run, _| run <= 2, ..Plan::new(kind) }).await.expect("it starts");
    let mut peer = Peer::start(&office, []).await;
    peer.publish(kind, json!({ "box": "b-1", "number": 7, "text": "hello" })).await;
    let [first, second] = [desk.run().await, desk.run().await];
    assert_eq!((first.ctx.attempt(), second.ctx.attempt()), (1, 2));
    assert_eq!(first.ctx.message_id(), second.ctx.message_id());
    let dead = dead_letter(&office).await;
    assert_eq!((dead.reason(), dead.attempts(), dead.error()), (ReasonKind::HandlerError, 2, "the desk is full"));
    assert!(dead.attributes().is_empty(), "what came without is kept without: {:?}", dead.attributes());
    let body = Sealed { body: dead.payload().clone(), ..Sealed::default() };
    let kept = match kind {
        Kind::Json => JsonBase::default().decode::<LetterPosted>(&body),
        Kind::Protobuf => ProtobufBase::default().decode(&body),
    };
    let kept = kept.expect("it is as it came");
    assert_eq!((kept.content, kept.head.id.as_ref()), (letter(7, "hello"), Some(first.ctx.message_id())));
    put_back(&office).await;
    let third = desk.run().await;
    assert_eq!((third.letter, third.ctx.attempt()), (letter(7, "hello"), 1));
    assert_eq!(third.ctx.message_id(), first.ctx.message_id());
    desk.running.stop().await.expect("it stops");
}

/// The dead letter of the desk's queue, once it is there.
async fn dead_letter(office: &Office) -> DeadLetter {
    let (transport, queue) = (office.transport(""), format!("{}desk", office.prefix));
    let looking = async {
        loop {
            if let Some(dead) = transport.dead_letters(&queue, 10).await.expect("it can be read").pop() {
                return dead;
            }
            sleep(LOOK).await;
        }
    };
    let dead = timeout(WAIT, looking).await.expect("a dead letter is kept");
    transport.close().await;
    dead
}

async fn put_back(office: &Office) {
    let transport = office.transport("");
    let count = transport.redrive(&format!("{}desk", office.prefix)).await.expect("it goes back");
    assert_eq!(count, 1);
    transport.close().await;
}
