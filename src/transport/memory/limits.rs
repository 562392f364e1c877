//! How large a message may be. Checked before anything is stored (P7).

use std::fmt::{self, Write};

use crate::{
    event::{Attributes, Value},
    transport::{Outgoing, PublishError, PublishErrorKind},
};

/// The largest message, attributes counted, in bytes.
pub(super) const MESSAGE: usize = 1024 * 1024;
/// The most attributes.
pub(super) const ATTRIBUTES: usize = 64;
/// The longest attribute name, in bytes.
const NAME: usize = 128;
/// The longest attribute value as text, in bytes.
const VALUE: usize = 4 * 1024;
/// All attributes together, in bytes.
const ALL_ATTRIBUTES: usize = 32 * 1024;

/// Is the message within every limit?
pub(super) fn check(message: &Outgoing) -> Result<(), PublishError> {
    let attributes = &message.sealed.attributes;
    within("attributes", attributes.len(), ATTRIBUTES, message)?;
    let beside = attribute_bytes(attributes, message)?;
    within("bytes of attributes", beside, ALL_ATTRIBUTES, message)?;
    within("bytes", message.sealed.body.len() + beside, MESSAGE, message)
}

fn attribute_bytes(attributes: &Attributes, message: &Outgoing) -> Result<usize, PublishError> {
    let mut all = 0;
    for (name, value) in attributes.iter() {
        let value = text_bytes(value);
        within("bytes in an attribute's name", name.len(), NAME, message)?;
        within("bytes in an attribute's value", value, VALUE, message)?;
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
