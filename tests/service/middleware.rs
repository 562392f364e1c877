//! Steps around handlers and publishes.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tegami::{
    Context, Error, HandlerError, Retry, Service,
    middleware::{Next, from_fn, from_layer},
    pipeline::Incoming,
    testing::{ReasonKind, TestService},
    transport::Outgoing,
};

use crate::{
    contracts::shop::{billing::v1::ReceiptSent, orders::v1::OrderPaid},
    order,
};

async fn send_receipt(order: OrderPaid, ctx: Context) -> Result<(), HandlerError> {
    ctx.publish(&ReceiptSent::builder().order_id(order.order_id).build()).await?;
    Ok(())
}

#[tokio::test]
async fn first_added_is_outermost_and_sees_the_answer() -> Result<(), Error> {
    let log = Arc::new(Mutex::new(Vec::new()));
    let step = |name: &'static str| {
        let log = log.clone();
        from_fn(move |work: Incoming, next: Next<Incoming>| {
            let log = log.clone();
            async move {
                log.lock().expect("one thread").push(format!("{name} {}", work.event()));
                let answer = next.run(work).await;
                log.lock().expect("one thread").push(format!("{name} {}", answer.is_ok()));
                answer
            }
        })
    };
    let service =
        Service::new("billing").middleware(step("outer")).middleware(step("inner")).on::<OrderPaid>(send_receipt);
    let test = TestService::start(service).await?;
    test.publish(&order("o-1")).await?;
    test.settle().await;
    let event = "shop.orders.v1.OrderPaid";
    let expected = [format!("outer {event}"), format!("inner {event}"), "inner true".into(), "outer true".into()];
    assert_eq!(*log.lock().expect("one thread"), expected);
    Ok(())
}

#[tokio::test]
async fn a_step_may_answer_by_itself() -> Result<(), Error> {
    let gate = from_fn(|_: Incoming, _: Next<Incoming>| async { Err(HandlerError::reject("closed for the season")) });
    let test = TestService::start(Service::new("billing").middleware(gate).on::<OrderPaid>(send_receipt)).await?;
    test.publish(&order("o-1")).await?;
    test.settle().await;
    assert_eq!(test.dead_letters()[0].error(), "closed for the season");
    assert!(test.published::<ReceiptSent>().is_empty());
    Ok(())
}

#[tokio::test]
async fn an_error_that_a_step_keeps_to_itself_is_settled_as_done() -> Result<(), Error> {
    let lenient = from_fn(|incoming: Incoming, next: Next<Incoming>| async move {
        let _ = next.run(incoming).await;
        Ok(())
    });
    let rejects = async |_: OrderPaid, _: Context| Err(HandlerError::reject("no such order"));
    let test = TestService::start(Service::new("billing").middleware(lenient).on::<OrderPaid>(rejects)).await?;
    test.publish(&order("o-1")).await?;
    test.settle().await;
    assert!(test.handled::<OrderPaid>().is_empty(), "its handler has not completed it");
    assert!(test.dead_letters().is_empty());
    Ok(())
}

#[tokio::test]
async fn what_no_handler_got_was_not_handled() -> Result<(), Error> {
    let skips = from_fn(|_: Incoming, _: Next<Incoming>| async { Ok(()) });
    let test = TestService::start(Service::new("billing").middleware(skips).on::<OrderPaid>(send_receipt)).await?;
    test.publish(&order("o-1")).await?;
    test.settle().await;
    assert!(test.handled::<OrderPaid>().is_empty() && test.dead_letters().is_empty());
    Ok(())
}

#[tokio::test]
async fn what_was_handled_is_what_the_steps_made_of_it() -> Result<(), Error> {
    let opens = from_fn(|mut incoming: Incoming, next: Next<Incoming>| {
        let text = String::from_utf8(incoming.payload.bytes.to_vec()).expect("it is JSON").replace("sealed", "open");
        incoming.payload.bytes = text.into();
        next.run(incoming)
    });
    let service = Service::new("billing").middleware(opens);
    let test = TestService::start(service.on::<OrderPaid>(send_receipt)).await?;
    test.publish(&order("sealed")).await?;
    test.settle().await;
    assert_eq!(test.handled::<OrderPaid>(), [order("open")]);
    assert_eq!(test.published::<ReceiptSent>(), [ReceiptSent::builder().order_id("open").build()]);
    Ok(())
}

#[tokio::test]
async fn a_publish_step_can_add_to_what_goes_out() -> Result<(), Error> {
    let seen = Arc::new(Mutex::new(None));
    let keep = seen.clone();
    let stamp = from_fn(|mut out: Outgoing, next: Next<Outgoing>| {
        out.sealed.attributes.set("tenant", "blue");
        next.run(out)
    });
    let note = move |_: ReceiptSent, ctx: Context| {
        *keep.lock().expect("one thread") = ctx.attributes().text("tenant").map(str::to_owned);
        async { Ok(()) }
    };
    let service =
        Service::new("billing").publish_middleware(stamp).on::<OrderPaid>(send_receipt).on::<ReceiptSent>(note);
    let test = TestService::start(service).await?;
    test.publish(&order("o-1")).await?;
    test.settle().await;
    assert_eq!(seen.lock().expect("one thread").as_deref(), Some("blue"));
    Ok(())
}

#[tokio::test]
async fn a_tower_layer_is_a_step() -> Result<(), Error> {
    async fn slow(_: OrderPaid, _: Context) -> Result<(), HandlerError> {
        tokio::time::sleep(Duration::from_secs(5)).await;
        Ok(())
    }
    let service = Service::new("billing")
        .middleware(from_layer(tower::timeout::TimeoutLayer::new(Duration::from_secs(1))))
        .on_with::<OrderPaid>(slow, |s| s.retry(Retry::never()));
    let test = TestService::start(service).await?;
    test.publish(&order("o-1")).await?;
    test.settle().await;
    let letters = test.dead_letters();
    assert_eq!(letters[0].reason(), ReasonKind::HandlerError);
    assert!(letters[0].error().contains("timed out"), "{}", letters[0].error());
    Ok(())
}

#[tokio::test]
async fn a_handlers_own_error_passes_through_a_tower_layer() -> Result<(), Error> {
    async fn rejects(_: OrderPaid, _: Context) -> Result<(), HandlerError> {
        Err(HandlerError::reject("no such customer"))
    }
    let layer = tower::limit::ConcurrencyLimitLayer::new(1);
    let test =
        TestService::start(Service::new("billing").middleware(from_layer(layer)).on::<OrderPaid>(rejects)).await?;
    test.publish(&order("o-1")).await?;
    test.settle().await;
    assert_eq!(test.dead_letters()[0].reason(), ReasonKind::Permanent);
    Ok(())
}
