//! Services with transactional handlers, on a paused clock.

use std::time::Duration;

use tegami::{
    Context, Error, Event, HandlerError, Retry, Service,
    sqlite::{Database, Tx},
    testing::TestService,
};
use tracing_subscriber::filter::LevelFilter;

use super::{write, written};
use crate::{Folder, OrderPaid, ReceiptSent, log::Log, paid, receipt};

async fn send_receipt(order: OrderPaid, ctx: Context, tx: &mut Tx) -> Result<(), HandlerError> {
    write(tx, &order.order_id).await?;
    ctx.in_transaction(tx).publish(&receipt(order.order_id)).await?;
    Ok(())
}

fn billing(db: &Database) -> Service {
    Service::new("billing").transactional(db).on::<OrderPaid>(send_receipt).outbox(db)
}

#[tokio::test]
async fn t1_i1_the_effect_of_a_handler_and_what_it_publishes_are_there_once() -> Result<(), Error> {
    let folder = Folder::new();
    let db = folder.open().await;
    let billing = TestService::start(billing(&db)).await?;
    let (order, other) = (paid("o-1"), paid("o-2"));
    let id = billing.publish(&order).await?;
    billing.settle().await;
    billing.outside().publish_with(&order, |options| options.id(id.clone())).await?;
    billing.publish(&other).await?;
    billing.settle().await;
    assert_eq!(written(&db).await, ["o-1", "o-2"]);
    assert_eq!(billing.published::<ReceiptSent>(), [receipt("o-1"), receipt("o-2")]);
    assert!(billing.dead_letters().is_empty());
    billing.stop().await?;
    Ok(())
}

/// The first attempt writes and publishes, and then fails: nothing of it is left for the second.
#[tokio::test]
async fn t1_what_a_failed_attempt_did_is_undone_and_never_published() -> Result<(), Error> {
    let folder = Folder::new();
    let db = folder.open().await;
    let failing = async |order: OrderPaid, ctx: Context, tx: &mut Tx| {
        let attempt = format!("{} {}", order.order_id, ctx.attempt());
        write(tx, &attempt).await?;
        ctx.in_transaction(tx).publish(&receipt(attempt)).await?;
        if ctx.attempt() < 3 { Err(HandlerError::retry("not yet")) } else { Ok(()) }
    };
    let service = Service::new("billing").transactional(&db).on::<OrderPaid>(failing).outbox(&db);
    let billing = TestService::start(service).await?;
    billing.publish(&paid("o-1")).await?;
    billing.settle().await;
    assert_eq!(written(&db).await, ["o-1 3"]);
    assert_eq!(billing.published::<ReceiptSent>(), [receipt("o-1 3")]);
    billing.stop().await?;
    Ok(())
}

#[tokio::test]
async fn r1_h1_a_handler_that_panics_or_takes_too_long_has_no_effect_and_others_go_on() -> Result<(), Error> {
    let folder = Folder::new();
    let db = folder.open().await;
    let bad = async |order: OrderPaid, ctx: Context, tx: &mut Tx| {
        write(tx, &order.order_id).await?;
        ctx.in_transaction(tx).publish(&receipt(&order.order_id)).await?;
        match order.order_id.as_str() {
            "panics" => panic!("as it is told"),
            "hangs" => std::future::pending().await,
            "is rejected" => Err(HandlerError::reject("as it is told")),
            _ => Ok(()),
        }
    };
    let service = Service::new("billing").transactional(&db).on_with::<OrderPaid>(bad, |s| s.retry(Retry::never()));
    let billing = TestService::start(service.outbox(&db)).await?;
    for order in ["panics", "hangs", "is rejected", "is well"] {
        billing.publish(&paid(order)).await?;
    }
    billing.settle().await;
    assert_eq!(written(&db).await, ["is well"]);
    assert_eq!(billing.published::<ReceiptSent>(), [receipt("is well")]);
    assert_eq!(billing.dead_letters().len(), 3);
    billing.stop().await?;
    Ok(())
}

/// What is published inside belongs to the conversation, and goes out with the id that was answered.
#[tokio::test]
async fn t2_a_message_goes_out_with_the_id_that_was_told_and_belongs_to_its_cause() -> Result<(), Error> {
    let folder = Folder::new();
    let db = folder.open().await;
    let (tell, told) = std::sync::mpsc::channel();
    let service = Service::new("billing").state(tell).transactional(&db);
    let service = service.on::<OrderPaid>(async |order: OrderPaid, ctx: Context<_>, tx: &mut Tx| {
        let id = ctx.in_transaction(tx).publish(&receipt(order.order_id)).await?;
        let tell: &std::sync::mpsc::Sender<_> = ctx.state();
        tell.send((id, None)).map_err(|_| HandlerError::reject("nobody listens"))
    });
    let service = service.on::<ReceiptSent>(async |_: ReceiptSent, ctx: Context<std::sync::mpsc::Sender<_>>| {
        let told = (ctx.message_id().clone(), ctx.causation_id().cloned());
        ctx.state().send(told).map_err(|_| HandlerError::reject("nobody listens"))
    });
    let billing = TestService::start(service.outbox(&db)).await?;
    let order = billing.publish(&paid("o-1")).await?;
    billing.settle().await;
    let (put, sent) = (told.recv().expect("it was told"), told.recv().expect("it was told"));
    assert_eq!((put.0, Some(order)), sent);
    assert!(OrderPaid::CONTRACT.name != ReceiptSent::CONTRACT.name);
    billing.stop().await?;
    Ok(())
}

/// I4: a broker keeps messages for up to 14 days, and whoever remembers for less is told so.
#[tokio::test]
async fn i4_ids_that_are_kept_for_less_than_14_days_are_warned_of() -> Result<(), Error> {
    let days = Duration::from_secs(14 * 24 * 60 * 60);
    for (kept, warnings) in [(days, 0), (days - Duration::from_millis(1), 1)] {
        let (folder, log) = (Folder::new(), Log::default());
        let db = folder.open().await;
        let _guard = tracing::subscriber::set_default(log.subscriber(LevelFilter::WARN));
        TestService::start(billing(&db).marks_kept(kept)).await?.stop().await?;
        let told = log.lines();
        assert_eq!(told.len(), warnings, "{told:?}");
        assert!(told.iter().all(|line| line.contains("their ids are kept") && line.contains("1209600s")), "{told:?}");
    }
    Ok(())
}
