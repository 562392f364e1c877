//! A store that was brought back to an earlier state, under checkpoints of a later one.

use std::time::Duration;

use tegami::{
    Error,
    error::BoxError,
    health::State,
    projection::{self, ProjectionErrorKind},
    service::Running,
    sqlite::Tx,
    store::{Criterion, Position},
};

use super::{
    LONG, Shop, all_of, id,
    publishing::{Broker, publish},
    sales,
};
use crate::sqlite::{Folder, store_at};

async fn clear(tx: &mut Tx) -> Result<(), BoxError> {
    tx.run(|sql| sql.execute_batch("DELETE FROM sales")).await?;
    Ok(())
}

/// A shop whose store had five events and is as it was with two; its sales have all five.
async fn restored(folder: &Folder) -> Shop {
    let later = folder.file().with_extension("later");
    let mut shop = Shop::of(store_at(&later).await).await;
    for n in 0..5 {
        shop.append(&format!("lost-{n}"), 1).await;
    }
    let sales = sales();
    let progress = shop.progress(&sales);
    let running = shop.run(sales).await;
    progress.until_caught_up(LONG).await.expect("it gets there");
    running.stop().await.expect("it stops");
    shop.store = store_at(&folder.file()).await;
    shop.append("kept", 2).await;
    shop
}

/// Waits until it stands still, and says so.
async fn stands(running: &Running, was: &str) {
    let reason = async || {
        let health = running.health().await;
        let reasons = health.components.iter().filter(|component| component.status.state() == State::Degraded);
        reasons.filter_map(|component| component.status.reason().map(str::to_owned)).collect::<String>()
    };
    let stands = async {
        while !reason().await.contains("stands still") {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LONG, stands).await.expect("it stands still");
    let reason = reason().await;
    assert!(reason.contains(&format!("had come to {was} ")) && reason.contains("earlier state"), "{reason}");
}

/// Nothing is left out, however far the store has grown since; also by whoever starts later.
#[tokio::test]
async fn e3_a_store_that_was_brought_back_has_its_projection_stand_still_until_it_is_reset() -> Result<(), Error> {
    let folder = Folder::new();
    let shop = restored(&folder).await;
    let before = shop.sales().await;
    for stream in ["more", "even-more"] {
        let sales = sales();
        let progress = shop.progress(&sales);
        let running = shop.run(sales).await;
        stands(&running, "5").await;
        let last = shop.append(stream, 4).await;
        let error = progress.until(last, LONG).await.expect_err("it does not get there");
        assert_eq!(error.kind(), ProjectionErrorKind::Astray, "{error}");
        assert_eq!(shop.sales().await, before, "nothing is handled");
        running.stop().await?;
    }
    let sales = sales();
    let progress = shop.progress(&sales);
    let resets = super::sales();
    let running = shop.run(sales).await;
    stands(&running, "5").await;
    resets.reset(&shop.db, clear).await.expect("it is reset");
    progress.until_caught_up(LONG).await.expect("it gets there");
    let expected = [all_of("kept", 2), all_of("more", 4), all_of("even-more", 4)].concat();
    assert_eq!(shop.sales().await, expected);
    let goes_on = async {
        while running.health().await.state != State::Up {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LONG, goes_on).await.expect("it goes on");
    running.stop().await?;
    Ok(())
}

/// What is in the store was published before; what is recorded from then on was not.
#[tokio::test]
async fn t2_a_store_that_was_brought_back_has_nothing_published_until_its_checkpoint_is_moved() -> Result<(), Error> {
    let folder = Folder::new();
    let mut shop = Shop::of(store_at(&folder.file().with_extension("later")).await).await;
    shop.append("lost", 5).await;
    let broker = Broker::default();
    let (running, progress) = publish(&shop, &broker).await;
    progress.until_caught_up(LONG).await.expect("it gets there");
    let held = projection::move_checkpoint(&shop.db, progress.id(), Position::START).await.expect_err("it is run");
    assert_eq!(held.kind(), ProjectionErrorKind::Held);
    running.stop().await?;

    shop.store = store_at(&folder.file()).await;
    let end = shop.append("kept", 2).await;
    let (running, progress) = publish(&shop, &broker).await;
    stands(&running, "5").await;
    shop.append("new", 9).await;
    projection::move_checkpoint(&shop.db, progress.id(), end).await.expect("nobody has it");
    progress.until_caught_up(LONG).await.expect("it gets there");
    running.stop().await?;
    let firsts = broker.firsts();
    assert_eq!(firsts.iter().map(|(key, ids)| (&**key, ids.len())).collect::<Vec<_>>(), [("lost", 5), ("new", 9)]);
    Ok(())
}

/// A checkpoint at the end of its store is where it should be, also where nothing is recorded that is handled.
#[tokio::test]
async fn a_checkpoint_at_the_end_is_not_astray() -> Result<(), Error> {
    let shop = Shop::new().await;
    for _ in 0..3 {
        let last = shop.append("o-1", 1).await;
        let sales = sales();
        let progress = shop.progress(&sales);
        let running = shop.run(sales).await;
        progress.until(last, LONG).await.expect("it gets there");
        running.stop().await?;
    }
    projection::move_checkpoint(&shop.db, &id(), Position::START).await.expect("nobody has it");
    let query = Criterion::any().into();
    let end = shop.store.inner().read_all(&query, Position::START, 9).await.expect("it is read").next;
    projection::move_checkpoint(&shop.db, &id(), end).await.expect("nobody has it");
    assert_eq!(shop.progress(&sales()).position().await.expect("it is known"), end);
    assert_eq!(shop.sales().await.len(), 3);
    Ok(())
}
