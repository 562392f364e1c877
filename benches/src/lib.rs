//! What is measured: one event, handled by a service of tegami and by one of ruststream.
//!
//! The programs under `instructions/` count instructions and allocations of it, `src/bin/` takes the time. What they
//! print becomes `README.md`; `scripts/bench` runs them all.

pub mod aws;
pub mod bodies;
pub mod broker;
pub mod counting;
pub mod event;
pub mod other;
pub mod rabbitmq;
pub mod scale;
pub mod store;

pub use tegami_counts::{contracts, latch, own, run};
