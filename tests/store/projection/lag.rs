//! How far a projection is behind, on a paused clock.

use std::time::{Duration, SystemTime};

use tegami::{
    Error, Service,
    projection::Checkpoints,
    store::{Memory, Store},
    testing::TestService,
    time::{Clock, Wall},
};

use super::{LONG, Shop, all_of, id, sales};

#[tokio::test]
async fn lag_is_the_events_that_wait_and_the_age_of_the_first() {
    let wall = Wall::following(Clock::starting_at(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000)));
    let mut shop = Shop::new().await;
    shop.store = shop.store.wall(wall.clone());
    let progress = shop.progress(&sales()).wall(wall.clone());
    let lag = async || {
        let lag = progress.lag().await.expect("it is known");
        (lag.events, lag.oldest.map(|oldest| oldest.as_secs()))
    };
    assert_eq!(lag().await, (0, None));
    shop.append("o-1", 3).await;
    wall.forward(Duration::from_secs(60));
    shop.append("o-2", 400).await;
    assert_eq!(lag().await, (403, Some(60)));
    let running = shop.run(sales()).await;
    progress.until_caught_up(LONG).await.expect("it gets there");
    assert_eq!(lag().await, (0, None));
    running.stop().await.expect("it stops");
}

#[tokio::test]
async fn a_hold_is_kept_while_nothing_comes() -> Result<(), Error> {
    let shop = Shop::of(Store::new(Memory::new())).await;
    let projection = sales();
    let progress = shop.progress(&projection);
    let service = Service::new("shop").projection(&shop.db, &shop.store, projection);
    let service = TestService::start(service).await?;
    let first = shop.append("o-1", 2).await;
    progress.until(first, LONG).await.expect("it gets there");
    let before = shop.db.checkpoint(&id()).await.expect("it is read").expect("it is run");
    service.advance(Duration::from_secs(120)).await;
    let after = shop.db.checkpoint(&id()).await.expect("it is read").expect("it is run");
    assert_eq!((after.position, &after.projector), (before.position, &before.projector));
    assert!(after.held_until >= before.held_until + Duration::from_secs(60), "{before:?} {after:?}");
    let last = shop.append("o-2", 2).await;
    progress.until(last, LONG).await.expect("it gets there");
    assert_eq!(shop.sales().await, [all_of("o-1", 2), all_of("o-2", 2)].concat());
    service.stop().await?;
    Ok(())
}
