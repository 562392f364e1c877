//! What goes wrong between a service and RabbitMQ, and with its queues: many faults, one [load](load::load).
//!
//! A [`Road`] is the way to a broker with one trouble on it. Each trouble looks whether it happened.

mod broker;
mod confirm;
mod cuts;
mod flips;
mod load;
#[path = "../../service/log.rs"]
mod log;
mod queues;
mod road;
mod silence;
mod slow;

use load::load;
use road::{Place, Road, Trouble};
use tegami::testing::transport::Case;
use tegami_test_servers::Release;

/// Tries the load on this release, with this trouble.
fn tried(case: &'static Case, release: Release, trouble: Trouble) {
    tegami::testing::transport::check(module_path!(), case, || Road::new(release, trouble));
}
