//! A handler with a crash in each of its steps.

use std::borrow::Borrow;

use tegami::{Context, HandlerError, Service, testing::crash_matrix};

use crate::{OrderPaid, Subject, paid, receipt};

async fn book<S: Subject>(order: OrderPaid, ctx: Context, tx: &mut S::Tx) -> Result<(), HandlerError> {
    S::write(tx, &order.order_id).await.map_err(HandlerError::retry)?;
    S::write(tx, "and its receipt").await.map_err(HandlerError::retry)?;
    ctx.in_transaction(tx).publish(&receipt(order.order_id)).await?;
    Ok(())
}

/// `open` gives a database that is empty.
pub(crate) async fn i1_a_transactional_handler_passes_the_crash_matrix<S: Subject, D: Borrow<S>>(
    open: impl AsyncFn() -> D,
) {
    let fresh = async || {
        let subject = open().await;
        let db = subject.borrow().db();
        (Service::new("billing").transactional(db).on::<OrderPaid>(book::<S>).outbox(db), subject)
    };
    let tried = crash_matrix(fresh, &paid("o-1"), async |subject: &D| subject.borrow().written().await).await;
    // A transaction, its mark, two rows, a message, a commit: each is waited for.
    assert!(tried.points >= 7, "{tried:?}");
}
