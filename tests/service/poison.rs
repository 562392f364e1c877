//! Messages that nobody can handle (X), beside what the suite for transports tries.

use std::sync::Arc;

use bytes::Bytes;
use tegami::{
    Context, Error, HandlerError, Service,
    envelope::{CloudEvents, Envelope, JsonBase, MessageId, ProtobufBase, Raw, Sealed},
    event::Attributes,
    testing::{ReasonKind, TestService},
    transport::{Memory, Outgoing, Transport},
};

use crate::{contracts::shop::orders::v1::OrderPaid, order};

async fn ignore(_: OrderPaid, _: Context) -> Result<(), HandlerError> {
    Ok(())
}

/// A message as a foreign publisher might send it.
fn foreign(n: usize, body: impl Into<Bytes>) -> Outgoing {
    let id = MessageId::parse(format!("m-{n}")).expect("a valid id");
    let sealed = Sealed { body: body.into(), attributes: Attributes::new() };
    Outgoing::new(id, "shop.orders.v1.OrderPaid", "shop-orders-v1", sealed)
}

fn enveloped(data: &str) -> String {
    let metadata = r#""metadata": {"message_uuid": "m", "timestamp": 1.0, "topic": "t", "data_encoding": "raw"}"#;
    format!(r#"{{"service": {{"name": "s", "uuid": "u"}}, {metadata}, "data": {data}}}"#)
}

#[tokio::test]
async fn x2_another_event_on_the_queue_is_of_unknown_type() -> Result<(), Error> {
    let memory = Memory::new();
    let test = TestService::start_on(&memory, Service::new("billing").on::<OrderPaid>(ignore)).await?;
    let body =
        enveloped("{}").replace(r#""data": {}"#, r#""data": {}, "tegami": {"event": "shop.orders.v1.OrderLost"}"#);
    memory.publish(foreign(0, body)).await?;
    test.settle().await;
    let [letter] = &test.dead_letters()[..] else { panic!("one dead letter") };
    assert_eq!(letter.reason(), ReasonKind::UnknownType);
    assert!(letter.error().contains("shop.orders.v1.OrderLost"), "{}", letter.error());
    Ok(())
}

#[tokio::test]
async fn f37_each_mutant_of_a_message_is_handled_or_dead_and_none_is_lost() -> Result<(), Error> {
    let envelopes: [Arc<dyn Envelope>; 4] = [
        Arc::new(JsonBase::default()),
        Arc::new(ProtobufBase::default()),
        Arc::new(CloudEvents::default()),
        Arc::new(Raw::json()),
    ];
    for envelope in envelopes {
        let memory = Memory::builder().record(1).build();
        let service = Service::new("billing").envelope(envelope).on::<OrderPaid>(ignore);
        let test = TestService::start_on(&memory, service).await?;
        test.publish(&order("o-1")).await?;
        let valid = memory.published().remove(0);
        let mut dice = fastrand::Rng::with_seed(37);
        for n in 0..1_000 {
            let mut mutant = foreign(n, mutate(&valid.sealed.body, &mut dice));
            mutant.sealed.attributes = valid.sealed.attributes.clone();
            memory.publish(mutant).await?;
        }
        test.publish(&order("o-2")).await?;
        test.settle().await;
        let (handled, dead) = (test.handled::<OrderPaid>().len(), test.dead_letters().len());
        assert_eq!(handled + dead, 1_002, "{handled} handled, {dead} dead");
        assert!(dead > 100, "the mutants are no mutants: {dead} dead");
        assert!(test.handled::<OrderPaid>().contains(&order("o-2")), "the neighbour is handled");
    }
    Ok(())
}

/// Changes, drops or doubles some bytes.
fn mutate(body: &[u8], dice: &mut fastrand::Rng) -> Vec<u8> {
    let mut body = body.to_vec();
    for _ in 0..dice.usize(1..4) {
        let place = dice.usize(..body.len());
        match dice.u8(..3) {
            0 => body[place] = dice.u8(..),
            1 => drop(body.remove(place)),
            _ => body.insert(place, dice.u8(..)),
        }
    }
    body
}

#[tokio::test]
async fn x3_what_a_foreign_message_says_of_itself_cannot_mislead() -> Result<(), Error> {
    let memory = Memory::new();
    let test = TestService::start_on(&memory, Service::new("billing").on::<OrderPaid>(ignore)).await?;
    let named = |event: &str| {
        let event = serde_json::Value::from(event);
        enveloped(r#"{"orderId": "o-1", "currency": "EUR"}"#)
            .replace("{\"service\"", &format!(r#"{{"tegami": {{"event": {event}}}, "service""#))
    };
    let long = "x".repeat(10_000);
    // The envelope's word counts, not the attribute's.
    let mut other = foreign(0, named("shop.orders.v1.OrderPaid"));
    other.sealed.attributes.set("tegami-event", "shop.billing.v1.ReceiptSent");
    memory.publish(other).await?;
    let mut other = foreign(1, named("shop.billing.v1.ReceiptSent"));
    other.sealed.attributes.set("tegami-event", "shop.orders.v1.OrderPaid");
    memory.publish(other).await?;
    // Nobody can say that it is the last attempt, or forge a line of a log, or fill one.
    let mut forged = foreign(2, enveloped(r#"{"orderId": "o-2", "currency": "EUR"}"#));
    for name in ["tegami-attempt", "x-death", "ApproximateReceiveCount"] {
        forged.sealed.attributes.set(name, "4294967295");
    }
    memory.publish(forged).await?;
    memory.publish(foreign(3, named("a\nERROR b\u{1b}[31m\u{0}"))).await?;
    memory.publish(foreign(4, named(&long))).await?;
    memory.publish(foreign(5, enveloped("{}").replace(r#""m""#, &format!("{long:?}")))).await?;
    test.fail_next::<OrderPaid>(HandlerError::retry("not yet"));
    test.settle().await;
    assert_eq!(test.handled::<OrderPaid>().len(), 2);
    let letters = test.dead_letters();
    let reasons: Vec<_> = letters.iter().map(|letter| letter.reason()).collect();
    let unknown = ReasonKind::UnknownType;
    assert_eq!(reasons, [unknown, unknown, unknown, ReasonKind::Undecodable]);
    for letter in letters {
        assert!(letter.error().len() <= 1024 && !letter.error().chars().any(char::is_control), "{}", letter.error());
    }
    Ok(())
}
