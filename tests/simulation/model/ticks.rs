//! The reference of schedules: which tick may run, where, and which must have.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use tegami::schedule::{Missed, Overlap};

use super::{Checked, ensure};
use crate::happened::{Ticked, Turn};

/// A tick of which no policy makes up for begins so soon, in milliseconds: 5 s, and twice 5 s for answers of the store: to
/// whether it is granted, and to whether it was, where the first had none.
const SOON: u64 = 15_500;
/// How long a jump of the clock is felt.
const FELT: Duration = Duration::from_secs(30);
/// How long it takes until nothing is left of what went wrong, in milliseconds.
const RECOVERY: u64 = 120_000;

/// One schedule.
#[derive(Debug, Clone)]
pub struct ScheduleFacts {
    pub every: Duration,
    pub missed: Missed,
    pub overlap: Overlap,
}

impl ScheduleFacts {
    fn at_once(&self) -> usize {
        if let Overlap::Parallel(runs) = self.overlap { runs } else { 1 }
    }

    fn every(&self) -> u64 {
        u64::try_from(self.every.as_millis()).expect("it comes soon")
    }
}

/// All schedules.
pub struct Ticks {
    facts: Vec<ScheduleFacts>,
    turns: BTreeMap<Turn, State>,
    runs: BTreeMap<u64, (Turn, String)>,
    jumped: Option<Duration>,
    /// When each schedule began: whoever starts later counts from there.
    first: BTreeMap<usize, u64>,
    calm: Option<u64>,
}

/// What is known of one tick.
#[derive(Default)]
struct State {
    holder: String,
    begun: bool,
    finished: bool,
}

impl Ticks {
    pub fn new(facts: Vec<ScheduleFacts>) -> Self {
        let (turns, runs, first) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { facts, turns, runs, jumped: None, first, calm: None }
    }

    pub fn see(&mut self, now: Duration, step: &Ticked) -> Checked {
        match step {
            Ticked::Known { turn } => {
                self.first.entry(turn.schedule).or_insert(turn.tick);
                Ok(())
            }
            Ticked::Granted { turn, by } => {
                let state = self.turns.entry(*turn).or_default();
                ensure!(!state.finished, "J1: {turn} was finished and is granted");
                state.holder.clone_from(by);
                Ok(())
            }
            Ticked::Finished { turn, by, noted } => self.finished(*turn, by, *noted),
            Ticked::Began { turn, by, run, wall } => self.began(now, (*turn, *run), by, *wall),
            Ticked::Ended { run, .. } => self.runs.remove(run).map(drop).ok_or_else(|| format!("run {run} ends twice")),
            Ticked::Jumped { .. } => {
                self.jumped = Some(now);
                Ok(())
            }
            Ticked::Calm { wall } => {
                let latest = self.turns.keys().map(|turn| turn.tick).chain(self.first.values().copied()).max();
                self.calm = latest.max(Some(*wall));
                Ok(())
            }
            Ticked::Over { wall } => self.over(*wall),
        }
    }

    /// A run of this life that goes on.
    pub fn running(&self, by: &str) -> Option<Turn> {
        self.runs.values().find(|(_, who)| who == by).map(|(turn, _)| *turn)
    }

    /// How many ticks were run.
    pub fn len(&self) -> usize {
        self.turns.values().filter(|state| state.begun).count()
    }

    fn began(&mut self, now: Duration, (turn, run): (Turn, u64), by: &str, wall: u64) -> Checked {
        let facts = &self.facts[turn.schedule];
        let state = self.turns.get_mut(&turn).ok_or_else(|| format!("J1: {turn} begins, and nobody was granted it"))?;
        ensure!(state.holder == by, "J1: {turn} begins in {by}, and is granted to {}", state.holder);
        ensure!(!state.finished, "J1: {turn} was finished and begins again in {by}");
        state.begun = true;
        let here = self.runs.values().filter(|(other, _)| other.schedule == turn.schedule);
        let beside = here.clone().find(|(other, _)| *other == turn);
        ensure!(beside.is_none(), "J1: {turn} runs in {by} beside {beside:?}");
        let (count, most) = (here.count(), facts.at_once());
        ensure!(count < most, "J3: {turn} begins beside {count} runs of its schedule, {most} may");
        let unmoved = self.jumped.is_none_or(|jumped| now > jumped + FELT);
        if facts.missed == Missed::Skip && facts.overlap != Overlap::Queue && unmoved {
            let late = wall.saturating_sub(turn.tick);
            ensure!(late <= SOON, "J2: {turn} begins {late} ms late, and what is missed is skipped");
        }
        self.runs.insert(run, (turn, by.to_owned()));
        Ok(())
    }

    fn finished(&mut self, turn: Turn, by: &str, noted: bool) -> Checked {
        let state = self.turns.get_mut(&turn).ok_or_else(|| format!("J1: {turn} is finished, and nobody had it"))?;
        if noted {
            ensure!(state.holder == by, "J1: {turn} is finished by {by}, and is {}'s", state.holder);
            ensure!(state.begun, "J1: {turn} is finished and was never run");
            state.finished = true;
        }
        Ok(())
    }

    /// Did every tick run that must have?
    fn over(&self, wall: u64) -> Checked {
        let calm = self.calm.ok_or("the faults never stopped")?;
        for (schedule, facts) in self.facts.iter().enumerate() {
            let begun = self.turns.iter().filter(|(turn, state)| turn.schedule == schedule && state.begun);
            let begun: BTreeSet<u64> = begun.map(|(turn, _)| turn.tick).collect();
            self.each_ran(schedule, &begun, (calm + RECOVERY, wall.saturating_sub(SOON)))?;
            let all = facts.missed == Missed::All && facts.overlap == Overlap::Queue;
            if let (true, Some(first)) = (all, self.first.get(&schedule)) {
                self.each_ran(schedule, &begun, (*first + 1, wall.saturating_sub(SOON)))?;
            }
        }
        Ok(())
    }

    fn each_ran(&self, schedule: usize, begun: &BTreeSet<u64>, (from, to): (u64, u64)) -> Checked {
        let every = self.facts[schedule].every();
        let mut due = (from.div_ceil(every)..=to / every).map(|place| place * every);
        let left = due.find(|tick| !begun.contains(tick));
        left.map_or(Ok(()), |tick| Err(format!("J2: {} was never run", Turn { schedule, tick })))
    }
}
