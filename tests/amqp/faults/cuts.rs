//! Connections that are reset or half closed, at any byte.

use std::time::Duration;

use tegami::testing::transport::Case;
use tegami_test_servers::{Fault, Release, Way};
use tokio::time::sleep;

use super::{Place, load, tried};

/// How soon the next bytes come after a cut, and so the next cut.
const NEXT: Duration = Duration::from_secs(60);
/// How long everyone works between two.
const PAUSE: Duration = Duration::from_millis(500);
/// The most that passes before a cut, in bytes.
const MOST: u64 = 20_000;

static RESET: Case = Case::new("F-09", "f_09_reset_mid_frame", |trial| Box::pin(load(trial)));
static HALF: Case = Case::new("F-11", "f_11_half_closed", |trial| Box::pin(load(trial)));

/// Cuts at seeded places, in both directions.
async fn cut(place: &Place) {
    let mut chance = fastrand::Rng::with_seed(9);
    for way in [Way::Up, Way::Down].repeat(4) {
        let before = place.proxy.counts().resets;
        place.proxy.put(way, Fault::CutAfter(chance.u64(1..MOST)));
        place.counted(NEXT, "the cut", |counts| counts.resets > before).await;
        sleep(PAUSE).await;
    }
}

/// One way ends in good order, then the other.
async fn half_close(place: &Place) {
    for way in [Way::Up, Way::Down] {
        let before = place.proxy.counts().connections;
        place.proxy.put(way, Fault::HalfClose);
        place.counted(NEXT, "another connection", |counts| counts.connections >= before + 2).await;
        place.proxy.lift();
        sleep(2 * PAUSE).await;
    }
}

#[test]
fn f09_resets_in_the_midst_of_frames_lose_nothing_on_3() {
    tried(&RESET, Release::V3, |place| Box::pin(cut(place)));
}

#[test]
fn f09_resets_in_the_midst_of_frames_lose_nothing_on_4() {
    tried(&RESET, Release::V4, |place| Box::pin(cut(place)));
}

#[test]
fn f11_a_way_that_is_closed_alone_loses_nothing_on_4() {
    tried(&HALF, Release::V4, |place| Box::pin(half_close(place)));
}
