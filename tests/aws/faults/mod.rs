//! What goes wrong between a service and SNS and SQS: many faults, one [load](load::load).
//!
//! A [`Road`] is the way to an emulator with one trouble on it. Each trouble looks whether it happened.

mod answers;
mod batches;
mod holds;
#[path = "../../amqp/faults/load.rs"]
mod load;
mod refusals;
mod road;
mod silence;

use load::load;
use road::{Road, Trouble};
use tegami::testing::transport::Case;
use tegami_test_servers::Kind;

/// Tries the case on MiniStack, with this trouble.
fn tried(case: &'static Case, trouble: Trouble) {
    tegami::testing::transport::check(module_path!(), case, || Road::new(Kind::MiniStack, trouble));
}
