//! A broker that is heard no more, or does not hear us.

use std::time::Duration;

use tegami::testing::transport::{Case, check};
use tegami_test_servers::{Fault, Release, Way};
use tokio::time::{Instant, sleep, sleep_until};

use super::{Place, Road, load, tried};

/// How long the way leads nowhere.
const AWAY: Duration = Duration::from_secs(30);
/// How soon that is noticed (N3).
const NOTICED: Duration = Duration::from_secs(20);
/// A shorter heartbeat, in seconds, and how soon its silence is noticed: by us, and by a broker, which looks once a
/// heartbeat and waits for two that were silent.
const HEARTBEAT: u16 = 4;
const MISSED: Duration = Duration::from_secs(2 * HEARTBEAT as u64);
const TOLD: Duration = Duration::from_secs(3 * HEARTBEAT as u64);
/// How long those who connect are let wait (M3), with some time to get there.
const HANDSHAKE: Duration = Duration::from_secs(5);
const SLACK: Duration = Duration::from_secs(10);

static BLACKHOLE: Case = Case::new("F-10", "f_10_blackhole", |trial| Box::pin(load(trial)));
static STALLED: Case = Case::new("F-11", "f_11_one_way_stalled", |trial| Box::pin(load(trial)));
static MUTE: Case = Case::new("F-14", "f_14_silent_at_connect", |trial| Box::pin(load(trial)));

/// Nothing passes for a while; whoever noticed tries to connect again.
async fn swallow(place: &Place) {
    let (before, lifted) = (place.proxy.counts(), Instant::now() + AWAY);
    place.proxy.put_both(Fault::Swallow);
    place.counted(NOTICED + SLACK, "new connections", |counts| counts.connections >= before.connections + 2).await;
    sleep_until(lifted).await;
    assert!(place.proxy.counts().swallowed > before.swallowed, "something was lost on the way");
    place.proxy.lift();
}

async fn stall(place: &Place, way: Way, noticed: Duration) {
    let before = place.proxy.counts().connections;
    place.proxy.put(way, Fault::Stall);
    place.counted(noticed + SLACK, "new connections", |counts| counts.connections >= before + 2).await;
    place.proxy.lift();
}

/// Those who come back are accepted, and told nothing: they give up in time, and ask again, not too often.
async fn fall_silent(place: &Place) {
    let begun = Instant::now();
    place.proxy.silence();
    place.proxy.reset();
    place.counted(SLACK, "connections to be tried", |counts| counts.silenced >= 2).await;
    place.counted(HANDSHAKE + 2 * SLACK, "second tries", |counts| counts.silenced >= 4).await;
    assert!(begun.elapsed() >= HANDSHAKE, "the first try had its time");
    sleep(2 * HANDSHAKE).await;
    let silenced = place.proxy.counts().silenced;
    let (took, each) = (begun.elapsed(), begun.elapsed().as_secs() / HANDSHAKE.as_secs() + 1);
    assert!(silenced <= 4 * each, "four connections were tried {silenced} times in {took:?}");
    place.proxy.lift();
}

#[test]
fn f10_a_way_that_leads_nowhere_is_noticed_and_loses_nothing_on_3() {
    tried(&BLACKHOLE, Release::V3, |place| Box::pin(swallow(place)));
}

#[test]
fn f10_a_way_that_leads_nowhere_is_noticed_and_loses_nothing_on_4() {
    tried(&BLACKHOLE, Release::V4, |place| Box::pin(swallow(place)));
}

#[test]
fn f11_a_broker_that_no_longer_hears_us_is_noticed_and_loses_nothing_on_4() {
    let road = || Road::new(Release::V4, |place| Box::pin(stall(place, Way::Up, TOLD))).heartbeat(HEARTBEAT);
    check(module_path!(), &STALLED, road);
}

#[test]
fn f11_a_broker_that_is_no_longer_heard_is_noticed_and_loses_nothing_on_4() {
    let road = || Road::new(Release::V4, |place| Box::pin(stall(place, Way::Down, MISSED))).heartbeat(HEARTBEAT);
    check(module_path!(), &STALLED, road);
}

#[test]
fn f14_a_broker_that_accepts_and_says_nothing_is_given_up_on_in_time_on_4() {
    tried(&MUTE, Release::V4, |place| Box::pin(fall_silent(place)));
}
