//! What can happen to an outbox and an inbox.

use std::{fmt, time::Duration};

use tegami::outbox::Fate;

use super::{Post, Tag};

/// A message in an outbox.
#[derive(Debug, Clone)]
pub struct Kept {
    pub post: Post,
    /// The message's id.
    pub id: String,
    /// When it may go, if it is delayed.
    pub due: Option<Duration>,
}

/// One step of the database; each has taken place, whatever was answered.
#[derive(Debug, Clone)]
pub enum Rows {
    /// A transaction is committed: with these messages, and the effect of this delivery.
    Committed { by: String, kept: Vec<Kept>, effect: Option<Tag> },
    /// A relay has taken these messages.
    Taken { by: String, numbers: Vec<u64> },
    /// The database was told what became of one.
    Told { by: String, number: u64, fate: Fate },
}

impl Rows {
    /// The message it is about.
    pub fn number(&self) -> Option<u64> {
        match self {
            Self::Committed { effect, .. } => effect.map(|tag| tag.number),
            Self::Taken { .. } => None,
            Self::Told { number, .. } => Some(*number),
        }
    }
}

impl fmt::Display for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Committed { by, kept, effect } => {
                write!(f, "{by} commits")?;
                effect.iter().try_for_each(|tag| write!(f, " the effect of {tag}"))?;
                kept.iter().try_for_each(|Kept { post, due, .. }| {
                    write!(f, ", #{} of {}", post.number, post.key)?;
                    due.map_or(Ok(()), |due| write!(f, " for {:.3} s", due.as_secs_f64()))
                })
            }
            Self::Taken { by, numbers } => write!(f, "{by} takes {numbers:?} out of the outbox"),
            Self::Told { by, number, fate } => write!(f, "#{number} in the outbox, says {by}: {fate:?}"),
        }
    }
}
