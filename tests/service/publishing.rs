//! What `publish` answers (P).

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tegami::{
    Context, Error, HandlerError, Service,
    event::Value,
    testing::TestService,
    transport::{Memory, PublishErrorKind},
};

use crate::{
    contracts::shop::{billing::v1::ReceiptSent, orders::v1::OrderPaid},
    order,
};

async fn ignore(_: OrderPaid, _: Context) -> Result<(), HandlerError> {
    Ok(())
}

fn billing() -> Service {
    Service::new("billing").transport(Memory::new()).on::<OrderPaid>(ignore)
}

#[tokio::test]
async fn p4_nobody_listening_is_an_error_for_exactly_that_event() -> Result<(), Error> {
    let running = billing().start().await?;
    let receipt = ReceiptSent::builder().order_id("o-1").build();
    let error = running.publisher().publish(&receipt).await.expect_err("nobody listens");
    assert_eq!(error.kind(), PublishErrorKind::Unroutable);
    running.publisher().publish(&order("o-1")).await?;
    running.publisher().publish_with(&receipt, |p| p.allow_unroutable()).await?;
    running.stop().await?;

    let running = billing().allow_unroutable::<ReceiptSent>().start().await?;
    running.publisher().publish(&receipt).await?;
    running.stop().await?;
    Ok(())
}

/// Two queues for one event; they note what they handle.
fn two_queues() -> (Service, Arc<Mutex<Vec<String>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = seen.clone();
    let note = move |_: OrderPaid, ctx: Context| {
        kept.lock().expect("one thread").push(ctx.queue().to_owned());
        std::future::ready(Ok(()))
    };
    let service = Service::new("billing").on_with::<OrderPaid>(note.clone(), |s| s.queue("cards"));
    (service.on_with::<OrderPaid>(note, |s| s.queue("dollars").filter(OrderPaid::currency().is("USD"))), seen)
}

#[tokio::test]
async fn p4_an_event_goes_straight_into_the_queue_that_is_named_or_is_an_error() -> Result<(), Error> {
    let (service, seen) = two_queues();
    let test = TestService::start(service).await?;
    let dollars = OrderPaid { currency: "USD".to_owned(), ..order("o-1") };
    test.outside().publish_with(&dollars, |p| p.queue("dollars")).await?;
    let error = test.outside().publish_with(&dollars, |p| p.queue("cheques")).await.expect_err("it is not there");
    assert_eq!(error.kind(), PublishErrorKind::Unroutable);
    test.outside().publish_with(&order("o-2"), |p| p.queue("dollars")).await?;
    test.settle().await;
    assert_eq!(*seen.lock().expect("one thread"), ["dollars"], "one of two, for the handler's filter holds");
    assert!(test.dead_letters().is_empty());
    Ok(())
}

#[tokio::test]
async fn a_queue_is_named_without_the_prefix() -> Result<(), Error> {
    let running = two_queues().0.transport(Memory::new()).prefix("staging-").start().await?;
    running.publisher().publish_with(&order("o-1"), |p| p.queue("cards")).await?;
    let error = running.publisher().publish_with(&order("o-1"), |p| p.queue("staging-cards")).await;
    assert_eq!(error.map_err(|error| error.kind()), Err(PublishErrorKind::Unroutable));
    running.stop().await?;
    Ok(())
}

#[tokio::test]
async fn an_event_that_breaks_its_contract_is_not_published() -> Result<(), Error> {
    let running = billing().start().await?;
    let error = running.publisher().publish(&OrderPaid::default()).await.expect_err("the key is empty");
    assert_eq!(error.kind(), PublishErrorKind::Invalid);
    assert!(format!("{error:?}").contains("order_id"), "{error:?}");
    running.stop().await?;
    Ok(())
}

#[tokio::test]
async fn p10_publish_all_answers_for_each_event_in_order() -> Result<(), Error> {
    let running = billing().start().await?;
    let events = [order("o-1"), OrderPaid::default(), order("o-2")];
    let answers = running.publisher().publish_all(&events).await;
    assert!(matches!(&answers[..], [Ok(_), Err(_), Ok(_)]), "{answers:?}");
    running.stop().await?;
    Ok(())
}

