//! SNS and SQS.
//!
//! `outlet` publishes to topics, `intake` consumes from queues; `topology` makes both and what lies between them,
//! `filter` says to SNS what a subscription wants, `letter` turns messages into what SNS and SQS carry and back.
//! Nothing outside this folder speaks of ARNs, subscriptions and visibility.

mod actions;
mod address;
mod directory;
mod fault;
mod filter;
mod letter;
mod setup;
mod topology;
mod wallet;

use crate::transport::TransportError;

pub(crate) fn at(_: &str) -> Result<crate::transport::Memory, TransportError> {
    todo!()
}
