//! What the ledgers of a run prove: the figures that must be zero, and what was counted and measured beside them.
//!
//! The figures are those of Jepsen's total queue and the ones a service needs on top, taken per message and
//! subscription. They hold after a full drain only, so a message left in a queue is an offence of its own.

mod copies;
mod fates;
mod figure;
mod keys;
mod measure;
mod messages;
mod rest;
mod table;
mod times;

#[cfg(test)]
mod tests;

pub use figure::{Figure, Offence};
pub use measure::{Counts, Growth, Recovery, Stall};
pub(crate) use rest::Rest;

use std::{collections::BTreeMap, path::Path};

use serde::Serialize;

use super::{LedgerError, read::Lines};
use messages::Messages;

/// What the ledgers of a run prove. `Display` prints it as a table that ends in a line `clean` or `NOT clean: …`.
#[derive(Debug, Clone, Serialize)]
pub struct Verdict {
    figures: BTreeMap<Figure, Vec<Offence>>,
    counts: Counts,
    recoveries: Vec<Recovery>,
    stall: Option<Stall>,
    growth: Vec<Growth>,
}

impl Verdict {
    /// Checks every ledger in the folder. It reads all of them into memory.
    ///
    /// # Errors
    /// The folder or a file cannot be read; none tells of a publish; a line is malformed, other than a torn last one.
    pub fn of(folder: impl AsRef<Path>) -> Result<Self, LedgerError> {
        Ok(Self::over(&Lines::read(folder.as_ref())?))
    }

    fn over(lines: &Lines) -> Self {
        let messages = Messages::of(&lines.all);
        let offences = |figure| match figure {
            Figure::Lost => fates::lost(&messages),
            Figure::LeftOver => fates::left_over(&messages),
            Figure::Phantom => fates::phantom(&messages),
            Figure::Ghost => fates::ghost(&messages),
            Figure::Corrupt => copies::corrupt(&messages),
            Figure::Order => keys::order(lines, &messages),
            Figure::Overlap => keys::overlap(lines, &messages),
            Figure::Atomicity => fates::atomicity(&messages),
            Figure::Effects => copies::effects(&messages),
            Figure::Early => copies::early(&messages),
            Figure::Dead => copies::dead(&messages),
        };
        Self {
            figures: Figure::ALL.into_iter().map(|figure| (figure, offences(figure))).collect(),
            counts: Counts::of(lines, &messages),
            recoveries: times::recovery(lines),
            stall: times::stall(lines, &messages),
            growth: measure::growth(lines),
        }
    }

    /// Is every figure zero?
    pub fn is_clean(&self) -> bool {
        self.is_clean_but(&[])
    }

    /// Is every figure zero but, perhaps, these?
    pub fn is_clean_but(&self, excused: &[Figure]) -> bool {
        self.figures.iter().all(|(figure, offences)| offences.is_empty() || excused.contains(figure))
    }

    /// What counts against this figure.
    pub fn figure(&self, figure: Figure) -> &[Offence] {
        self.figures.get(&figure).map_or(&[], Vec::as_slice)
    }

    /// What was counted.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// How soon it went on after each fault, in the order they ended.
    pub fn recoveries(&self) -> &[Recovery] {
        &self.recoveries
    }

    /// The longest stall, if anything ever waited.
    pub fn stall(&self) -> Option<&Stall> {
        self.stall.as_ref()
    }

    /// What the processes that looked at themselves twice hold more than before.
    pub fn growth(&self) -> &[Growth] {
        &self.growth
    }
}
