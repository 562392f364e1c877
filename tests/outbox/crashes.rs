//! A handler with a crash in each of its steps.

use std::{borrow::Borrow, time::Duration};

use tegami::{Context, HandlerError, Retry, Service, testing::crash_matrix};

use crate::{OrderPaid, Subject, paid, receipt};

async fn book<S: Subject>(order: OrderPaid, ctx: Context, tx: &mut S::Tx) -> Result<(), HandlerError> {
    S::write(tx, &order.order_id).await.map_err(HandlerError::retry)?;
    S::write(tx, "and its receipt").await.map_err(HandlerError::retry)?;
    ctx.in_transaction(tx).publish(&receipt(order.order_id)).await?;
    Ok(())
}

/// `open` gives a database that is empty; the handler can be cut off in so many places at least.
pub(crate) async fn i1_a_transactional_handler_passes_the_crash_matrix<S: Subject, D: Borrow<S>>(
    open: impl AsyncFn() -> D,
    least: usize,
) {
    let fresh = async || {
        let subject = open().await;
        let db = subject.borrow().db();
        let soon = Retry::after([Duration::from_millis(10); 8]);
        let service = Service::new("billing").transactional(db).on_with::<OrderPaid>(book::<S>, |s| s.retry(soon));
        (service.outbox(db), subject)
    };
    let tried = crash_matrix(fresh, &paid("o-1"), async |subject: &D| subject.borrow().written().await).await;
    assert!(tried.points >= least, "{tried:?}, at least {least}");
}
