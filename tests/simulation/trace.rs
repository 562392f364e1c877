//! The steps of one simulation in lines: what two runs of one seed must have the same of.

use std::{fmt, time::Duration};

use sha2::{Digest, Sha256};

use crate::happened::Happened;

/// How many of the last steps a failure shows.
const LAST: usize = 25;

/// What happened, step by step.
#[derive(Default)]
pub struct Trace {
    lines: Vec<(Option<u64>, String)>,
    blamed: Option<u64>,
}

impl Trace {
    pub fn write(&mut self, now: Duration, happened: &Happened) {
        self.lines.push((happened.number(), format!("{:>10.3} s  {happened}", now.as_secs_f64())));
    }

    /// This message's lines are shown.
    pub fn blame(&mut self, number: Option<u64>) {
        self.blamed = number;
    }

    /// How many steps there were.
    pub fn steps(&self) -> usize {
        self.lines.len()
    }

    /// All of it in one number.
    pub fn hash(&self) -> String {
        let mut hash = Sha256::new();
        self.lines.iter().for_each(|(_, line)| hash.update(line));
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The first line in which it differs from the other.
    pub fn parts_from(&self, other: &Self) -> String {
        let both = self.lines.iter().zip(&other.lines);
        let first = both.into_iter().find(|(one, two)| one != two);
        first.map_or_else(|| "one goes on".to_owned(), |((_, one), (_, two))| format!("{one}\n{two}"))
    }

    /// Every line.
    pub fn whole(&self) -> String {
        self.lines.iter().map(|(_, line)| format!("{line}\n")).collect()
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the last steps:")?;
        for (_, line) in &self.lines[self.lines.len().saturating_sub(LAST)..] {
            writeln!(f, "{line}")?;
        }
        let Some(number) = self.blamed else { return Ok(()) };
        writeln!(f, "all about #{number}:")?;
        for (_, line) in self.lines.iter().filter(|(about, _)| *about == Some(number)) {
            writeln!(f, "{line}")?;
        }
        Ok(())
    }
}
