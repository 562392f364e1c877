//! The same once more: in a version beside the old one, or from the start in the same tables.

use std::time::Duration;

use tegami::{
    Error,
    error::BoxError,
    projection::{self, Checkpoints, Id, Projection, ProjectionErrorKind},
    sqlite::Tx,
    store::Position,
};

use super::{LONG, Shop, Told, all_of, id, rows, sales, write_sale_2};
use crate::contracts::shop::orders::v1::OrderPaid;

fn second() -> Projection<Tx> {
    Projection::new("sales", 2).on::<OrderPaid>(write_sale_2)
}

async fn clear(tx: &mut Tx) -> Result<(), BoxError> {
    tx.run(|sql| sql.execute_batch("DELETE FROM sales")).await?;
    Ok(())
}

/// Events come all the while.
#[tokio::test]
async fn a_new_version_is_built_beside_the_old_one_and_comes_to_the_same() -> Result<(), Error> {
    built_beside(Shop::new().await).await
}

/// The same of events that are in another database.
pub(crate) async fn built_beside(shop: Shop) -> Result<(), Error> {
    shop.append("early", 300).await;
    let blue = sales();
    let of_blue = shop.progress(&blue);
    let blue = shop.run(blue).await;
    of_blue.until_caught_up(LONG).await.expect("it gets there");

    let green = second();
    let of_green = shop.progress(&green);
    assert!(!of_green.is_caught_up().await.expect("it is known"));
    assert_eq!(of_green.position().await.expect("it is known"), Position::START);
    let green = shop.run_with(green, |options| options.batch(7).open_for(Duration::ZERO)).await;
    for round in 0..10 {
        shop.append(&format!("while-{round}"), 5).await;
    }
    of_green.until_caught_up(LONG).await.expect("it gets there");
    of_blue.until_caught_up(LONG).await.expect("it gets there");
    assert_eq!(rows(&shop.db, "sales_2").await, shop.sales().await);
    assert_eq!(shop.sales().await.len(), 350);

    let held = projection::remove(&shop.db, &id(), clear).await.expect_err("it is run");
    assert_eq!(held.kind(), ProjectionErrorKind::Held);
    assert_eq!(shop.sales().await.len(), 350, "nothing is cleared");
    blue.stop().await?;
    assert!(projection::remove(&shop.db, &id(), clear).await.expect("nobody runs it"));
    assert!(!projection::remove(&shop.db, &id(), clear).await.expect("it is gone"));
    assert!(shop.sales().await.is_empty());
    let left = shop.db.checkpoints().await.expect("it is read");
    assert_eq!(left.into_iter().map(|checkpoint| checkpoint.id).collect::<Vec<_>>(), [Id::new("sales", 2)]);
    green.stop().await?;
    Ok(())
}

/// It runs all the while, and notices.
#[tokio::test]
async fn a_projection_that_is_reset_comes_to_the_same_again() -> Result<(), Error> {
    let shop = Shop::new().await;
    let last = shop.append("o-1", 100).await;
    let (running, resets) = (sales(), sales());
    let progress = shop.progress(&running);
    let running = shop.run_with(running, |options| options.batch(9)).await;
    for _ in 0..3 {
        progress.until(last, LONG).await.expect("it gets there");
        assert_eq!(shop.sales().await, all_of("o-1", 100));
        resets.reset(&shop.db, clear).await.expect("it is reset");
    }
    // In the middle of it, too.
    progress.until(Position::new(9), LONG).await.expect("it gets there");
    resets.reset(&shop.db, clear).await.expect("it is reset");
    progress.until(last, LONG).await.expect("it gets there");
    assert_eq!(shop.sales().await, all_of("o-1", 100));
    running.stop().await?;
    Ok(())
}

#[tokio::test]
async fn a_reset_that_fails_has_changed_nothing() -> Result<(), Error> {
    async fn half(tx: &mut Tx) -> Result<(), BoxError> {
        tx.run(|sql| sql.execute_batch("DELETE FROM sales WHERE amount < 3")).await?;
        Err("as it is told".into())
    }
    let shop = Shop::new().await;
    let last = shop.append("o-1", 5).await;
    let projection = sales();
    let progress = shop.progress(&projection);
    let running = shop.run(projection).await;
    progress.until(last, LONG).await.expect("it gets there");
    running.stop().await?;
    for resets in [sales().reset(&shop.db, half).await, projection::remove(&shop.db, &id(), half).await.map(drop)] {
        let error = resets.expect_err("it cannot be cleared");
        assert_eq!(error.kind(), ProjectionErrorKind::Refused);
        assert!(
            format!("{error:?}").contains("sales 1") && format!("{error:?}").contains("as it is told"),
            "{error:?}"
        );
        assert_eq!(shop.sales().await, all_of("o-1", 5));
        assert_eq!(progress.position().await.expect("it is read"), last);
    }
    Ok(())
}

/// What kept it standing is mended, and what it had made is thrown away.
#[tokio::test]
async fn a_projection_that_stands_still_can_be_reset() -> Result<(), Error> {
    let shop = Shop::new().await;
    let last = shop.append("o-1", 5).await;
    let told = Told::default();
    told.fail(true);
    let projection = told.sales();
    let progress = shop.progress(&projection);
    let running = shop.run_with(projection, |options| options.retries(1)).await;
    progress.until(Position::new(2), LONG).await.expect("it gets there");
    told.fail(false);
    sales().reset(&shop.db, clear).await.expect("it is reset");
    progress.until(last, LONG).await.expect("it gets there");
    assert_eq!(shop.sales().await, all_of("o-1", 5));
    running.stop().await?;
    Ok(())
}
