//! The line to SNS and SQS: cut, silent, closed one way, or slow.

use std::time::Duration;

use tegami::testing::transport::{Case, Done, Trial};
use tegami_test_servers::{Counts, Fault, Way};
use tokio::time::{Instant, sleep};

use super::{
    load::{load, under_way},
    tried,
};
use crate::broker::Place;

/// How soon the next bytes come after a cut, and so the next cut.
const NEXT: Duration = Duration::from_secs(60);
/// How long everyone works between two.
const PAUSE: Duration = Duration::from_millis(500);
/// The most that passes before a cut, in bytes.
const MOST: u64 = 20_000;
/// How long the way leads nowhere.
const AWAY: Duration = Duration::from_secs(8);
/// How soon a receive is given up on that is never answered: it waits for messages for a second.
const NOTICED: Duration = Duration::from_secs(13);
/// The same with time for a busy machine.
const BACK: Duration = Duration::from_secs(40);
/// How long the line is slow each way; 256 kbit/s, and late.
const BAD: Duration = Duration::from_secs(4);
const RATE: Fault = Fault::Rate(32_000);
const LATE: Fault = Fault::Delay { by: Duration::from_millis(200), jitter: Duration::from_millis(100) };
/// The most connections that are tried in a second by those who get no word.
const TRIES: u64 = 20;

static RESET: Case = Case::new("F-09", "f_09_reset_in_a_call", |trial| Box::pin(load(trial)));
static BLACKHOLE: Case = Case::new("F-10", "f_10_blackhole", |trial| Box::pin(load(trial)));
static HALF: Case = Case::new("F-11", "f_11_half_closed", |trial| Box::pin(load(trial)));
static STALLED: Case = Case::new("F-11", "f_11_one_way_stalled", |trial| Box::pin(load(trial)));
static SLOW: Case = Case::new("F-12", "f_12_slow_line", |trial| Box::pin(no_storm(trial)));
static MUTE: Case = Case::new("F-14", "f_14_silent_at_connect", |trial| Box::pin(load(trial)));

async fn no_storm(trial: &Trial) -> Done {
    assert_eq!(under_way(trial).await, 0, "late is not lost: no letter was sent twice");
    Done::Kept
}

/// Cuts at seeded places, in both directions.
async fn cut(place: &Place) {
    let mut chance = fastrand::Rng::with_seed(9);
    for way in [Way::Up, Way::Down].repeat(2) {
        let before = place.fault.door().counts().resets;
        place.fault.door().put(way, Fault::CutAfter(chance.u64(1..MOST)));
        place.counted(NEXT, "the cut", |counts| counts.resets > before).await;
        sleep(PAUSE).await;
    }
}

/// Nothing passes for a while, and what was sent is gone.
async fn swallow(place: &Place) {
    let before = place.fault.door().counts().swallowed;
    place.fault.door().put_both(Fault::Swallow);
    sleep(AWAY).await;
    assert!(place.fault.door().counts().swallowed > before, "something was lost on the way");
    place.fault.door().lift();
    place.served(BACK, "ReceiveMessage").await;
}

/// One way ends in good order, then the other.
async fn half_close(place: &Place) {
    for way in [Way::Up, Way::Down] {
        let before = place.fault.door().counts().connections;
        place.fault.door().put(way, Fault::HalfClose);
        place.counted(NEXT, "another connection", |counts| counts.connections > before + 1).await;
        place.fault.door().lift();
        sleep(2 * PAUSE).await;
    }
}

/// Whoever is heard no more, or hears nothing, connects anew.
async fn stall(place: &Place, way: Way) {
    let before = place.fault.door().counts().connections;
    place.fault.door().put(way, Fault::Stall);
    place.counted(BACK, "other connections", |counts| counts.connections > before + 1).await;
    place.fault.door().lift();
}

/// Little passes one way while all is late the other way, and the other way round.
async fn slow_down(place: &Place) {
    let before = place.fault.door().counts();
    for (slow, late) in [(Way::Up, Way::Down), (Way::Down, Way::Up)] {
        place.fault.door().put(slow, RATE);
        place.fault.door().put(late, LATE);
        sleep(BAD).await;
    }
    place.fault.door().lift();
    let Counts { up, down, .. } = place.fault.door().counts();
    assert!(up > before.up && down > before.down, "it was used: {up} and {down} bytes");
}

/// Those who come back are accepted, and told nothing: they give up in time, and ask again, not too often.
async fn fall_silent(place: &Place) {
    let (door, begun) = (place.fault.door(), Instant::now());
    door.silence();
    door.reset();
    place.counted(NEXT, "connections to be tried", |counts| counts.silenced >= 2).await;
    sleep(NOTICED).await;
    let silenced = door.counts().silenced;
    let seconds = begun.elapsed().as_secs() + 1;
    println!("{silenced} connections got no word for {seconds} s");
    assert!(silenced >= 4, "they try again");
    assert!(silenced <= TRIES * seconds, "{silenced} connections in {seconds} s");
    // Those who wait for a word do so until they give up.
    door.lift();
    place.served(BACK, "ReceiveMessage").await;
}

#[test]
fn f09_resets_in_the_midst_of_calls_lose_nothing() {
    tried(&RESET, |place| Box::pin(cut(place)));
}

#[test]
fn f10_a_way_that_leads_nowhere_loses_nothing() {
    tried(&BLACKHOLE, |place| Box::pin(swallow(place)));
}

#[test]
fn f11_a_way_that_is_closed_alone_loses_nothing() {
    tried(&HALF, |place| Box::pin(half_close(place)));
}

#[test]
fn f11_whoever_no_longer_hears_us_is_noticed_and_loses_nothing() {
    tried(&STALLED, |place| Box::pin(stall(place, Way::Up)));
}

#[test]
fn f11_whoever_is_no_longer_heard_is_noticed_and_loses_nothing() {
    tried(&STALLED, |place| Box::pin(stall(place, Way::Down)));
}

#[test]
fn f12_a_slow_line_sends_nothing_twice_and_loses_nothing() {
    tried(&SLOW, |place| Box::pin(slow_down(place)));
}

#[test]
fn f14_whoever_accepts_and_says_nothing_is_given_up_on_in_time() {
    tried(&MUTE, |place| Box::pin(fall_silent(place)));
}
