//! A text that is never printed.

/// A text that is never printed: it has neither `Debug` nor `Display`.
#[derive(Clone)]
pub(in crate::transport::amqp) struct Secret(Box<str>);

impl Secret {
    pub(super) fn new(text: String) -> Self {
        Self(text.into_boxed_str())
    }

    /// The text itself, for the one who proves with it who we are.
    pub(in crate::transport::amqp) fn reveal(&self) -> &str {
        &self.0
    }
}
