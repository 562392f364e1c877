//! Messages that nobody can handle (X).

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
async fn x1_what_cannot_be_decoded_is_dead_at_once_with_its_bytes() -> Result<(), Error> {
    let memory = Memory::new();
    let test = TestService::start_on(&memory, Service::new("billing").on::<OrderPaid>(ignore)).await?;
    let bodies: Vec<(Bytes, ReasonKind)> = vec![
        (Bytes::new(), ReasonKind::Undecodable),
        ("not json".into(), ReasonKind::Undecodable),
        ("[]".into(), ReasonKind::Undecodable),
        (Bytes::from_static(&[0xff, 0xfe, 0x00]), ReasonKind::Undecodable),
        ("[".repeat(100_000).into(), ReasonKind::Undecodable),
        (enveloped("5").into(), ReasonKind::Undecodable),
        (enveloped(r#"{"amountMinor": "9223372036854775808"}"#).into(), ReasonKind::Undecodable),
        (enveloped(r#"{"orderId": "a", "orderId": "b"}"#).into(), ReasonKind::Undecodable),
        (enveloped(r#"{"currency": "EUR"}"#).into(), ReasonKind::Invalid),
        (enveloped("{}").replace("json-base", "json").into(), ReasonKind::Invalid),
        (vec![b' '; 1024 * 1024].into(), ReasonKind::Undecodable),
    ];
    for (n, (body, _)) in bodies.iter().enumerate() {
        memory.publish(foreign(n, body.clone())).await?;
    }
    test.publish(&order("good")).await?;
    test.settle().await;
    let letters = test.dead_letters();
    assert_eq!(letters.len(), bodies.len());
    for (letter, (body, reason)) in letters.iter().zip(&bodies) {
        assert_eq!((letter.payload(), letter.attempts()), (body, 1));
        assert_eq!(letter.reason(), *reason, "{}", letter.error());
        assert!(letter.error().len() <= 1024 && !letter.error().is_empty());
    }
    assert_eq!(test.handled::<OrderPaid>(), [order("good")]);
    Ok(())
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
async fn x02_a_foreign_message_without_name_or_id_is_handled() -> Result<(), Error> {
    let memory = Memory::new();
    let test = TestService::start_on(&memory, Service::new("billing").on::<OrderPaid>(ignore)).await?;
    let body = enveloped(r#"{"orderId": "o-1"}"#).replace(r#""message_uuid": "m", "#, "");
    memory.publish(foreign(0, body)).await?;
    test.settle().await;
    assert_eq!(test.handled::<OrderPaid>().len(), 1);
    Ok(())
}

#[tokio::test]
async fn x3_ten_thousand_poison_messages_delay_no_good_one() -> Result<(), Error> {
    let memory = Memory::new();
    let test = TestService::start_on(&memory, Service::new("billing").on::<OrderPaid>(ignore)).await?;
    for n in 0..10_000 {
        memory.publish(foreign(n, "poison")).await?;
        if n % 100 == 0 {
            test.publish(&order(&format!("o-{n}"))).await?;
        }
    }
    test.settle().await;
    assert_eq!(test.dead_letters().len(), 10_000);
    assert_eq!(test.handled::<OrderPaid>().len(), 100);
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
async fn x7_a_redriven_dead_letter_is_handled_with_its_own_id() -> Result<(), Error> {
    let memory = Memory::new();
    let test = TestService::start_on(&memory, Service::new("billing").on::<OrderPaid>(ignore)).await?;
    test.fail_next::<OrderPaid>(HandlerError::reject("not today"));
    let id = test.publish(&order("o-1")).await?;
    test.settle().await;
    assert_eq!(test.dead_letters()[0].id(), Some(&id));
    assert_eq!(memory.redrive("billing-shop-orders-v1-OrderPaid").await?, 1);
    test.settle().await;
    assert!(test.dead_letters().is_empty());
    assert_eq!(test.handled::<OrderPaid>(), [order("o-1")]);
    Ok(())
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
