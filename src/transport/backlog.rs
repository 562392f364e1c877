//! How much waits in a queue, where the broker tells.

/// How many messages wait for a reader: in a queue, and in the one of its dead letters. What is in work, and what waits for
/// its time, is in neither. Brokers round.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Backlog {
    /// In the queue; none, where it is not known.
    pub waiting: Option<u64>,
    /// Among its dead letters; none, where it is not known.
    pub dead: Option<u64>,
}

impl Backlog {
    /// So many of each.
    #[must_use]
    pub const fn new(waiting: Option<u64>, dead: Option<u64>) -> Self {
        Self { waiting, dead }
    }
}
