//! A message's identity. New ids are drawn here and nowhere else.

use std::{fmt, sync::Arc};

use super::{DecodeError, bounds::undecodable};
use crate::time::Dice;

/// The longest id taken from outside (a limit of SQS FIFO deduplication ids).
const LIMIT: usize = 128;

/// Who a message is, across every copy of it: printable ASCII, at most 128 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(Arc<str>);

impl MessageId {
    /// A new id: a random UUID.
    pub fn draw(dice: &Dice) -> Self {
        Self(Arc::from(&*dice.uuid().hyphenated().encode_lower(&mut [0; 36])))
    }

    /// Takes an id from outside; `None` when it is empty, too long, or not printable ASCII.
    pub fn parse(text: impl AsRef<str>) -> Option<Self> {
        let text = text.as_ref();
        let fits = !text.is_empty() && text.len() <= LIMIT && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self(text.into()))
    }

    /// An id as a body tells it: absent or empty is none, and one we cannot take is an error.
    pub(super) fn told(whose: &str, text: Option<impl AsRef<str>>) -> Result<Option<Self>, DecodeError> {
        let Some(text) = text.filter(|text| !text.as_ref().is_empty()) else { return Ok(None) };
        let id = Self::parse(text).ok_or_else(|| {
            undecodable(format!("the {whose} id is not printable ASCII of at most {LIMIT} characters"))
        })?;
        Ok(Some(id))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
