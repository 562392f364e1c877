//! The verdict as a table to read.

use std::fmt;

use super::{Figure, Offence, Verdict};

/// How many offences of a figure are printed.
const SHOWN: usize = 10;

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<12}{:>9}  offenders", "figure", "count")?;
        for figure in Figure::ALL {
            offences(f, figure, self.figure(figure))?;
        }
        writeln!(f)?;
        for (name, count) in self.counts.named() {
            writeln!(f, "{name:<12}{count:>9}")?;
        }
        writeln!(f)?;
        times(f, self)?;
        growth(f, self)?;
        last_line(f, self)
    }
}

fn offences(f: &mut fmt::Formatter<'_>, figure: Figure, offences: &[Offence]) -> fmt::Result {
    write!(f, "{figure:<12}{:>9}", offences.len())?;
    for (n, offence) in offences.iter().take(SHOWN).enumerate() {
        let before = if n == 0 { "  " } else { BELOW };
        write!(f, "{before}{offence}")?;
    }
    if offences.len() > SHOWN {
        write!(f, "{BELOW}and {} more", offences.len() - SHOWN)?;
    }
    writeln!(f)
}

/// A new line, up to where offenders stand.
const BELOW: &str = "\n                       ";

fn times(f: &mut fmt::Formatter<'_>, verdict: &Verdict) -> fmt::Result {
    for recovery in &verdict.recoveries {
        let fault = recovery.fault.escape_debug();
        match recovery.after {
            Some(after) => writeln!(f, "recovery    {:>8.3}s  after {fault}", after.as_secs_f64())?,
            None => writeln!(f, "recovery        none  after {fault}: nothing was completed any more")?,
        }
    }
    match &verdict.stall {
        Some(stall) => {
            let whose = stall.subscription.escape_debug();
            writeln!(f, "stall       {:>8.3}s  the longest, at {whose}", stall.lasted.as_secs_f64())
        }
        None => writeln!(f, "stall           none"),
    }
}

fn growth(f: &mut fmt::Formatter<'_>, verdict: &Verdict) -> fmt::Result {
    for growth in &verdict.growth {
        let (process, kib) = (growth.process.escape_debug(), growth.bytes / 1024);
        let (tasks, descriptors, threads) = (growth.tasks, growth.descriptors, growth.threads);
        write!(f, "growth      {kib:>+7}KiB  {process}: ")?;
        writeln!(f, "tasks {tasks:+}, descriptors {descriptors:+}, threads {threads:+}")?;
    }
    Ok(())
}

/// `clean`, or what is not.
fn last_line(f: &mut fmt::Formatter<'_>, verdict: &Verdict) -> fmt::Result {
    if verdict.is_clean() {
        return f.write_str("\nclean");
    }
    let counts = Figure::ALL.map(|figure| (figure, verdict.figure(figure).len()));
    let not_zero = counts.iter().filter(|(_, count)| *count > 0);
    let words: Vec<String> = not_zero.map(|(figure, count)| format!("{figure} {count}")).collect();
    write!(f, "\nNOT clean: {}", words.join(", "))
}
