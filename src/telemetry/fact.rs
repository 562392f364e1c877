//! What can happen.

use std::time::Duration;

/// Something that happened in a service.
///
/// Its names are those of transports, topics, queues, events, routes, projections and schedules: as many as the service has, whatever
/// messages and clients say.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Fact<'a> {
    /// A publish was answered.
    Published(Published<'a>),
    /// A delivery was taken into work; it will be settled.
    Taken(Taken<'a>),
    /// A delivery is out of work.
    Settled(Settled<'a>),
    /// A queue, or one of dead letters, was asked for what waits in it; twice a minute.
    Counted(Counted<'a>),
    /// It was looked how far a projection is behind; six times a minute.
    Lagged(Lagged<'a>),
    /// A schedule's run has ended.
    Ran(Ran<'a>),
    /// An HTTP request has come; it will be answered.
    Asked(Asked<'a>),
    /// An HTTP request was answered.
    Answered(Answered<'a>),
}

/// An event that was published, or not.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Published<'a> {
    /// The transport's kind, such as `amqp`.
    pub system: &'a str,
    /// The event's name.
    pub event: &'a str,
    /// The topic, without the environment's prefix.
    pub topic: &'a str,
    /// From the call to the answer.
    pub took: Duration,
    /// The kind of the error, if it was one.
    pub error: Option<&'a str>,
    /// The trace it belongs to, in 32 hexadecimal digits.
    pub trace: Option<&'a str>,
}

/// A delivery that was taken into work.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Taken<'a> {
    /// The transport's kind.
    pub system: &'a str,
    /// The queue, with the environment's prefix.
    pub queue: &'a str,
}

/// A delivery that is out of work.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settled<'a> {
    /// The transport's kind.
    pub system: &'a str,
    /// The queue, with the environment's prefix.
    pub queue: &'a str,
    /// The event's name; none for a message that could not be opened.
    pub event: Option<&'a str>,
    /// What became of it.
    pub end: End,
    /// Why, unless it was done: a dead letter's kind of reason, such as `handler-error`.
    pub reason: Option<&'a str>,
    /// From being taken to being settled.
    pub took: Duration,
    /// From its publish to being taken, where the message says when that was.
    pub waited: Option<Duration>,
    /// Number of this attempt, from 1.
    pub attempt: u32,
    /// The trace it belongs to, in 32 hexadecimal digits.
    pub trace: Option<&'a str>,
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// Handled.
    Done,
    /// Acked unhandled: the subscription's filter does not want it.
    Unwanted,
    /// It failed, and comes again after a while.
    Retried,
    /// It failed for good, and is kept.
    DeadLettered,
    /// Given back before its end; it does not count as an attempt.
    Released,
    /// The transport did not take the answer; it comes again.
    Unsettled,
}

impl End {
    /// Its name, in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Unwanted => "unwanted",
            Self::Retried => "retried",
            Self::DeadLettered => "dead-lettered",
            Self::Released => "released",
            Self::Unsettled => "unsettled",
        }
    }
}

/// A queue, or one of dead letters, that was asked for what waits in it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Counted<'a> {
    /// The transport's kind.
    pub system: &'a str,
    /// The queue, with the environment's prefix.
    pub queue: &'a str,
    /// How many messages wait for a reader; none, where the broker does not tell.
    pub messages: Option<u64>,
}

/// How far a projection is behind.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Lagged<'a> {
    /// The projection's name.
    pub projection: &'a str,
    /// Its version.
    pub version: u32,
    /// How many of its events are recorded and not handled yet, counted up to 100,000; none, where that is not known.
    pub events: Option<u64>,
    /// How long ago the first of them was recorded: no time at all, if there is none.
    pub oldest: Option<Duration>,
    /// Does it stand still, as one of its events cannot be handled?
    pub stands: bool,
}

/// A run of a schedule that has ended.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Ran<'a> {
    /// The schedule's name.
    pub schedule: &'a str,
    /// What it came to, in one word, such as `done` or `failed`.
    pub outcome: &'a str,
    /// From its begin to its end.
    pub took: Duration,
}

/// An HTTP request that has come.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Asked<'a> {
    /// The method; `_OTHER` for one that is not known.
    pub method: &'a str,
    /// `http` or `https`, as the server takes it.
    pub scheme: &'a str,
}

/// An HTTP request that was answered.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Answered<'a> {
    /// The method; `_OTHER` for one that is not known.
    pub method: &'a str,
    /// `http` or `https`, as the server takes it.
    pub scheme: &'a str,
    /// The route as it was written, such as `/orders/{id}`; none where there was none for it.
    pub route: Option<&'a str>,
    /// The status; 499 where the client left before the end.
    pub status: u16,
    /// From the request's head to the answer's last byte.
    pub took: Duration,
    /// The trace it belongs to, in 32 hexadecimal digits.
    pub trace: Option<&'a str>,
}
