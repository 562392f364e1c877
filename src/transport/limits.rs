//! How large a message may be, and how long it may wait: checked before anything is sent (P7).
//!
//! The publisher checks every message by what its transport declares; a transport that stands for a broker which
//! refuses, as [`Memory`](super::Memory) does, checks it again.

use std::fmt::{self, Write};

use super::{Capabilities, Outgoing, PublishError, PublishErrorKind};
use crate::event::{Attributes, Value};

/// The largest body that a reader opens, in bytes.
pub(crate) const BODY: usize = 1024 * 1024;
/// The longest attribute name, in bytes; SQS takes twice that.
pub(crate) const ATTRIBUTE_NAME: usize = 128;
/// The longest attribute value as text, in bytes.
const ATTRIBUTE_VALUE: usize = 4 * 1024;
/// The longest key of what is ordered, in bytes: it may go beside the body, and RabbitMQ has one frame for all of that.
const KEY: usize = 4 * 1024;
/// All attributes together, in bytes.
const ALL_ATTRIBUTES: usize = 32 * 1024;

impl Capabilities {
    /// Can the transport take this message? It must be within the declared limits, and within tegami's own: 1 MiB for a
    /// body; for attributes 128 bytes for a name, 4 KiB for a value, 32 KiB for all; 4 KiB for the key of what is ordered.
    ///
    /// # Errors
    /// `TooLarge` or `Unsupported`; the text names the value and its limit. Nothing was sent.
    pub fn check(&self, message: &Outgoing) -> Result<(), PublishError> {
        let longest = self.delay.unwrap_or_default();
        if let Some(delay) = message.delay.filter(|delay| *delay > longest) {
            let text = format!(
                "message `{}` is delayed by {delay:?}, the limit is {longest:?}: put it into an outbox (`in_transaction`), \
                 which keeps it until then",
                message.id
            );
            return Err(PublishError::new(PublishErrorKind::Unsupported, text));
        }
        let attributes = &message.sealed.attributes;
        within("attributes", attributes.len(), self.attribute_limit, message)?;
        let beside = attribute_bytes(attributes, message)?;
        within("bytes of attributes", beside, ALL_ATTRIBUTES, message)?;
        let key = message.key.as_ref().filter(|_| message.ordered);
        within("bytes in its key", key.map_or(0, String::len), KEY, message)?;
        let body = message.sealed.body.len();
        within("bytes", body + beside, self.message_limit, message)?;
        within("bytes in its body", body, BODY, message)
    }
}

fn attribute_bytes(attributes: &Attributes, message: &Outgoing) -> Result<usize, PublishError> {
    let mut all = 0;
    for (name, value) in attributes.iter() {
        let value = text_bytes(value);
        within("bytes in an attribute's name", name.len(), ATTRIBUTE_NAME, message)?;
        within("bytes in an attribute's value", value, ATTRIBUTE_VALUE, message)?;
        all += name.len() + value;
    }
    Ok(all)
}

fn within(what: &str, size: usize, limit: usize, message: &Outgoing) -> Result<(), PublishError> {
    if size <= limit {
        return Ok(());
    }
    let text = format!("message `{}` has {size} {what}, the limit is {limit}", message.id);
    Err(PublishError::new(PublishErrorKind::TooLarge, text))
}

fn text_bytes(value: &Value) -> usize {
    let mut counter = Counter(0);
    write!(counter, "{value}").expect("counting cannot fail");
    counter.0
}

struct Counter(usize);

impl Write for Counter {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}
