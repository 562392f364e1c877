//! What is counted: one event, through a service of tegami.
//!
//! The program of this crate counts it for `scripts/bench counts`; `benches/` measures the same beside others.

pub mod counting;
pub mod event;
pub mod latch;
pub mod own;
pub mod run;

/// The contracts of the events.
pub mod contracts {
    tegami::include_contracts!();
}
