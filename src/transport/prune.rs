//! What an earlier plan left on a broker.

use serde::{Deserialize, Serialize};

use super::TransportError;
use crate::error::told;

/// What may be done about what an earlier plan left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Prune {
    /// Tell it.
    #[default]
    Look,
    /// Delete what is empty and unused, and tell it.
    Delete,
}

impl Prune {
    /// What was found. Where it deletes, an error is the reason for which the rest is kept: what was deleted before must be
    /// told all the same.
    pub(crate) fn told<R>(
        self,
        found: Result<R, TransportError>,
        kept: impl FnOnce(Option<String>) -> R,
    ) -> Result<R, TransportError> {
        match found {
            Err(error) if self == Self::Delete => Ok(kept(Some(told(&error)))),
            found => found,
        }
    }
}

/// A queue of an earlier plan that is still on the broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Remnant {
    /// Its name, or of the queues around it that of the first that is left.
    pub queue: String,
    /// The queues around it that go or stay with it: of its dead letters, its retries.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub with: Vec<String>,
    /// Why it stays; nothing, if it may go or has gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<String>,
}

impl Remnant {
    /// These queues, which belong together; nothing, if there are none.
    pub fn of(names: impl IntoIterator<Item = String>) -> Option<Self> {
        let mut names = names.into_iter();
        let queue = names.next()?;
        Some(Self { queue, with: names.collect(), kept: None })
    }

    /// The same, kept for this reason, if there is one.
    #[must_use]
    pub fn kept(self, why: Option<String>) -> Self {
        Self { kept: why, ..self }
    }
}

/// Why a deletion went no further than these, which have gone; `fed` is what the queue that is read may have lost by then, if it
/// was to go.
#[cfg(any(feature = "amqp", feature = "aws"))]
pub(crate) fn cut_short(why: &str, gone: &[String], fed: Option<&str>) -> String {
    match (gone, fed) {
        ([], None) => why.to_owned(),
        ([], Some(fed)) => format!("{why}; its {fed} may have been taken away by then"),
        (gone, _) => format!("{why}; `{}` went before", gone.join("`, `")),
    }
}
