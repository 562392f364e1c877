//! No payload in a dead letter's reason, and none in a log (X2, X6).

use std::sync::Arc;

use serde_json::{Value, json};
use tegami::{
    Context, Error, Event, HandlerError, Service,
    codec::Payload,
    envelope::{CloudEvents, Envelope, Head, JsonBase, Message, MessageId, ProtobufBase, Raw},
    event::Encoding,
    testing::TestService,
    transport::{Memory, Outgoing, Transport},
};
use tracing_subscriber::filter::LevelFilter;

use crate::{
    contracts::shop::{orders::v1::OrderPaid, shipping::v1::ParcelShipped},
    log::Log,
};

/// What must never be told: as text that tries to look like the end of a quote, and as numbers.
const TEXT: &str = "s3cr3t`, expected \"s3cr3t\" at line 1 column 1";
const NUMBER: i64 = 4_111_111_111_111_111;
const SECRETS: [&str; 3] = ["s3cr3t", "4111111111111111", "4.111111111111111"];

async fn ignore<E: Event>(_: E, _: Context) -> Result<(), HandlerError> {
    Ok(())
}

/// The same JSON with one value after the other in place of each of its values.
fn variants(valid: &Value) -> Vec<Value> {
    let mut found: Vec<Value> = vec![json!(TEXT), json!(NUMBER), json!(-NUMBER), json!(4.111_111_111_111_111e300)];
    found.extend([json!([TEXT]), json!([NUMBER]), json!({ "value": TEXT })]);
    let Value::Object(object) = valid else { return found };
    for (name, value) in object {
        for variant in variants(value) {
            let mut changed = object.clone();
            changed.insert(name.clone(), variant);
            found.push(Value::Object(changed));
        }
        found.push(json!({ name: TEXT }));
    }
    found
}

fn payloads() -> Vec<(&'static str, Payload)> {
    let order = json!({ "orderId": TEXT, "currency": TEXT, "amountMinor": "1", "paidAt": "2026-01-01T00:00:00Z" });
    let parcel = json!({ "parcel_id": TEXT, "order_id": TEXT, "carrier": "dhl", "weight_grams": 1,
        "shipped_at": "2026-01-01T00:00:00Z" });
    let mut payloads = Vec::new();
    for (event, valid) in [(OrderPaid::CONTRACT.name, order), (ParcelShipped::CONTRACT.name, parcel)] {
        for value in variants(&valid) {
            payloads.push((event, Payload { encoding: Encoding::Json, bytes: value.to_string().into() }));
        }
    }
    let order = OrderPaid::builder().order_id(TEXT).currency(TEXT).amount_minor(NUMBER).build();
    let bytes = tegami::codec::encode(&order, Encoding::Protobuf).expect("it is valid").bytes;
    for place in 0..bytes.len() {
        let mut mutant = bytes.to_vec();
        mutant[place] ^= 0xa5;
        payloads.push((OrderPaid::CONTRACT.name, Payload { encoding: Encoding::Protobuf, bytes: mutant.into() }));
        payloads
            .push((OrderPaid::CONTRACT.name, Payload { encoding: Encoding::Protobuf, bytes: bytes.slice(..place) }));
    }
    payloads
}

#[tokio::test]
async fn x6_no_payload_is_told_in_a_dead_letter_or_logged_at_any_level() -> Result<(), Error> {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.subscriber(LevelFilter::TRACE));
    let envelopes: [Arc<dyn Envelope>; 4] = [
        Arc::new(JsonBase::default()),
        Arc::new(ProtobufBase::default()),
        Arc::new(CloudEvents::default()),
        Arc::new(Raw::json()),
    ];
    for envelope in envelopes {
        let service = Service::new("billing").envelope(envelope.clone());
        let service = service.on::<OrderPaid>(ignore).on::<ParcelShipped>(ignore);
        let memory = Memory::new();
        let test = TestService::start_on(&memory, service).await?;
        for (n, (event, payload)) in payloads().into_iter().enumerate() {
            let id = MessageId::parse(format!("m-{n}")).expect("a valid id");
            let head = Head::new().id(id.clone()).event(event).service("test");
            let Ok(sealed) = envelope.seal(Message::new(head, payload)) else { continue };
            let topic = event.rsplit_once('.').expect("a full name").0.replace('.', "-");
            memory.publish(Outgoing::new(id, event, topic, sealed)).await?;
        }
        test.settle().await;
        let letters = test.dead_letters();
        assert!(letters.len() > 50, "the payloads are not bad enough: {}", letters.len());
        for letter in letters {
            let told = SECRETS.iter().find(|secret| letter.error().contains(**secret));
            assert_eq!(told, None, "{}", letter.error());
        }
    }
    let log = log.lines();
    assert!(log.len() > 200, "nothing was logged");
    let told = log.iter().find(|line| SECRETS.iter().any(|secret| line.contains(secret)));
    assert_eq!(told, None);
    Ok(())
}
