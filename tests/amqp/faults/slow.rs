//! A bad line: everything is late, and little passes.

use std::time::Duration;

use tegami::testing::transport::{Case, Done, Trial};
use tegami_test_servers::{Fault, Release, Way};
use tokio::time::sleep;

use super::{Place, load::under_way, tried};

/// How long the line is so.
const BAD: Duration = Duration::from_secs(10);
/// 256 kbit/s.
const RATE: Fault = Fault::Rate(32_000);
const LATE: Fault = Fault::Delay { by: Duration::from_millis(200), jitter: Duration::from_millis(100) };

static SLOW: Case = Case::new("F-12", "f_12_slow_line", |trial| Box::pin(no_storm(trial)));

async fn no_storm(trial: &Trial) -> Done {
    assert_eq!(under_way(trial).await, 0, "late is not lost: no letter was sent twice");
    Done::Kept
}

/// Little passes one way while all is late the other way, and the other way round.
async fn slow_down(place: &Place) {
    let before = place.proxy.counts();
    for (slow, late) in [(Way::Up, Way::Down), (Way::Down, Way::Up)] {
        place.proxy.put(slow, RATE);
        place.proxy.put(late, LATE);
        sleep(BAD).await;
    }
    place.proxy.lift();
    let after = place.proxy.counts();
    assert_eq!(after.connections, before.connections, "nobody connects anew because it is slow");
    assert!(after.up > before.up && after.down > before.down, "it was used: {after:?}");
}

#[test]
fn f12_a_slow_line_sends_nothing_twice_and_loses_nothing_on_4() {
    tried(&SLOW, Release::V4, |place| Box::pin(slow_down(place)));
}
