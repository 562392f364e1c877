//! The reference of what is recorded: projections that have each event once and in order, and timeouts of processes.

use std::{collections::BTreeMap, time::Duration};

use super::{Checked, ensure};
use crate::{errand::TIMEOUTS, happened::Archived};

/// Everything that is recorded.
#[derive(Default)]
pub struct Books {
    /// The last position.
    end: u64,
    /// How far each projection has come.
    marks: BTreeMap<String, u64>,
    timeouts: BTreeMap<u64, Timeout>,
    made: usize,
}

/// A timeout of a process.
struct Timeout {
    due: Duration,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Set,
    Cancelled,
    TakenUp,
}

impl Books {
    pub fn see(&mut self, now: Duration, step: &Archived) -> Checked {
        match step {
            Archived::Recorded { position, number, stream, .. } => {
                ensure!(*position == self.end + 1, "E1: position {position} comes after {}", self.end);
                self.end = *position;
                let takes_up = stream.starts_with("errand/") && *number >= TIMEOUTS;
                if takes_up { self.taken_up(now, *number) } else { Ok(()) }
            }
            Archived::Projected { projection, from, to, effects, .. } => {
                self.projected(projection, (*from, *to), effects)
            }
            Archived::Rewound { projection } => {
                self.marks.insert(projection.clone(), 0);
                Ok(())
            }
            Archived::Timed { set, gone, cancelled } => {
                gone.iter().chain(cancelled).for_each(|number| self.cancelled(*number));
                set.iter().try_for_each(|(number, due)| self.set(*number, *due))
            }
            Archived::Held { .. } | Archived::Noted { .. } => Ok(()),
        }
    }

    /// Each event between the two is in what it has made, once and in order: nothing else is, nothing is left out (E3).
    fn projected(&mut self, projection: &str, (from, to): (u64, u64), effects: &[u64]) -> Checked {
        let mark = self.marks.entry(projection.to_owned()).or_default();
        ensure!(*mark == from, "E3: {projection} goes on from {from}, and has come to {mark}");
        ensure!(from <= to && to <= self.end, "E3: {projection} goes from {from} to {to}, the end is {}", self.end);
        let all: Vec<u64> = (from + 1..=to).collect();
        ensure!(effects == all, "E3: {projection} has made something of {effects:?} on its way from {from} to {to}");
        (*mark, self.made) = (to, self.made + effects.len());
        Ok(())
    }

    fn set(&mut self, number: u64, due: Duration) -> Checked {
        let before = self.timeouts.insert(number, Timeout { due, state: State::Set });
        ensure!(before.is_none(), "I1: timeout #{number} is set twice");
        Ok(())
    }

    fn cancelled(&mut self, number: u64) {
        let timeout = self.timeouts.get_mut(&number).filter(|timeout| timeout.state == State::Set);
        timeout.into_iter().for_each(|timeout| timeout.state = State::Cancelled);
    }

    fn taken_up(&mut self, now: Duration, number: u64) -> Checked {
        let timeout = self.timeouts.get_mut(&number).ok_or("I1: a timeout is taken up that nobody has set")?;
        let state = timeout.state;
        ensure!(state == State::Set, "I1: timeout #{number} is taken up, and is {state:?}");
        ensure!(timeout.due <= now, "R3: timeout #{number} is taken up {:?} early", timeout.due - now);
        timeout.state = State::TakenUp;
        Ok(())
    }

    /// What is not where it must be at the end; `is_dead`: a queue has given up on the letter of this number.
    pub fn open(&self, is_dead: impl Fn(u64) -> bool) -> Option<String> {
        let behind = self.marks.iter().find(|(_, mark)| **mark < self.end);
        if let Some((projection, mark)) = behind {
            return Some(format!("E3: {projection} has come to {mark}, the end is {}", self.end));
        }
        let waits = |(number, timeout): &(&u64, &Timeout)| timeout.state == State::Set && !is_dead(**number);
        let (number, _) = self.timeouts.iter().find(waits)?;
        Some(format!("D1: timeout #{number} was set, and never came"))
    }

    /// How many events projections have had.
    pub fn len(&self) -> usize {
        self.made
    }
}
