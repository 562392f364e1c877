//! SNS and SQS.
//!
//! `outlet` publishes to topics, `intake` consumes from queues; `topology` makes both and what lies between them,
//! `filter` says to SNS what a subscription wants, `letter` turns messages into what SNS and SQS carry and back,
//! `signature` says of what came over HTTP whether SNS has sent it.
//! Nothing outside this folder speaks of ARNs, subscriptions and visibility.

mod filter;
mod letter;
mod signature;
mod topology;

pub use signature::{Checks, SignatureError, SignatureErrorKind, Signed, SignedKind, Verifier};
