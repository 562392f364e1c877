//! What can happen to recorded events, and to what is made of them.

use std::{fmt, time::Duration};

/// An event that is kept: its position, the attempt it comes again as, and whether the row says that it was begun.
pub type KeptRow = (u64, u32, bool);

/// One step; each has taken place, whatever was answered.
#[derive(Debug, Clone)]
pub enum Archived {
    /// An event is recorded at this position: a letter of this number, in this stream.
    Recorded { position: u64, number: u64, key: String, ordered: bool, stream: String },
    /// Somebody has this queue or projection from now on, or goes on having it.
    Held { what: String, by: String },
    /// A projection has come from one position to another, with the events at these positions in what it has made.
    Projected { projection: String, by: String, from: u64, to: u64, effects: Vec<u64> },
    /// A projection begins again, with nothing made.
    Rewound { projection: String },
    /// A queue notes what became of events, by their positions: done, to come again as this attempt, given up on; and that
    /// all up to a position were looked at.
    Noted { queue: String, by: String, done: Vec<u64>, kept: Vec<KeptRow>, dead: Vec<u64>, to: u64 },
    /// Timeouts are set, each for a time, and cancelled: those that nobody can send any more, and others.
    Timed { set: Vec<(u64, Duration)>, gone: Vec<u64>, cancelled: Vec<u64> },
}

impl fmt::Display for Archived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Recorded { position, number, key, ordered, stream } => {
                let kind = if *ordered { "filed" } else { "posted" };
                write!(f, "position {position}: #{number} {kind} with key {key}, in {stream}")
            }
            Self::Held { what, by } => write!(f, "{by} has {what}"),
            Self::Projected { projection, by, from, to, effects } => {
                write!(f, "{by} has {projection} go from {from} to {to}, with {effects:?}")
            }
            Self::Rewound { projection } => write!(f, "{projection} begins again"),
            Self::Noted { queue, by, done, kept, dead, to } => {
                write!(f, "{by} notes of {queue}: done {done:?}, kept {kept:?}, dead {dead:?}, up to {to}")
            }
            Self::Timed { set, gone, cancelled } => {
                write!(f, "timeouts: {set:?}; gone {gone:?}, cancelled {cancelled:?}")
            }
        }
    }
}
