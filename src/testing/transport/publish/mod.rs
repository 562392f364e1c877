//! P: what a publish answers is true.

mod contents;
mod outages;
mod refusals;
mod straight;

pub use contents::{p_02_roundtrip, p_03_concurrent, p_11_dropped_future};
pub use outages::{
    p_01_ok_means_stored, p_06_deadline, p_08_unknown_then_resend, p_09_bounded_inflight, p_12_restart_under_publish,
};
pub use refusals::{p_04_unroutable_exact, p_05_unroutable_opt_out, p_07_rejected_never_delivered, p_10_batch_partial};
pub use straight::p_13_straight_into_a_queue;

use crate::transport::Capabilities;

/// The largest limit on messages that is tried, in bytes.
const LARGEST: usize = 16 * 1024 * 1024;

/// The limit on messages, if there is one that can be tried.
fn message_limit(capabilities: &Capabilities) -> Option<usize> {
    Some(capabilities.message_limit).filter(|limit| *limit <= LARGEST)
}
