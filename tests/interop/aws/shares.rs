//! One queue that both read: who made it, and what becomes of it.

use serde_json::{Value, json};
use tegami::transport::{Provision, aws::tomodachi_queue};

use super::{
    Emulated,
    office::{COMPAT, Office, TOPIC, reads},
};
use crate::{
    desk::{Desk, Plan, letter},
    failing,
    peer::Kind,
    share::{at_times, inherit, share},
};

/// What both read.
const QUEUE: &str = "shared";

/// A desk that reads as tomodachi does.
fn beside_tomodachi(queue: impl Into<String>) -> Plan {
    Plan { parameters: COMPAT, queue: queue.into(), fails: at_times, ..Plan::new(Kind::Json) }
}

pub async fn tomodachi_first(on: Emulated) {
    let office = Office::open(on).await;
    let peer = office.peer([reads(Kind::Json, Some(QUEUE))]).await;
    let desk = office.desk(beside_tomodachi(QUEUE)).await.expect("it joins");
    assert_eq!(statements(&office).len(), 1, "tomodachi has said it already");
    share(peer, desk).await;
}

pub async fn tegami_first(on: Emulated) {
    let office = Office::open(on).await;
    let desk = office.desk(beside_tomodachi(QUEUE)).await.expect("it starts");
    let peer = office.peer([reads(Kind::Json, Some(QUEUE))]).await;
    let statements = statements(&office);
    let [statement] = &statements[..] else { panic!("tomodachi says all of it anew: {statements:?}") };
    let source = statement["Condition"]["ArnEquals"]["aws:SourceArn"].as_str().expect("it names a topic");
    assert!(source.ends_with(&format!(":{}", office.name(TOPIC))), "it lets in what feeds both: {source}");
    let service = office.service(Kind::Json, COMPAT).provision(Provision::Verify);
    let second = Desk::open(service, beside_tomodachi(QUEUE)).await.expect("all is as both need it");
    second.running.stop().await.expect("it stops");
    share(peer, desk).await;
}

pub async fn named_by_tomodachi(on: Emulated) {
    let office = Office::open(on).await;
    let peer = office.peer([reads(Kind::Json, None)]).await;
    let desk = office.desk(beside_tomodachi(tomodachi_queue(TOPIC))).await.expect("it joins");
    share(peer, desk).await;
}

pub async fn killed(on: Emulated) {
    let office = Office::open(on).await;
    let mut holds = reads(Kind::Json, Some(QUEUE));
    // An emulator goes on receiving for it when it is gone.
    holds
        .as_object_mut()
        .expect("an object")
        .extend([("holds".to_owned(), json!(true)), ("visibility_timeout".to_owned(), json!(5))]);
    let peer = office.peer([holds]).await;
    let desk = office.desk(Plan { fails: |_, _| false, ..beside_tomodachi(QUEUE) }).await.expect("it joins");
    inherit(peer, desk).await;
}

pub async fn put_back(on: Emulated) {
    let office = Office::open(on).await;
    let desk = office.desk(Plan { fails: |_, _| true, ..beside_tomodachi(QUEUE) }).await.expect("it starts");
    let id = failing::put_back(desk, office.transport(COMPAT), office.name(QUEUE)).await;
    let read = office.peer([reads(Kind::Json, Some(QUEUE))]).await.read().await;
    assert_eq!((read.id.as_str(), read.data), (id.as_str(), json!(letter(7, "hello"))));
}

/// Who may write into the shared queue.
fn statements(office: &Office) -> Vec<Value> {
    let caller = office.emulator.caller();
    let url = caller.url(&office.name(QUEUE)).expect("it is there");
    let told = caller.sqs("GetQueueAttributes", &json!({ "QueueUrl": url, "AttributeNames": ["Policy"] }));
    let policy = told.expect("it is there")["Attributes"]["Policy"].as_str().expect("it has one").to_owned();
    let policy: Value = serde_json::from_str(&policy).expect("JSON");
    policy["Statement"].as_array().expect("a list").clone()
}
