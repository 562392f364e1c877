//! What is counted and measured, and need not be zero.

use std::{collections::BTreeMap, time::Duration};

use serde::{Serialize, Serializer};

use super::{
    super::{Entry, read::Lines},
    messages::Messages,
};

/// How many there were. Published messages are counted once each; what happened to them, once per subscription.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Counts {
    /// Lines read.
    pub lines: usize,
    /// Files whose last line was torn.
    pub torn: usize,
    /// Messages a publish was begun for.
    pub attempted: usize,
    /// Of these, taken by the broker.
    pub ok: usize,
    /// Of these, refused for certain.
    pub rejected: usize,
    /// Of these, nobody knows.
    pub unknown: usize,
    /// Messages that a subscription completed.
    pub completed: usize,
    /// Messages found in a subscription's dead-letter queue.
    pub dead: usize,
    /// Messages found in a subscription's main or retry queue.
    pub left: usize,
    /// Completions beyond a message's first.
    pub duplicates: usize,
    /// Messages completed though publish did not know.
    pub recovered: usize,
}

impl Counts {
    pub(super) fn of(lines: &Lines, messages: &Messages<'_>) -> Self {
        let mut counts = Self { lines: lines.all.len(), torn: lines.torn, ..Self::default() };
        for message in messages.all.values().filter(|message| message.published().is_some()) {
            counts.attempted += 1;
            counts.ok += usize::from(message.is_ok());
            counts.rejected += usize::from(message.is_rejected());
            counts.unknown += usize::from(message.is_unknown());
        }
        for (_, _, message, story) in messages.stories() {
            let completed = story.completed();
            counts.completed += completed.min(1);
            counts.dead += story.dead().min(1);
            counts.left += story.left().min(1);
            counts.duplicates += completed.saturating_sub(1);
            counts.recovered += usize::from(completed > 0 && message.is_unknown());
        }
        counts
    }

    /// Each count with its name, in the order they are printed.
    pub(super) fn named(&self) -> [(&'static str, usize); 11] {
        [
            ("lines", self.lines),
            ("torn", self.torn),
            ("attempted", self.attempted),
            ("ok", self.ok),
            ("rejected", self.rejected),
            ("unknown", self.unknown),
            ("completed", self.completed),
            ("dead", self.dead),
            ("left", self.left),
            ("duplicates", self.duplicates),
            ("recovered", self.recovered),
        ]
    }
}

/// How long after a fault something was completed again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Recovery {
    /// The fault.
    pub fault: String,
    /// From its end to the next completion, anywhere; `None` if there was none.
    #[serde(rename = "seconds", serialize_with = "maybe_seconds")]
    pub after: Option<Duration>,
}

/// The longest time in which a subscription had messages waiting, no fault was under way, and nothing was completed.
///
/// A message waits from the end of its publish until its first run begins; one in a handler, or waiting for a retry,
/// does not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Stall {
    /// Whose.
    pub subscription: String,
    /// How long.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub lasted: Duration,
    /// When it began, in nanoseconds since 1970.
    pub began: u64,
}

/// What a process held more at its last look than at its first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Growth {
    /// The process: its file's name.
    pub process: String,
    /// Tasks.
    pub tasks: i64,
    /// Open files and sockets.
    pub descriptors: i64,
    /// Threads.
    pub threads: i64,
    /// Bytes of resident memory.
    pub bytes: i64,
}

/// The growth of every process that looked twice.
pub(super) fn growth(lines: &Lines) -> Vec<Growth> {
    let mut looks = BTreeMap::<usize, Vec<[u64; 4]>>::new();
    for filed in &lines.all {
        if let Entry::Resources { tasks, descriptors, threads, bytes } = filed.entry {
            looks.entry(filed.file).or_default().push([tasks, descriptors, threads, bytes]);
        }
    }
    let twice = looks.into_iter().filter(|(_, looks)| looks.len() > 1);
    let grown = |first: u64, last: u64| last.wrapping_sub(first).cast_signed();
    twice
        .map(|(file, looks)| {
            let (first, last) = (looks[0], looks[looks.len() - 1]);
            let [tasks, descriptors, threads, bytes] = std::array::from_fn(|n| grown(first[n], last[n]));
            Growth { process: lines.processes[file].clone(), tasks, descriptors, threads, bytes }
        })
        .collect()
}

fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

fn maybe_seconds<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    duration.map(|duration| duration.as_secs_f64()).serialize(serializer)
}