#[tokio::test]
async fn a_publisher_taken_before_the_start_waits_for_it() -> Result<(), Error> {
    let service = billing();
    let publisher = service.publisher();
    let (sent, running) = tokio::join!(async { publisher.publish(&order("o-1")).await }, service.start());
    sent?;
    running?.stop().await?;
    let error = publisher.publish(&order("o-2")).await.expect_err("the service has stopped");
    assert_eq!(error.kind(), PublishErrorKind::Closed);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn p3_a_publish_to_a_service_that_never_starts_ends_at_its_deadline() {
    let service = billing();
    let began = tokio::time::Instant::now();
    let error = service.publisher().publish(&order("o-1")).await.expect_err("nobody starts it");
    assert_eq!(error.kind(), PublishErrorKind::Closed);
    assert_eq!(began.elapsed().as_secs(), 10);
    drop(service);
}

#[tokio::test]
async fn a_reserved_attribute_is_refused_by_name() -> Result<(), Error> {
    let running = billing().start().await?;
    let publisher = running.publisher();
    let refused = publisher.publish_with(&order("o-1"), |p| p.attribute("tegami-event", "Other")).await;
    assert!(refused.expect_err("reserved").to_string().contains("tegami-event"));
    let refused = publisher.publish_with(&order("o-1"), |p| p.attribute("currency", "USD")).await;
    assert!(refused.expect_err("declared").to_string().contains("currency"));
    publisher.publish_with(&order("o-1"), |p| p.attribute("tenant", "blue")).await?;
    running.stop().await?;
    Ok(())
}

#[tokio::test]
async fn p6_a_message_sent_again_keeps_its_id() -> Result<(), Error> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = seen.clone();
    let note = move |_: OrderPaid, ctx: Context| {
        kept.lock().expect("one thread").push(ctx.message_id().clone());
        std::future::ready(Ok(()))
    };
    let test = TestService::start(Service::new("billing").on::<OrderPaid>(note)).await?;
    let id = test.publish(&order("o-1")).await?;
    let again = test.outside().publish_with(&order("o-1"), |p| p.id(id.clone())).await?;
    test.settle().await;
    assert_eq!(*seen.lock().expect("one thread"), [id.clone(), id.clone()]);
    assert_eq!(again, id);
    Ok(())
}

#[tokio::test]
async fn an_attribute_that_no_broker_takes_is_refused() -> Result<(), Error> {
    let running = billing().start().await?;
    let paid = order("o-1");
    let set = |name: &str, value: Value| {
        let name = name.to_owned();
        running.publisher().publish_with(&paid, move |p| p.attribute(name, value))
    };
    let long = "n".repeat(128);
    for (name, value) in [(long.as_str(), "v".into()), ("a.b_c-1", Value::Float(0.5))] {
        set(name, value).await?;
    }
    let (control, longer) = ("v\u{0}", "n".repeat(129));
    let bad: [(&str, Value); 6] = [
        ("", "v".into()),
        ("a b", "v".into()),
        (&longer, "v".into()),
        ("a", "".into()),
        ("a", control.into()),
        ("a", Value::Float(f64::NAN)),
    ];
    for (name, value) in bad {
        let error = set(name, value.clone()).await.expect_err("refused");
        assert_eq!(error.kind(), PublishErrorKind::Invalid, "{name:?} {value:?}");
    }
    running.stop().await?;
    Ok(())
}

#[tokio::test]
async fn a_delayed_event_is_not_seen_before_its_time() -> Result<(), Error> {
    let test = TestService::start(Service::new("billing").on::<OrderPaid>(ignore)).await?;
    test.outside().publish_with(&order("o-1"), |p| p.delay(Duration::from_secs(60))).await?;
    test.advance(Duration::from_secs(59)).await;
    assert!(test.handled::<OrderPaid>().is_empty());
    test.settle().await;
    assert_eq!(test.handled::<OrderPaid>().len(), 1);
    Ok(())
}
