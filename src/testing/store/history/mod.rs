//! What many who append and read have noted of one store, and whether a store that keeps its promises could have answered so.
//!
//! The notes are made by the [crowd](super::crowd); here nothing is asked of a store.

mod rules;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::{
    envelope::MessageId,
    store::{Append, Appended, Position, Query, Recorded, StoreErrorKind, StreamId, Version},
};

/// A place in the order of what was noted: what ended at a smaller one was over when the other began.
pub(super) type Moment = u64;

/// What was noted.
#[derive(Debug, Clone, Default)]
pub(super) struct History {
    pub(super) appends: Vec<Asked>,
    pub(super) pages: Vec<Looked>,
    pub(super) streams: Vec<Read>,
    /// All events, as they were read when everything was over.
    pub(super) events: Vec<Recorded>,
}

impl History {
    /// Each way in which a promise was broken.
    pub(super) fn offences(&self) -> Vec<String> {
        rules::offences(self)
    }
}

/// An append, with its ids.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) append: Append,
    /// From when on its position may have been drawn: the begin of its transaction, if it is a part of one.
    pub(super) since: Moment,
    pub(super) began: Moment,
    /// When it was answered; for what is in a transaction, the end of that.
    pub(super) ended: Moment,
    pub(super) answer: Answer,
}

/// How an append ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Answer {
    /// It is recorded, and committed.
    Recorded(Appended),
    Refused(StoreErrorKind),
    /// Its transaction was given up.
    Undone,
    /// It may be recorded.
    Unknown,
}

/// A read of the whole store.
#[derive(Debug, Clone)]
pub(super) struct Looked {
    pub(super) query: Query,
    pub(super) after: Position,
    /// Up to where it looked.
    pub(super) next: Position,
    pub(super) seen: Vec<Recorded>,
    pub(super) ended: Moment,
}

/// A read of one stream, from its begin.
#[derive(Debug, Clone)]
pub(super) struct Read {
    pub(super) stream: StreamId,
    pub(super) seen: Vec<Recorded>,
    pub(super) began: Moment,
    pub(super) ended: Moment,
}

impl Asked {
    fn ids(&self) -> impl Iterator<Item = &str> {
        self.append.entries.iter().filter_map(|entry| entry.message.head.id.as_ref()).map(MessageId::as_str)
    }

    pub(super) fn recorded(&self) -> Option<Appended> {
        match self.answer {
            Answer::Recorded(appended) => Some(appended),
            _ => None,
        }
    }

    /// The version that the stream was at, by the answer.
    fn found(&self, appended: Appended) -> Version {
        Version::new(appended.version.number().saturating_sub(self.append.entries.len() as u64))
    }

    /// Is it no part of a transaction, which may have drawn its position before?
    fn is_alone(&self) -> bool {
        self.since == self.began
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.ids().next().unwrap_or_default();
        write!(f, "the append of `{first}` to stream `{}`", self.append.stream)
    }
}
