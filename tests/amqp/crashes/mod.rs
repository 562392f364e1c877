//! Processes of ours that end at the worst moments, again and again; then the account of all of them.
//!
//! Each case is run for each release, and again in every process that is to end.

mod hanging;
mod kills;
mod lives;
#[cfg(feature = "failpoints")]
mod points;
mod rolling;

use std::time::Duration;

use lives::{chance, listen_and_end, must_end};
#[cfg(feature = "failpoints")]
use tegami::failpoint::Point;

/// How many processes are killed, one after the other, and how many messages each of them finds.
const KILLS: usize = 50;
const FOUND: usize = 30;
/// How often each of two replicas is replaced.
const ROLLS: usize = 5;
/// How often a process ends at each point, and how often each point fails in one that goes on.
#[cfg(feature = "failpoints")]
const ENDS: usize = 5;
#[cfg(feature = "failpoints")]
const FAILURES: usize = 20;
/// How long the broker keeps to itself what a process had: it knows when one ends.
const HIDDEN: Duration = Duration::ZERO;

on_each_release! {
    "F-26" kills f26_no_kill_loses_a_message,
    "F-27E" points f27_a_failure_at_no_point_loses_a_message if "failpoints",
    "F-27A" points f27_a_crash_at_no_point_loses_a_message if "failpoints",
    "F-28" rolling f28_replicas_that_roll_lose_and_repeat_nothing,
    "F-29" hanging f29_a_handler_that_hangs_holds_no_stop,
}

/// The points that messages pass on their way.
#[cfg(feature = "failpoints")]
fn points() -> impl Iterator<Item = Point> {
    Point::SHARED.into_iter().chain(Point::IN_TRANSPORTS)
}
