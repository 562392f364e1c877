//! What can happen in a simulation, each as one line of its trace.

mod archive;
mod rows;
mod ticks;

pub use archive::{Archived, KeptRow};
pub use rows::{Kept, Rows};
pub use ticks::{Ticked, Turn};

use std::{fmt, time::Duration};

use tegami::{service, transport::Settlement};

/// One delivery of one message: a number of its own, the message's, and which of its copies it is. Only what was in an
/// outbox has several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag {
    pub id: u64,
    pub number: u64,
    pub copy: u64,
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{} ~{}", self.number, self.id)
    }
}

/// A publisher's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Ok,
    Rejected,
    Unknown,
}

/// How a run of a handler ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    Done,
    /// Failed; with the delay it asked for.
    Failed(Option<Duration>),
    Refused,
    Panicked,
    /// Its future was dropped.
    Dropped,
}

/// One message on its way to the transport.
#[derive(Debug, Clone)]
pub struct Post {
    pub number: u64,
    pub by: String,
    pub key: String,
    pub ordered: bool,
    pub delay: Duration,
    /// The longest until its answer.
    pub within: Duration,
}

/// One delivery as it is handed to a service.
#[derive(Debug, Clone)]
pub struct Handed {
    pub tag: Tag,
    /// The service's life that it is handed to.
    pub by: String,
    pub queue: usize,
    pub attempt: u32,
    pub redelivered: bool,
}

/// One step.
#[derive(Debug, Clone)]
pub enum Happened {
    /// A publisher begins to publish.
    Posted(Post),
    /// A service hands a message to the transport, with this id.
    Sending { number: u64, by: String, id: String },
    /// The broker has the message, whatever it answers; spoiled, it cannot be read.
    Stored { number: u64, copy: u64, spoiled: bool },
    /// The broker does not take it, and says so.
    Refused { number: u64 },
    /// The publisher has its answer.
    Answered { number: u64, answer: Answer },
    /// A service is handed a delivery.
    Handed(Handed),
    /// The broker takes a delivery back that is still in work. Does the service learn of it?
    Lost { tag: Tag, told: bool },
    /// A handler begins.
    Began { tag: Tag, attempt: u32 },
    /// A handler ends.
    Ended { tag: Tag, how: How },
    /// The service settles a delivery.
    Settling { tag: Tag, settlement: Settlement },
    /// The broker has done so, or has not, whatever it answers.
    Settled { tag: Tag, applied: bool },
    /// The delivery is gone from the service.
    Freed { tag: Tag },
    /// A life of a service begins.
    Started { by: String },
    /// It is asked to stop.
    Stopping { by: String, drain: Duration },
    /// It has stopped.
    Stopped { by: String, ended: service::Ended },
    /// It is dropped without a stop.
    Killed { by: String },
    /// Something happens to an outbox or inbox.
    Rows(Rows),
    /// Something happens to a schedule.
    Ticked(Ticked),
    /// Something happens to recorded events.
    Archived(Archived),
    /// Something else goes wrong, or well again.
    Fault { what: String },
}

impl Happened {
    /// The message it is about.
    pub fn number(&self) -> Option<u64> {
        match self {
            Self::Posted(post) => Some(post.number),
            Self::Stored { number, .. } | Self::Answered { number, .. } => Some(*number),
            Self::Sending { number, .. } | Self::Refused { number } => Some(*number),
            Self::Handed(handed) => Some(handed.tag.number),
            Self::Lost { tag, .. } | Self::Freed { tag } | Self::Began { tag, .. } => Some(tag.number),
            Self::Ended { tag, .. } | Self::Settling { tag, .. } | Self::Settled { tag, .. } => Some(tag.number),
            Self::Rows(step) => step.number(),
            _ => None,
        }
    }
}

impl fmt::Display for Happened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Posted(Post { number, by, key, ordered, delay, .. }) => {
                let kind = if *ordered { "filed" } else { "posted" };
                write!(f, "#{number} {kind} by {by}, key {key}, delay {delay:?}")
            }
            Self::Sending { number, by, .. } => write!(f, "#{number} sent by {by}"),
            Self::Stored { number, copy, spoiled } => {
                write!(f, "#{number} stored as copy {copy}{}", if *spoiled { ", spoiled" } else { "" })
            }
            Self::Refused { number } => write!(f, "#{number} refused"),
            Self::Answered { number, answer } => write!(f, "#{number} answered {answer:?}"),
            Self::Handed(Handed { tag, by, queue, attempt, redelivered }) => {
                let again = if *redelivered { ", again" } else { "" };
                write!(f, "{tag} handed to {by} from queue {queue}, attempt {attempt}{again}")
            }
            Self::Lost { tag, told } => {
                write!(f, "{tag} taken back by the broker{}", if *told { ", which tells" } else { "" })
            }
            Self::Began { tag, attempt } => write!(f, "{tag} handler begins, attempt {attempt}"),
            Self::Ended { tag, how } => write!(f, "{tag} handler ends: {how:?}"),
            Self::Settling { tag, settlement } => write!(f, "{tag} settles: {}", Shown(settlement)),
            Self::Settled { tag, applied } => write!(f, "{tag} settled, applied: {applied}"),
            Self::Freed { tag } => write!(f, "{tag} out of the service"),
            Self::Started { by } => write!(f, "{by} starts"),
            Self::Stopping { by, drain } => write!(f, "{by} stops, drain {drain:?}"),
            Self::Stopped { by, ended } => write!(f, "{by} has stopped: {ended:?}"),
            Self::Killed { by } => write!(f, "{by} is killed"),
            Self::Rows(step) => step.fmt(f),
            Self::Ticked(step) => step.fmt(f),
            Self::Archived(step) => step.fmt(f),
            Self::Fault { what } => write!(f, "{what}"),
        }
    }
}

/// A settlement in few words.
pub struct Shown<'a>(pub &'a Settlement);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Settlement::Ack => f.write_str("ack"),
            Settlement::Retry { after } => write!(f, "retry after {after:?}"),
            Settlement::Release => f.write_str("release"),
            Settlement::DeadLetter(reason) => write!(f, "dead letter, {} after {}", reason.kind, reason.attempts),
        }
    }
}
