//! The figures that must be zero, and what counts against them.

use std::fmt;

use serde::{Serialize, Serializer};

/// A figure that must be zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Figure {
    /// Published ok for a subscription, and after the drain neither completed nor dead-lettered there.
    Lost,
    /// Still in a queue: the drain did not finish, and a message that lies there is not yet lost.
    LeftOver,
    /// Seen by a subscription, and never published for it; or answered, and never published at all.
    Phantom,
    /// Rejected by publish, and seen all the same.
    Ghost,
    /// A copy whose content or key is not the published one.
    Corrupt,
    /// First completed after a later message of the same publisher and key, where order is promised.
    Order,
    /// Begun while another run of the same key had not ended, where order is promised.
    Overlap,
    /// Out without its state change, or the state change without it.
    Atomicity,
    /// Completed with no effect, or with more than one at all, where one per message is promised.
    Effects,
    /// A retry before its delay was over.
    Early,
    /// Dead-lettered without a reason, or with another content.
    Dead,
}

impl Figure {
    /// Every figure, in the order they are printed.
    pub const ALL: [Self; 11] = [
        Self::Lost,
        Self::LeftOver,
        Self::Phantom,
        Self::Ghost,
        Self::Corrupt,
        Self::Order,
        Self::Overlap,
        Self::Atomicity,
        Self::Effects,
        Self::Early,
        Self::Dead,
    ];

    /// The figure's name, as printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::LeftOver => "left-over",
            Self::Phantom => "phantom",
            Self::Ghost => "ghost",
            Self::Corrupt => "corrupt",
            Self::Order => "order",
            Self::Overlap => "overlap",
            Self::Atomicity => "atomicity",
            Self::Effects => "effects",
            Self::Early => "early",
            Self::Dead => "dead",
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Figure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A message that counts against a figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Offence {
    /// The message.
    pub id: String,
    /// Where, unless it is about the message everywhere.
    pub subscription: Option<String>,
    /// What happened.
    pub words: String,
}

impl Offence {
    pub(super) fn of(id: &str, words: impl Into<String>) -> Self {
        Self { id: id.to_owned(), subscription: None, words: words.into() }
    }

    pub(super) fn at(id: &str, subscription: &str, words: impl Into<String>) -> Self {
        Self { subscription: Some(subscription.to_owned()), ..Self::of(id, words) }
    }
}

impl fmt::Display for Offence {
    /// Control characters are escaped: an id comes from outside.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.id.escape_debug())?;
        if let Some(subscription) = &self.subscription {
            write!(f, " at {}", subscription.escape_debug())?;
        }
        write!(f, ": {}", self.words.escape_debug())
    }
}
