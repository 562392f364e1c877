//! Messages as SNS and SQS carry them: bodies that are text, attributes that have one of four types, ten at most.
//!
//! [`seal`] and [`direct`] write a [`Letter`]; [`open`] reads a [`Post`], which is what SQS handed out; `dead` copies one
//! to the dead letters and back. `mark` is the one attribute of the transport's own. Nothing in here calls anyone.

mod attribute;
mod body;
mod dead;
mod direct;
mod mark;
mod number;
mod open;
mod post;
mod seal;
mod spelling;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod walk;

use std::collections::{BTreeMap, HashMap};

pub(crate) use attribute::Attribute;
pub(crate) use dead::{age, apart, back, buried, dead_letter, dead_since, key, shared_group};
pub(crate) use direct::direct;
pub(crate) use open::{Arrived, open};
pub(crate) use post::Post;
pub(crate) use seal::seal;

use super::super::{Outgoing, PublishError, PublishErrorKind};

/// The largest message that SNS takes, in bytes as [`Letter::size`] counts them.
pub(crate) const SNS_LIMIT: usize = 256 * 1024;
/// The largest message that SQS takes.
pub(crate) const SQS_LIMIT: usize = 1024 * 1024;
/// The most attributes that SQS takes, and that SNS hands on to a queue as they are.
const MOST_ATTRIBUTES: usize = 10;

/// Attributes by their names.
pub(crate) type Named = BTreeMap<String, Attribute>;

/// A message as SNS and SQS take it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Letter {
    pub(crate) body: String,
    pub(crate) attributes: Named,
    /// For FIFO topics and queues: what stays in order together, and what tells a resend.
    pub(crate) order: Option<Order>,
}

/// Where a message of a FIFO topic or queue belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) group: String,
    pub(crate) deduplication: String,
}

impl Letter {
    /// Its bytes as AWS counts them: the body, and the name, type and value of each attribute.
    pub(crate) fn size(&self) -> usize {
        let attributes = self.attributes.iter().map(|(name, attribute)| name.len() + attribute.size());
        self.body.len() + attributes.sum::<usize>()
    }

    /// The letter, unless it is larger than this (P7).
    fn within(self, limit: usize, message: &Outgoing) -> Result<Self, PublishError> {
        let size = self.size();
        if size <= limit {
            return Ok(self);
        }
        let text = format!("message `{}` has {size} bytes on the wire, the limit is {limit}", message.id);
        Err(PublishError::new(PublishErrorKind::TooLarge, text))
    }
}

/// Attributes as one of the clients takes them.
pub(crate) fn told<T: From<Attribute>>(attributes: Named) -> HashMap<String, T> {
    attributes.into_iter().map(|(name, attribute)| (name, attribute.into())).collect()
}
