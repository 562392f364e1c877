//! Copies that come while the first is handled.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tegami::{Context, HandlerError, Retry, Service, envelope::MessageId, postgres::Tx, transport::Memory};
use tokio::sync::Notify;

use super::{Postgres, until};
use crate::{OrderPaid, Subject, paid};

/// The first attempt, held until it is told to fail; and how many ran.
#[derive(Default)]
struct First {
    begun: Notify,
    fails: Notify,
    runs: AtomicUsize,
}

/// The copy comes while the first is handled, which then fails: the copy has the effect.
#[tokio::test]
async fn i3_a_copy_waits_for_the_first_and_handles_it_if_that_fails() {
    let all = Postgres::open().await;
    let (first, memory) = (Arc::new(First::default()), Memory::new());
    let handler = async |order: OrderPaid, ctx: Context<Arc<First>>, tx: &mut Tx| {
        Postgres::write(tx, &order.order_id).await.map_err(HandlerError::retry)?;
        if ctx.state().runs.fetch_add(1, Ordering::SeqCst) > 0 {
            return Ok(());
        }
        ctx.state().begun.notify_one();
        ctx.state().fails.notified().await;
        Err(HandlerError::reject("the first fails"))
    };
    let service = Service::new("billing").transport(memory.clone()).state(first.clone());
    let soon = Retry::after([Duration::from_millis(5); 10]);
    let service = service.transactional(&all.db).on_with::<OrderPaid>(handler, |s| s.retry(soon));
    let billing = service.start().await.expect("it starts");
    for _ in 0..2 {
        let id = MessageId::parse("m-1").expect("a good id");
        billing.publisher().publish_with(&paid("o-1"), |options| options.id(id)).await.expect("it is published");
    }
    first.begun.notified().await;
    all.somebody_waits().await;
    assert_eq!((first.runs.load(Ordering::SeqCst), all.marks().await), (1, 0), "neither acked nor run");
    first.fails.notify_one();
    until(async || !all.written().await.is_empty()).await;
    memory.quiet().await;
    assert_eq!((first.runs.load(Ordering::SeqCst), all.written().await), (2, vec!["o-1".to_owned()]));
    assert_eq!(memory.all_dead_letters().len(), 1);
    billing.stop().await.expect("it stops");
}
