//! What a publish says is published, is read (P7).

use std::{
    borrow::Cow,
    sync::{Arc, Mutex},
};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tegami::{
    Context, Contract, Error, Event, Service,
    codec::json,
    error::BoxError,
    event::{Attributes, Encoding, Format, Invalid},
    testing::TestService,
    transport::PublishErrorKind,
};

/// Any JSON at all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
struct Anything(Value);

impl Event for Anything {
    const CONTRACT: &'static Contract = &Contract {
        name: "any.v1.Anything",
        version: 1,
        topic: "any-v1",
        shares_topic: false,
        routing_key: "any.v1.Anything",
        key: None,
        attributes: &[],
        fields: &[],
        ordered: false,
        fingerprint: "",
        source: "tests/service/readable.rs",
    };

    type Format = AnyJson;

    fn key(&self) -> Option<Cow<'_, str>> {
        None
    }

    fn attributes(&self) -> Attributes {
        Attributes::new()
    }

    fn validate(&self) -> Result<(), Invalid> {
        Ok(())
    }

    fn schema() -> schemars::Schema {
        schemars::Schema::default()
    }
}

struct AnyJson;

impl Format<Anything> for AnyJson {
    const ENCODINGS: &'static [Encoding] = &[Encoding::Json];

    fn encode(event: &Anything, _: Encoding) -> Result<Vec<u8>, BoxError> {
        Ok(json::to_vec(event)?)
    }

    fn decode(payload: &[u8], _: Encoding) -> Result<Anything, BoxError> {
        Ok(json::from_slice(payload)?)
    }
}

/// Publishes the one, which is handled, and the other, which is refused as that and goes nowhere.
async fn assert_limit([at, beyond]: [Value; 2], kind: PublishErrorKind) -> Result<(), Error> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = seen.clone();
    let note = move |event: Anything, _: Context| {
        kept.lock().expect("one thread").push(event.0);
        std::future::ready(Ok(()))
    };
    let test = TestService::start(Service::new("reader").on::<Anything>(note)).await?;
    test.publish(&Anything(at.clone())).await?;
    let error = test.outside().publish(&Anything(beyond)).await.expect_err("it is beyond the limit");
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains("any.v1.Anything"), "{error}");
    test.settle().await;
    assert!(test.dead_letters().is_empty());
    assert!(*seen.lock().expect("one thread") == [at], "as it was published, and nothing else");
    Ok(())
}

#[tokio::test]
async fn p7_what_is_larger_than_readers_take_is_not_published_however_small_it_travels() -> Result<(), Error> {
    let limit = 8 * 1024 * 1024;
    let sized = [limit, limit + 1].map(|length| Value::from("x".repeat(length - 2)));
    assert_limit(sized, PublishErrorKind::TooLarge).await
}

#[tokio::test]
async fn p7_what_is_nested_deeper_than_readers_go_is_not_published() -> Result<(), Error> {
    let nested = |text: &str, depth: usize| (1..depth).fold(json!([text]), |inside, _| json!([inside]));
    assert_limit([126, 127].map(|depth| nested("", depth)), PublishErrorKind::Invalid).await?;
    let long = "x".repeat(60_000);
    assert_limit([127, 128].map(|depth| nested(&long, depth)), PublishErrorKind::Invalid).await
}
