//! What the crash matrix finds.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use tegami::{
    Context, Event, HandlerError, Service, TransactionalHandler,
    middleware::{Next, from_fn},
    pipeline::Incoming,
    sqlite::{Database, Tx},
    testing::{CrashMatrix, crash_matrix},
};

use super::{write, written};
use crate::{
    Folder, Subject,
    contracts::shop::{
        billing::v1::ReceiptSent,
        orders::{v1::OrderPaid, v2},
    },
    paid, receipt,
};

/// In how many places a handler is cut off at least. Each piece of work is done on another thread, and each answer from there is
/// a step for tokio, however soon it comes: the connection, the begin, the mark, three pieces of the handler's own, the last
/// look at the budget, the commit; and the last place is behind them. A process has six of its own: it reads its stream, looks
/// for the timeout that came, appends, and sets a timeout in three.
const WAITS: usize = 9;

/// A database, and the folder that it is in.
struct Place(Database, #[allow(dead_code, reason = "it goes with the place")] Folder);

async fn place() -> Place {
    let folder = Folder::new();
    Place(folder.open().await, folder)
}

async fn read(place: &Place) -> Vec<String> {
    written(&place.0).await
}

/// The matrix of a transactional handler.
async fn matrix(handler: impl TransactionalHandler<OrderPaid, (), Tx> + Copy) -> CrashMatrix {
    let fresh = async || {
        let place = place().await;
        let service = Service::new("billing").transactional(&place.0).on::<OrderPaid>(handler).outbox(&place.0);
        (service, place)
    };
    crash_matrix(fresh, &paid("o-1"), read).await
}

/// What the matrix says when it finds something.
async fn found(matrix: impl Future<Output = CrashMatrix>) -> String {
    let panic = AssertUnwindSafe(matrix).catch_unwind().await.expect_err("it finds something");
    *panic.downcast::<String>().expect("a text")
}

async fn publish_beside(order: OrderPaid, ctx: Context, tx: &mut Tx) -> Result<(), HandlerError> {
    write(tx, &order.order_id).await?;
    ctx.publish(&receipt(order.order_id)).await?;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn i1_a_transactional_handler_passes_the_crash_matrix() {
    crate::crashes::i1_a_transactional_handler_passes_the_crash_matrix(super::File::open, WAITS).await;
}

#[tokio::test(start_paused = true)]
async fn i1_a_handler_that_appends_passes_the_crash_matrix() {
    crate::events::i1_a_handler_that_appends_passes_the_crash_matrix(super::File::open, WAITS).await;
}

#[tokio::test(start_paused = true)]
async fn i1_a_process_passes_the_crash_matrix() {
    crate::process::i1_a_process_passes_the_crash_matrix(super::File::open, WAITS + 3).await;
}

#[tokio::test]
async fn a_timeout_comes_through_the_relay_by_the_clock_of_the_service() {
    crate::process::a_timeout_comes_through_the_relay_by_the_clock_of_the_service::<super::File>().await;
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_no_part_of_the_transaction_is_found() {
    let text = found(matrix(publish_beside)).await;
    assert!(text.contains("then delivered again: Left"), "{text}");
    assert!(text.matches(ReceiptSent::CONTRACT.name).count() > 2, "{text}");
}

#[tokio::test(start_paused = true)]
async fn an_effect_that_is_done_again_is_found() {
    let fresh = async || {
        let place = place().await;
        let handler = async |order: OrderPaid, ctx: Context<Database>| {
            let mut tx = ctx.state().begin().await?;
            write(&mut tx, &order.order_id).await?;
            Ok(tx.commit().await?)
        };
        (Service::new("billing").state(place.0.clone()).on::<OrderPaid>(handler), place)
    };
    let text = found(crash_matrix(fresh, &paid("o-1"), read)).await;
    assert!(text.contains("two copies at the same time: Left"), "{text}");
}

/// The mark before the effect, each in a commit of its own.
#[tokio::test(start_paused = true)]
async fn an_effect_that_is_lost_is_found() {
    let fresh = async || {
        let place = place().await;
        let handler = async |order: OrderPaid, ctx: Context<Database>| {
            let marked = written(ctx.state()).await.contains(&"mark".to_owned());
            for row in ["mark", &order.order_id].into_iter().take(if marked { 0 } else { 2 }) {
                let mut tx = ctx.state().begin().await?;
                write(&mut tx, row).await?;
                tx.commit().await?;
            }
            Ok(())
        };
        (Service::new("billing").state(place.0.clone()).on::<OrderPaid>(handler), place)
    };
    let text = found(crash_matrix(fresh, &paid("o-1"), read)).await;
    let lost = text.split("crash at point").any(|left| left.contains("mark") && !left.contains("o-1"));
    assert!(lost, "{text}");
}

#[tokio::test(start_paused = true)]
async fn what_differs_by_itself_is_told_first() {
    let fresh = async || {
        let place = place().await;
        let handler = async |_: OrderPaid, ctx: Context, tx: &mut Tx| Ok(write(tx, ctx.message_id().as_str()).await?);
        (Service::new("billing").transactional(&place.0).on::<OrderPaid>(handler), place)
    };
    let text = found(crash_matrix(fresh, &paid("o-1"), read)).await;
    assert!(text.contains("two undisturbed runs leave different things"), "{text}");
}

async fn write_once(order: OrderPaid, _: Context, tx: &mut Tx) -> Result<(), HandlerError> {
    Ok(write(tx, &order.order_id).await?)
}

/// The matrix of two subscriptions: the first has its effect once, the second is given.
async fn of_two(second: impl TransactionalHandler<OrderPaid, (), Tx> + Copy) -> CrashMatrix {
    let fresh = async || {
        let place = place().await;
        let service =
            Service::new("billing").transactional(&place.0).on_with::<OrderPaid>(write_once, |s| s.group("a"));
        let service = service.transactional(&place.0).on_with::<OrderPaid>(second, |s| s.group("b"));
        (service.outbox(&place.0), place)
    };
    crash_matrix(fresh, &paid("o-1"), read).await
}

#[tokio::test(start_paused = true)]
async fn each_subscription_is_cut_off_wherever_it_waits() {
    let (one, two) = (matrix(write_once).await, of_two(write_once).await);
    assert!(two.points >= 2 * one.points, "{two:?}, {one:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_any_subscription_is_found() {
    let text = found(of_two(publish_beside)).await;
    assert!(text.contains("`billing-b`: crash at point"), "{text}");
    assert!(!text.contains("`billing-a`: "), "{text}");
}

#[tokio::test(start_paused = true)]
async fn an_event_of_an_older_contract_is_cut_off_as_the_newer_one() {
    async fn publish_newer(order: v2::OrderPaid, ctx: Context, tx: &mut Tx) -> Result<(), HandlerError> {
        publish_beside(paid(order.order_id), ctx, tx).await
    }
    let fresh = async || {
        let place = place().await;
        let service = Service::new("billing").upcast::<OrderPaid, v2::OrderPaid>().transactional(&place.0);
        (service.on::<v2::OrderPaid>(publish_newer).outbox(&place.0), place)
    };
    let text = found(crash_matrix(fresh, &paid("o-1"), read)).await;
    assert!(text.contains("crash at point"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn an_event_that_no_handler_gets_is_told_of() {
    let fresh = async || {
        let place = place().await;
        let service = Service::new("billing").transactional(&place.0);
        let wants = OrderPaid::currency().is("USD");
        (service.on_with::<OrderPaid>(publish_beside, |s| s.filter(wants)).outbox(&place.0), place)
    };
    let text = found(crash_matrix(fresh, &paid("o-1"), read)).await;
    assert!(text.contains("no handler gets `shop.orders.v1.OrderPaid`: a filter"), "{text}");
    let fresh = async || {
        let place = place().await;
        let answers = from_fn(|_: Incoming, _: Next<Incoming>| async { Ok(()) });
        let service = Service::new("billing").middleware(answers).transactional(&place.0);
        (service.on::<OrderPaid>(publish_beside).outbox(&place.0), place)
    };
    let text = found(crash_matrix(fresh, &paid("o-1"), read)).await;
    assert!(text.contains("no handler gets `shop.orders.v1.OrderPaid`"), "{text}");
}
