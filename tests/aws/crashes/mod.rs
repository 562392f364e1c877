//! Processes of ours that end at the worst moments, again and again; then the account of all of them. The cases are
//! those of RabbitMQ, and two more in order.
//!
//! Each case is run again in every process that is to end. What such a process had is hidden from others for a while.
//! (F29, a stop while handlers or the broker hang, is what S-02 and S-03 of the suite try; F34 is X-13.)

mod in_order;
#[path = "../../amqp/crashes/kills.rs"]
mod kills;
#[path = "../../amqp/crashes/lives.rs"]
mod lives;
#[cfg(feature = "failpoints")]
#[path = "../../amqp/crashes/points.rs"]
mod points;
#[path = "../../amqp/crashes/rolling.rs"]
mod rolling;

use std::time::Duration;

use lives::{chance, listen_and_end, must_end};
#[cfg(feature = "failpoints")]
use tegami::failpoint::Point;
use tegami::testing::transport::{Case, check};
use tegami_test_servers::Kind;

use crate::broker::Broker;

/// How many processes are killed, one after the other, and how many messages each of them finds.
const KILLS: usize = 15;
const FOUND: usize = 15;
/// How often each of two replicas is replaced.
const ROLLS: usize = 5;
/// How often a process ends at each point, and how often each point fails in one that goes on.
#[cfg(feature = "failpoints")]
const ENDS: usize = 2;
#[cfg(feature = "failpoints")]
const FAILURES: usize = 5;
/// How long SQS keeps to itself what a process had, and what it was about to give to it.
const HIDDEN: Duration = Duration::from_secs(7);

// A macro, because tests must be named where they run: the processes are found by those names.
macro_rules! on_ministack {
    ($($id:literal $area:ident $name:ident $(if $feature:literal)?,)*) => {$(
        $(#[cfg(feature = $feature)])?
        #[test]
        fn $name() {
            static CASE: Case = Case::new($id, stringify!($name), |trial| Box::pin($area::$name(trial)));
            check(module_path!(), &CASE, || Broker::of(Kind::MiniStack));
        }
    )*};
}
on_ministack! {
    "F-26" kills f26_no_kill_loses_a_message,
    "F-26O" in_order f26_no_kill_loses_or_reorders_a_message,
    "F-27E" points f27_a_failure_at_no_point_loses_a_message if "failpoints",
    "F-27A" points f27_a_crash_at_no_point_loses_a_message if "failpoints",
    "F-28" rolling f28_replicas_that_roll_lose_and_repeat_nothing,
    "F-28O" in_order f28_replicas_that_roll_keep_the_order,
}

/// The points that messages pass on their way. A retry here makes no copy.
#[cfg(feature = "failpoints")]
fn points() -> impl Iterator<Item = Point> {
    let copies = [Point::RetryBeforeCopy, Point::RetryAfterCopy];
    Point::SHARED.into_iter().chain(Point::IN_TRANSPORTS).filter(move |point| !copies.contains(point))
}
