//! A broker that goes, closes what is open, or takes no publishes.

use std::time::Duration;

use tegami::testing::transport::Case;
use tegami_test_servers::Release;
use tokio::time::sleep;

use super::{Place, load, tried};

/// How long until it is tried again.
const PAUSE: Duration = Duration::from_secs(2);
/// How soon everyone is connected again.
const BACK: Duration = Duration::from_secs(40);

static RESTARTED: Case = Case::new("F-02", "f_02_clean_restarts", |trial| Box::pin(load(trial)));
static CLOSED: Case = Case::new("F-04", "f_04_connections_closed", |trial| Box::pin(load(trial)));
static BLOCKED: Case = Case::new("F-07", "f_07_blocked_under_load", |trial| Box::pin(load(trial)));

/// Three times, the broker ends in good order and is started again.
async fn restart(place: &Place) {
    for _ in 0..3 {
        let before = place.proxy.counts().connections;
        place.rabbit.stop().await;
        place.rabbit.start().await;
        place.counted(BACK, "a connection to the broker that is back", |counts| counts.connections > before).await;
    }
}

/// Every two seconds, all connections are closed.
async fn close(place: &Place) {
    for _ in 0..4 {
        let before = place.proxy.counts().connections;
        place.rabbit.close_connections().await;
        place.counted(BACK, "both connections again", |counts| counts.connections >= before + 2).await;
        sleep(PAUSE).await;
    }
}

/// The broker's memory seems full for a while, and nothing of a publish passes.
async fn block(place: &Place) {
    let before = place.proxy.counts().connections;
    place.rabbit.block().await;
    sleep(2 * PAUSE).await;
    place.rabbit.unblock().await;
    assert_eq!(place.proxy.counts().connections, before, "nobody gives up on a broker that blocks");
}

#[test]
fn f02_clean_restarts_lose_nothing_on_4() {
    tried(&RESTARTED, Release::V4, |place| Box::pin(restart(place)));
}

#[test]
fn f04_connections_closed_again_and_again_lose_nothing_on_3() {
    tried(&CLOSED, Release::V3, |place| Box::pin(close(place)));
}

#[test]
fn f04_connections_closed_again_and_again_lose_nothing_on_4() {
    tried(&CLOSED, Release::V4, |place| Box::pin(close(place)));
}

#[test]
fn f07_a_broker_that_blocks_under_load_loses_nothing_on_4() {
    tried(&BLOCKED, Release::V4, |place| Box::pin(block(place)));
}
