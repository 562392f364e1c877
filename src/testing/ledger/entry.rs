//! What may stand in a ledger: one JSON object a line.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Checksum;

/// One line: an entry and when it was written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Nanoseconds since 1970, by the writing process's clock.
    pub at: u64,
    /// What happened.
    pub entry: Entry,
}

/// What happened.
///
/// An id is the message's own, as text: a poison message may carry one that is no `MessageId`. A subscription is
/// named by whatever the processes agree on; its queue is a good name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Entry {
    /// The subscription promises order per key.
    Ordered {
        /// Whose.
        subscription: String,
    },
    /// The subscription promises one effect per message. One that has any [`Effect`](Self::Effect) promises it too.
    Inbox {
        /// Whose.
        subscription: String,
    },
    /// A publish begins. A resend of the same message is another begin with the same id.
    PublishBegin {
        /// The message.
        id: String,
        /// What must stay in order together.
        key: Option<String>,
        /// The place in this process's publish order, counted per key; it says nothing where there is no key.
        sequence: u64,
        /// Over the message as published.
        checksum: Checksum,
        /// The subscriptions that must get it, and no other may. Empty: it must go nowhere.
        to: Vec<String>,
    },
    /// A publish came back; one that never did is unknown.
    PublishEnd {
        /// The message.
        id: String,
        /// What publish said.
        answer: Answer,
    },
    /// A handler begins. Written outside the inbox, so that a run the inbox answers is written too.
    RunBegin {
        /// The message.
        id: String,
        /// Whose handler.
        subscription: String,
        /// The attempt, from 1.
        attempt: u32,
        /// The key, as it arrived.
        key: Option<String>,
        /// Over the message as it arrived.
        checksum: Checksum,
    },
    /// An effect of a message was found where handlers leave effects: the table they write, say.
    Effect {
        /// The message.
        id: String,
        /// Whose handler left it.
        subscription: String,
    },
    /// A handler ended, or its run was cancelled; written before the delivery is settled.
    RunEnd {
        /// The message.
        id: String,
        /// Whose handler.
        subscription: String,
        /// The attempt, from 1.
        attempt: u32,
        /// How.
        ended: Ended,
        /// The delay until the retry, where one was planned.
        retry_after: Option<Duration>,
    },
    /// The drainer found the message in a dead-letter queue.
    Dead {
        /// The message.
        id: String,
        /// Whose dead-letter queue.
        subscription: String,
        /// Why, if it says so.
        reason: Option<String>,
        /// Over the message without what was added when it was given up on.
        checksum: Checksum,
    },
    /// The drainer found the message in a main or retry queue.
    Left {
        /// The message.
        id: String,
        /// Whose queue.
        subscription: String,
        /// Over the message as it lay there.
        checksum: Checksum,
    },
    /// The message belongs to a state change: it may go out only if that is committed, and must if it is.
    Intent {
        /// The message.
        id: String,
    },
    /// The state change this message belongs to was found committed.
    State {
        /// The message.
        id: String,
    },
    /// A fault begins.
    FaultBegin {
        /// Which one; names of faults that overlap differ.
        name: String,
    },
    /// A fault is over.
    FaultEnd {
        /// Which one.
        name: String,
    },
    /// What this process holds. The first and the last of a process make its growth.
    Resources {
        /// Tasks alive.
        tasks: u64,
        /// Open files and sockets.
        descriptors: u64,
        /// Threads.
        threads: u64,
        /// Bytes of resident memory.
        bytes: u64,
    },
}

/// What publish said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// The broker took responsibility.
    Ok,
    /// Certainly not accepted.
    Rejected,
    /// It may have been accepted.
    Unknown,
}

/// How a handler ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// The message is completed.
    Ok,
    /// With an error, or at its timeout.
    Err,
    /// With a panic.
    Panic,
}
