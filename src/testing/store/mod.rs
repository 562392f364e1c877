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

mod appends;
mod case;
mod kept;
mod race;
mod reading;
mod trial;

pub use case::{CASES, Case, Run, check, judge};
pub use trial::{Subject, Trial};

pub use super::transport::Done;
