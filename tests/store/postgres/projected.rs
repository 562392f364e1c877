//! A projection of events in PostgreSQL, whose transactions end in another order than they began; the sales are in a file.

use sqlx::{Connection, PgConnection};
use tegami::Error;
use tegami_test_servers::Postgres as Server;

use super::{
    beside, execute,
    order::{append_late, old_transaction},
    store_in,
};
use crate::projection::{LONG, Shop, all_of, rebuilding, sales};

/// E-03: whatever is committed late is handled, once and in its order, over a stop and a start.
#[tokio::test]
async fn e3_f48_what_is_committed_late_is_handled_in_its_order_and_once() -> Result<(), Error> {
    let server = Server::take().await;
    let shop = Shop::of(store_in(&server).await).await;
    let projection = sales();
    let progress = shop.progress(&projection);
    let running = shop.run_with(projection, |options| options.batch(2)).await;
    let first = shop.append("first", 1).await;
    progress.until(first, LONG).await.expect("it gets there");
    let mut expected = all_of("first", 1);

    let mut older: [PgConnection; 2] = [beside(&server).await, beside(&server).await];
    for connection in &mut older {
        old_transaction(connection).await;
    }
    let last = shop.append("during", 3).await;
    assert!(!progress.has_reached(last).await.expect("it is known"), "others may come before it");
    assert_eq!(shop.sales().await, expected);
    running.stop().await?;

    let projection = sales();
    let progress = shop.progress(&projection);
    let running = shop.run_with(projection, |options| options.batch(2)).await;
    let [one, other] = &mut older;
    append_late(one, "late").await;
    execute(one, "COMMIT").await;
    execute(other, "ROLLBACK").await;
    progress.until(last, LONG).await.expect("it gets there");
    expected.extend([all_of("late", 1), all_of("during", 3)].concat());
    assert_eq!(shop.sales().await, expected, "in the order of their transactions");
    assert_eq!(progress.lag().await.expect("it is known").events, 0);
    running.stop().await?;
    for connection in older {
        connection.close().await.expect("it is closed");
    }
    Ok(())
}

#[tokio::test]
async fn a_new_version_is_built_beside_the_old_one_and_comes_to_the_same() -> Result<(), Error> {
    let server = Server::take().await;
    rebuilding::built_beside(Shop::of(store_in(&server).await).await).await
}
