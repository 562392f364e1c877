//! Copies that come while the first is handled, under a paused clock.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tegami::{Context, Error, HandlerError, Service, sqlite::Tx, testing::TestService};
use tokio::sync::Notify;

use super::{write, written};
use crate::{Folder, OrderPaid, paid};

/// The copy comes while the first is handled, which then fails: the copy has the effect.
#[tokio::test]
async fn i3_a_copy_waits_for_the_first_and_handles_it_if_that_fails() -> Result<(), Error> {
    let folder = Folder::new();
    let db = folder.open().await;
    let seen = Arc::new((Notify::new(), AtomicUsize::new(0)));
    let (begun, runs) = &*seen;
    let handler = async |order: OrderPaid, ctx: Context<Arc<(Notify, AtomicUsize)>>, tx: &mut Tx| {
        write(tx, &order.order_id).await?;
        let (begun, runs) = &**ctx.state();
        if runs.fetch_add(1, Ordering::SeqCst) > 0 {
            return Ok(());
        }
        begun.notify_one();
        tokio::time::sleep(Duration::from_secs(3)).await;
        Err(HandlerError::reject("the first fails"))
    };
    let service = Service::new("billing").state(seen.clone()).transactional(&db).on::<OrderPaid>(handler);
    let billing = TestService::start(service).await?;
    let id = billing.publish(&paid("o-1")).await?;
    begun.notified().await;
    billing.outside().publish_with(&paid("o-1"), |options| options.id(id.clone())).await?;
    billing.advance(Duration::from_secs(1)).await;
    assert_eq!((runs.load(Ordering::SeqCst), billing.handled::<OrderPaid>().len()), (1, 0), "neither acked nor run");
    billing.settle().await;
    assert_eq!((runs.load(Ordering::SeqCst), written(&db).await), (2, vec!["o-1".to_owned()]));
    assert_eq!((billing.dead_letters().len(), billing.handled::<OrderPaid>().len()), (1, 1));
    billing.stop().await?;
    Ok(())
}
