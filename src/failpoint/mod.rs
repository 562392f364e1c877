//! Crash points: named moments at which a test ends the process, or has it fail as a real fault there would.
//!
//! For tests of tegami and of transports, behind the feature `failpoints`; without it [`hit`] compiles to nothing.
//! What happens at a point is set with the crate [`fail`](https://docs.rs/fail), which stands in here, or by the variable
//! `FAILPOINTS` (which `fail::FailScenario::setup` reads):
//!
//! ```text
//! consume.before-ack=2*off->1*return(abort)     the third time, end the process
//! publish.after-confirm=1*return(error)         the first time, fail
//! ```

#[cfg(not(feature = "failpoints"))]
mod off;
#[cfg(feature = "failpoints")]
mod on;

#[cfg(feature = "failpoints")]
pub use fail;
#[cfg(not(feature = "failpoints"))]
pub use off::{Struck, hit};
#[cfg(feature = "failpoints")]
pub use on::{Struck, hit, hits};

/// A moment between two steps that a crash could part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Point {
    /// The transport has not been asked yet. An error: certainly not stored.
    PublishBeforeWrite,
    /// Written, and not confirmed. An error: may have been stored.
    PublishBeforeConfirm,
    /// Confirmed, and the publisher does not know. An error: may have been stored.
    PublishAfterConfirm,
    /// Received, and not started. An error: what was received is given back.
    ConsumeAfterReceive,
    /// The handler has ended, and nothing was settled. An error: the attempt has failed.
    ConsumeHandlerDone,
    /// Done, and not acked. An error: the delivery comes back.
    ConsumeBeforeAck,
    /// Acked, and we do not know. An error: it may come back.
    ConsumeAfterAck,
    /// The copy that waits for the next attempt is not written. An error: the delivery comes back.
    RetryBeforeCopy,
    /// The copy is confirmed, and its original not acked. An error: both are there.
    RetryAfterCopy,
    /// Set aside for the next attempt, and we do not know. An error: it may come back.
    RetryAfter,
    /// The dead letter is not written. An error: the delivery comes back.
    DeadLetterBeforeCopy,
    /// The dead letter is confirmed, and its original not acked. An error: both are there.
    DeadLetterAfterCopy,
    /// Kept as a dead letter, and we do not know. An error: it may come back.
    DeadLetterAfter,
    /// One event of an append is written, the next is not. An error: none is recorded.
    StoreBetweenEvents,
    /// All is written and not committed. An error: none is recorded.
    StoreBeforeCommit,
    /// Committed, and we do not know. An error: it may have been recorded.
    StoreAfterCommit,
    /// A message was put into the outbox, in a transaction that is open. An error: the transaction is given up.
    OutboxInTransaction,
    /// Committed, and no relay was told. An error: it may have been committed.
    OutboxAfterCommit,
    /// A relay has taken rows, and published none. An error: they are held until the hold ends.
    OutboxAfterClaim,
    /// Published, and not noted. An error: the rows are published once more.
    OutboxAfterPublish,
    /// Published and noted, and the relay does not know. An error: nothing is published once more.
    OutboxAfterMark,
    /// The id is in the inbox, and its handler has not run. An error: neither is there.
    InboxMarked,
    /// The handler has ended, and nothing is committed. An error: neither effect nor id is there.
    InboxBeforeCommit,
    /// A projection's events are read, and no transaction is begun. An error: they are read again.
    ProjectionRead,
    /// The projection is held in a transaction, and no event is handled. An error: nothing of it is there.
    ProjectionHeld,
    /// An event is handled, and the checkpoint is not moved. An error: neither is there.
    ProjectionAfterEffect,
    /// The checkpoint is moved, and nothing is committed. An error: neither effects nor checkpoint are there.
    ProjectionBeforeCommit,
    /// Committed, and the projector does not know. An error: nothing is handled once more.
    ProjectionAfterCommit,
    /// A tick has come, and its lease was not asked for. An error: it is asked for again.
    ScheduleBeforeTake,
    /// The leases have decided about a tick, and the replica does not know. An error: it finds out.
    ScheduleAfterTake,
    /// The lease is here, and the run has not begun. An error: the run fails.
    ScheduleBeforeRun,
    /// The lease was renewed in the midst of a run. An error: it is renewed again.
    ScheduleAfterRenew,
    /// The run has ended, and that is noted nowhere. An error: it is noted later.
    ScheduleAfterRun,
    /// The end of the run is noted, and the replica does not know. An error: nothing is run once more.
    ScheduleAfterRecord,
    /// A queue of recorded events is held in a transaction, and nothing is noted. An error: nothing of it is there.
    RecordsHeld,
    /// What became of events is noted, and the mark is not moved. An error: neither is there.
    RecordsNoted,
    /// The mark is moved, and nothing is committed. An error: neither mark nor rows are there.
    RecordsBeforeCommit,
    /// Committed, and the reader does not know. An error: nothing is handled once more.
    RecordsAfterCommit,
}

