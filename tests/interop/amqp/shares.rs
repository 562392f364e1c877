//! One queue that both read: who made it, and what becomes of it.

use serde_json::json;
use tegami::{Event, transport::amqp::tomodachi_queue};
use tegami_test_servers::Release;

use super::office::{KEY, Office, holds, reads};
use crate::{
    desk::{Plan, letter},
    failing,
    generated::letters::v1::LetterPosted,
    peer::Kind,
    share::{at_times, inherit, share},
};

/// What the URL of a desk ends in that reads beside tomodachi.
const COMPAT: &str = "?compat=tomodachi";
/// What both read.
const QUEUE: &str = "shared";

/// A desk that reads as tomodachi does.
fn beside_tomodachi(queue: impl Into<String>) -> Plan {
    Plan { parameters: COMPAT, queue: queue.into(), fails: at_times, ..Plan::new(Kind::Json) }
}

pub async fn tomodachi_first(release: Release) {
    let office = Office::open(release).await;
    let peer = office.peer([reads(Kind::Json, KEY, Some(QUEUE))]).await;
    let desk = office.desk(beside_tomodachi(QUEUE)).await.expect("it joins");
    share(peer, desk).await;
}

pub async fn tegami_first(release: Release) {
    let office = Office::open(release).await;
    let desk = office.desk(beside_tomodachi(QUEUE)).await.expect("it starts");
    let peer = office.peer([reads(Kind::Json, KEY, Some(QUEUE))]).await;
    share(peer, desk).await;
}

pub async fn named_by_tomodachi(release: Release) {
    let office = Office::open(release).await;
    let peer = office.peer([reads(Kind::Json, KEY, None)]).await;
    let queue = tomodachi_queue(LetterPosted::CONTRACT.routing_key);
    let desk = office.desk(beside_tomodachi(queue)).await.expect("it joins");
    share(peer, desk).await;
}

pub async fn killed(release: Release) {
    let office = Office::open(release).await;
    let peer = office.peer([holds(KEY, QUEUE)]).await;
    let desk = office.desk(Plan { fails: |_, _| false, ..beside_tomodachi(QUEUE) }).await.expect("it joins");
    inherit(peer, desk).await;
}

pub async fn without_compat(release: Release) {
    let office = Office::open(release).await;
    let _peer = office.peer([reads(Kind::Json, KEY, Some(QUEUE))]).await;
    let refused = office.desk(Plan { parameters: "", ..beside_tomodachi(QUEUE) }).await.err().expect("it differs");
    let told = refused_text(&refused);
    assert!(told.contains(&format!("{}{QUEUE}", office.prefix)) && told.contains("inequivalent arg"), "{told}");
}

pub async fn put_back(release: Release) {
    let office = Office::open(release).await;
    let desk = office.desk(Plan { fails: |_, _| true, ..beside_tomodachi(QUEUE) }).await.expect("it starts");
    let id = failing::put_back(desk, office.transport(COMPAT), format!("{}{QUEUE}", office.prefix)).await;
    let read = office.peer([reads(Kind::Json, KEY, Some(QUEUE))]).await.read().await;
    assert_eq!((read.id.as_str(), read.data), (id.as_str(), json!(letter(7, "hello"))));
}

/// The error and its causes.
fn refused_text(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
