//! What a tegami service does about a message of tomodachi's, which comes without properties.

use serde_json::json;
use tegami::Event;
use tegami_test_servers::Release;

use super::office::{Office, posted, reads};
use crate::{
    desk::{Plan, letter},
    failing,
    generated::shop::billing::v1::ReceiptSent,
    peer::Kind,
};

pub async fn in_the_conversation(release: Release) {
    let office = Office::open(release).await;
    let mut desk = office.desk(Plan::new(Kind::Json)).await.expect("it starts");
    let answers = reads(Kind::Json, ReceiptSent::CONTRACT.routing_key, Some("answers"));
    let mut peer = office.peer([answers]).await;
    peer.send(posted(Kind::Json, json!(letter(7, "hello")))).await;
    let run = desk.run().await;
    let receipt = ReceiptSent::builder().order_id("o-1").build();
    let id = run.ctx.publish(&receipt).await.expect("it is published");
    let read = peer.read().await;
    assert_eq!((read.id.as_str(), read.data), (id.as_str(), json!({ "orderId": "o-1" })));
    assert_eq!(read.beside["correlation_id"], run.ctx.message_id().as_str());
    desk.running.stop().await.expect("it stops");
}

pub async fn failing(release: Release, kind: Kind) {
    let office = Office::open(release).await;
    let desk = office.desk(failing::failing(kind)).await.expect("it starts");
    let mut peer = office.peer([]).await;
    peer.send(posted(kind, json!(letter(7, "hello")))).await;
    failing::kept_and_put_back(kind, desk, office.transport(""), format!("{}desk", office.prefix)).await;
}
