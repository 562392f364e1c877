//! What every event store must do: one function per promise, to be tried on any store.
//!
//! A store of your own is tried with one macro; each case becomes a test:
//!
//! ```
//! # #[cfg(test)]
//! mod conformance {
//!     use tegami::store::Memory;
//!
//!     tegami::store_suite!(Memory::new());
//! }
//! ```
//!
//! What is given is a [`Subject`]: a store whose clones share what it holds will do. What only some stores can do, a subject
//! offers by the methods of that trait; a case that needs what is not offered says so.
//!
//! In `e_14_histories` many append, decide and read at once, from a seed, and what they saw is compared with what a store
//! that keeps its promises can answer. It prints its seed; `CONFORMANCE_SEED` has the same asked again, though not at the
//! same times.

mod appends;
mod case;
mod crowd;
mod history;
mod kept;
mod race;
mod reading;
mod trial;

pub use case::{CASES, Case, Run, check, judge};
pub use trial::{Begun, Subject, Trial};

pub use super::transport::Done;
