//! One says it, the other understands the same.

use serde_json::{Value, json};
use tegami::{Context, Event, HandlerError};
use tegami_test_servers::Release;
use tokio::{sync::mpsc, time::timeout};

use super::office::{KEY, Office, posted, reads};
use crate::{
    WAIT,
    desk::{Plan, encoding, letters},
    generated::{
        letters::v1::LetterPosted,
        shop::shipping::v1::{ParcelShipped, parcel_shipped::Carrier},
    },
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

/// A dict of Python's is what a JSON Schema says: the names of its properties, and numbers.
pub async fn by_json_schema(release: Release) {
    let office = Office::open(release).await;
    let key = ParcelShipped::CONTRACT.routing_key;
    let mut peer = office.peer([reads(Kind::Json, key, Some("peer"))]).await;
    let (noted, mut parcels) = mpsc::channel(2);
    let service = office.service(Kind::Json, "").state(noted).on::<ParcelShipped>(note_parcel);
    let running = service.start().await.expect("it starts");
    let dict = json!({ "parcel_id": "p-1", "order_id": "o-1", "carrier": "dhl", "weight_grams": 990 });
    let parcel =
        ParcelShipped::builder().parcel_id("p-1").order_id("o-1").carrier(Carrier::Dhl).weight_grams(990).build();
    running.publisher().publish(&parcel).await.expect("it is published");
    assert_eq!(peer.read().await.data, dict);
    peer.send(json!({ "envelope": "json", "routing_key": key, "data": dict })).await;
    for from in ["tegami", "tomodachi"] {
        assert_eq!(timeout(WAIT, parcels.recv()).await.expect("it comes").as_ref(), Some(&parcel), "from {from}");
    }
    running.stop().await.expect("it stops");
}

async fn note_parcel(parcel: ParcelShipped, ctx: Context<mpsc::Sender<ParcelShipped>>) -> Result<(), HandlerError> {
    Ok(ctx.state().send(parcel).await?)
}
