//! What every transport must do: one function per promise, to be tried on any transport.
//!
//! A transport of your own is tried with one macro; each case becomes a test:
//!
//! ```
//! # #[cfg(test)]
//! mod conformance {
//!     use tegami::transport::Memory;
//!
//!     tegami::transport_suite!(Memory::new());
//! }
//! ```
//!
//! What is given is a [`Subject`]: an async closure that opens a connection will do. An ability that a transport
//! does not declare in its [`Capabilities`](crate::transport::Capabilities) is tried too: its use must then be
//! refused. A case that needs a fault which the subject cannot bring about says so in its line. Where a process of ours
//! must die, the test's own program runs again as that process.
//!
//! Every case keeps a [ledger](crate::testing::ledger) and ends with a look at it: nothing lost, nothing made up,
//! nothing changed; no task and no descriptor left. Each prints its seed; `CONFORMANCE_SEED` replays one,
//! `CONFORMANCE_QUICK` sends a tenth, and `CONFORMANCE_TABLE` names a file that each case appends its line to.

mod billing;
mod case;
pub mod containment;
mod cut;
pub mod delivery;
mod drain;
mod faulty;
mod letters;
mod life;
pub mod network;
mod office;
pub mod order;
pub mod poison;
mod process;
pub mod publish;
mod reader;
pub mod retry;
mod run;
pub mod stop;
mod subject;
mod tally;
mod tamper;
mod trial;
mod witness;

pub use case::{CASES, Case, Done, Run};
pub use faulty::Faulty;
#[cfg(feature = "store")]
pub(crate) use letters::newer;
pub use letters::{LetterFiled, LetterPosted, filed, letter};
pub use life::End;
pub use reader::{Got, Reader};
pub use run::{Report, check, judge};
pub use subject::{Fault, Injected, Nest, Pace, Subject};
pub use tally::{Runs, Tally, until, within};
pub use tamper::{Tamper, Tampered, tampered, tampering};
pub use trial::Trial;
