//! A handler with a crash in each of its steps.

use tegami::{
    Context, HandlerError, Service,
    testing::{CrashMatrix, crash_matrix},
};

use crate::{OrderPaid, Subject, paid, receipt};

async fn book<S: Subject>(order: OrderPaid, ctx: Context, tx: &mut S::Tx) -> Result<(), HandlerError> {
    S::write(tx, &order.order_id).await.map_err(HandlerError::retry)?;
    S::write(tx, "and its receipt").await.map_err(HandlerError::retry)?;
    ctx.in_transaction(tx).publish(&receipt(order.order_id)).await?;
    Ok(())
}

async fn matrix<S: Subject>() -> CrashMatrix {
    let fresh = async || {
        let subject = S::open().await;
        (Service::new("billing").transactional(subject.db()).on::<OrderPaid>(book::<S>).outbox(subject.db()), subject)
    };
    crash_matrix(fresh, &paid("o-1"), async |subject: &S| subject.written().await).await
}

pub(crate) async fn i1_a_transactional_handler_passes_the_crash_matrix<S: Subject>() {
    // A transaction, its mark, two rows, a message, a commit: each is waited for.
    let tried = matrix::<S>().await;
    assert!(tried.points >= 7, "{tried:?}");
}