impl Point {
    /// The points on the way of every transport's messages.
    pub const SHARED: [Self; 8] = [
        Self::PublishBeforeWrite,
        Self::PublishAfterConfirm,
        Self::ConsumeAfterReceive,
        Self::ConsumeHandlerDone,
        Self::ConsumeBeforeAck,
        Self::ConsumeAfterAck,
        Self::RetryAfter,
        Self::DeadLetterAfter,
    ];

    /// The points inside a transport, where it has such a moment: one that moves a message in one step makes no copy.
    pub const IN_TRANSPORTS: [Self; 5] = [
        Self::PublishBeforeConfirm,
        Self::RetryBeforeCopy,
        Self::RetryAfterCopy,
        Self::DeadLetterBeforeCopy,
        Self::DeadLetterAfterCopy,
    ];

    /// The points inside an event store that writes to a disk.
    pub const IN_STORES: [Self; 3] = [Self::StoreBetweenEvents, Self::StoreBeforeCommit, Self::StoreAfterCommit];

    /// The points on the way of a message through an outbox, and of one through an inbox.
    pub const IN_OUTBOXES: [Self; 7] = [
        Self::OutboxInTransaction,
        Self::OutboxAfterCommit,
        Self::OutboxAfterClaim,
        Self::OutboxAfterPublish,
        Self::OutboxAfterMark,
        Self::InboxMarked,
        Self::InboxBeforeCommit,
    ];

    /// The points on the way of an event through a projection.
    pub const IN_PROJECTIONS: [Self; 5] = [
        Self::ProjectionRead,
        Self::ProjectionHeld,
        Self::ProjectionAfterEffect,
        Self::ProjectionBeforeCommit,
        Self::ProjectionAfterCommit,
    ];

    /// The points on the way of a tick, where leases are kept.
    pub const IN_SCHEDULES: [Self; 6] = [
        Self::ScheduleBeforeTake,
        Self::ScheduleAfterTake,
        Self::ScheduleBeforeRun,
        Self::ScheduleAfterRenew,
        Self::ScheduleAfterRun,
        Self::ScheduleAfterRecord,
    ];

    /// The points at which a queue of recorded events notes what became of them.
    pub const IN_RECORDS: [Self; 4] =
        [Self::RecordsHeld, Self::RecordsNoted, Self::RecordsBeforeCommit, Self::RecordsAfterCommit];

    /// The name it is set by.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PublishBeforeWrite => "publish.before-write",
            Self::PublishBeforeConfirm => "publish.before-confirm",
            Self::PublishAfterConfirm => "publish.after-confirm",
            Self::ConsumeAfterReceive => "consume.after-receive",
            Self::ConsumeHandlerDone => "consume.handler-done",
            Self::ConsumeBeforeAck => "consume.before-ack",
            Self::ConsumeAfterAck => "consume.after-ack",
            Self::RetryBeforeCopy => "retry.before-copy",
            Self::RetryAfterCopy => "retry.after-copy",
            Self::RetryAfter => "retry.after",
            Self::DeadLetterBeforeCopy => "dead-letter.before-copy",
            Self::DeadLetterAfterCopy => "dead-letter.after-copy",
            Self::DeadLetterAfter => "dead-letter.after",
            Self::StoreBetweenEvents => "store.between-events",
            Self::StoreBeforeCommit => "store.before-commit",
            Self::StoreAfterCommit => "store.after-commit",
            Self::OutboxInTransaction => "outbox.in-transaction",
            Self::OutboxAfterCommit => "outbox.after-commit",
            Self::OutboxAfterClaim => "outbox.after-claim",
            Self::OutboxAfterPublish => "outbox.after-publish",
            Self::OutboxAfterMark => "outbox.after-mark",
            Self::InboxMarked => "inbox.marked",
            Self::InboxBeforeCommit => "inbox.before-commit",
            Self::ProjectionRead => "projection.read",
            Self::ProjectionHeld => "projection.held",
            Self::ProjectionAfterEffect => "projection.after-effect",
            Self::ProjectionBeforeCommit => "projection.before-commit",
            Self::ProjectionAfterCommit => "projection.after-commit",
            Self::ScheduleBeforeTake => "schedule.before-take",
            Self::ScheduleAfterTake => "schedule.after-take",
            Self::ScheduleBeforeRun => "schedule.before-run",
            Self::ScheduleAfterRenew => "schedule.after-renew",
            Self::ScheduleAfterRun => "schedule.after-run",
            Self::ScheduleAfterRecord => "schedule.after-record",
            Self::RecordsHeld => "records.held",
            Self::RecordsNoted => "records.noted",
            Self::RecordsBeforeCommit => "records.before-commit",
            Self::RecordsAfterCommit => "records.after-commit",
        }
    }
}
