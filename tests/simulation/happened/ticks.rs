//! What can happen to a schedule.

use std::fmt;

use super::How;

/// One tick of one schedule: by the number of the schedule, and in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Turn {
    pub schedule: usize,
    pub tick: u64,
}

/// One step of a schedule.
#[derive(Debug, Clone)]
pub enum Ticked {
    /// A replica asks what is known of the schedule: this is its latest tick or, if it never ran, when it began.
    Known { turn: Turn },
    /// The store of leases has granted the tick, whatever it answers.
    Granted { turn: Turn, by: String },
    /// It was told that the tick was run, and has noted it, or has not.
    Finished { turn: Turn, by: String, noted: bool },
    /// A run begins, when the clock on the wall shows this.
    Began { turn: Turn, by: String, run: u64, wall: u64 },
    /// It ends.
    Ended { run: u64, how: How },
    /// The clock on the wall showed the first, and is put forward or back to the second.
    Jumped { before: u64, wall: u64 },
    /// Nothing goes wrong from here on; the clock shows this.
    Calm { wall: u64 },
    /// From here on nobody looks any more; the clock shows this.
    Over { wall: u64 },
}

impl fmt::Display for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tick {} of schedule {}", self.tick, self.schedule)
    }
}

impl fmt::Display for Ticked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known { turn } => write!(f, "{turn} is the latest that is known"),
            Self::Granted { turn, by } => write!(f, "{turn} granted to {by}"),
            Self::Finished { turn, by, noted } => write!(f, "{turn} finished by {by}, noted: {noted}"),
            Self::Began { turn, by, run, wall } => write!(f, "{turn} begins in {by} at {wall}, run {run}"),
            Self::Ended { run, how } => write!(f, "run {run} ends: {how:?}"),
            Self::Jumped { before, wall } => write!(f, "the clock jumps from {before} to {wall}"),
            Self::Calm { wall } => write!(f, "the faults stop at {wall}"),
            Self::Over { wall } => write!(f, "the schedules have had their time at {wall}"),
        }
    }
}
