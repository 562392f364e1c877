//! What came of a phase: a table to read, and the same as JSON.

use std::{cmp::Reverse, collections::BTreeMap, fmt, path::Path, time::Duration};

use serde::Serialize;
use tegami::testing::ledger::{Figure, Verdict};

use crate::{
    asked::{Asked, Phase, Way, Whose},
    book::{Book, lines_of},
    crew::{BOUND, Stop},
    nemesis::Deeds,
};

/// How many messages that count against a figure are told of in full, and how many lines of each.
const SHOWN: usize = 3;
const LINES: usize = 30;

/// What a phase has told, as it went on.
#[derive(Default)]
pub struct Told {
    /// What went wrong beside the ledgers.
    pub wrong: Vec<String>,
    pub deeds: Deeds,
    /// Stops at the end.
    pub stops: Vec<Stop>,
    /// Messages a second: published under faults, and held without them.
    pub rate: u32,
    pub held: Option<u32>,
    /// How long faults went on, all took to come to its end after them, and the whole.
    pub raged: Duration,
    pub settled: Duration,
    pub took: Duration,
    /// Messages that are left in queues, as the broker counts them, where nobody takes them out.
    pub left: usize,
    /// Processes that ended by themselves and were started again.
    pub ended: usize,
    published: usize,
    handled: usize,
    repeated: BTreeMap<String, usize>,
}

impl Told {
    pub fn put(&mut self, book: &Book) {
        (self.published, self.handled, self.repeated) = (book.published, book.handled, book.repeated());
    }
}

/// The figures of a phase.
#[derive(Debug, Serialize)]
pub struct Report {
    seed: u64,
    whose: Whose,
    transport: Way,
    broker: &'static str,
    /// Messages that were taken, handled for the first time in a queue, and dead.
    published: usize,
    handled: usize,
    dead: usize,
    unknown: usize,
    rate: u32,
    held: Option<u32>,
    seconds: f64,
    seconds_of_faults: f64,
    seconds_to_settle: f64,
    faults: Vec<String>,
    kinds: BTreeMap<String, usize>,
    restarts: usize,
    recovery_median: Option<f64>,
    recovery_most: Option<f64>,
    kills: usize,
    /// How many of them ended at which crash point.
    points: BTreeMap<&'static str, usize>,
    ended: usize,
    left: usize,
    /// Of what is lost, what nobody can read.
    poison_lost: usize,
    stops: usize,
    stops_kept: usize,
    stops_drained: usize,
    longest_stop: f64,
    /// Completions of what was completed before, beyond what was published again.
    duplicates: usize,
    duplicates_share: f64,
    /// By the last fault that had begun by then.
    duplicates_by: BTreeMap<String, usize>,
    /// Runs of one key at once; see `excused`.
    figures: BTreeMap<Figure, usize>,
    excused: Vec<Figure>,
    wrong: Vec<String>,
    /// The lines of some messages that count against a figure.
    #[serde(skip)]
    stories: Vec<String>,
    clean: bool,
}

/// What cannot be held here. A connection that ends hands what it carried to another process at once, while a handler of the
/// first still runs: runs of one key may overlap, and only their completions are in order. On SQS attempts are counted as
/// receives, so that a copy may look like a retry that comes too soon.
fn excused(way: Way) -> &'static [Figure] {
    match way {
        Way::Amqp => &[Figure::Overlap],
        Way::Aws => &[Figure::Overlap, Figure::Early],
    }
}

impl Report {
    pub fn of(
        (asked, phase, broker): (&Asked, &Phase, &'static str),
        told: Told,
        verdict: Option<&Verdict>,
        folder: &Path,
    ) -> Self {
        let (counts, excused) = (verdict.map(Verdict::counts).cloned().unwrap_or_default(), excused(phase.way));
        let after = verdict.map_or_else(Vec::new, |verdict| recoveries(verdict, &told.deeds.restarts));
        let stops: Vec<_> = told.deeds.stops.iter().chain(&told.stops).collect();
        let longest = stops.iter().map(|stop| stop.took).max().unwrap_or_default();
        let duplicates = told.repeated.values().sum();
        Self {
            seed: asked.seed,
            whose: asked.whose,
            transport: phase.way,
            broker,
            published: told.published,
            handled: told.handled,
            dead: counts.dead,
            unknown: counts.unknown,
            rate: told.rate,
            held: told.held,
            seconds: told.took.as_secs_f64(),
            seconds_of_faults: told.raged.as_secs_f64(),
            seconds_to_settle: told.settled.as_secs_f64(),
            kinds: told.deeds.kinds.clone(),
            restarts: after.len(),
            recovery_median: median(&after),
            recovery_most: after.last().copied(),
            kills: told.deeds.kills,
            points: told.deeds.points,
            ended: told.ended,
            left: told.left,
            poison_lost: verdict.map_or(0, poison_lost),
            stops: stops.len(),
            stops_kept: stops.iter().filter(|stop| stop.is_kept()).count(),
            stops_drained: stops.iter().filter(|stop| !stop.is_forced).count(),
            longest_stop: longest.as_secs_f64(),
            duplicates,
            duplicates_share: duplicates as f64 / told.handled.max(1) as f64,
            duplicates_by: told.repeated,
            figures: verdict.into_iter().flat_map(counted).collect(),
            excused: excused.to_vec(),
            stories: verdict.map_or_else(Vec::new, |verdict| stories(verdict, excused, folder)),
            clean: verdict.is_some_and(|verdict| verdict.is_clean_but(excused)),
            wrong: told.wrong,
            faults: told.deeds.faults,
        }
    }

    /// Was every promise kept? Nobody promised anything for tomodachi.
    pub fn is_kept(&self) -> bool {
        let kept = self.clean && self.wrong.is_empty() && self.stops == self.stops_kept && self.handled > 0;
        kept || self.whose == Whose::Tomodachi
    }
}

impl Report {
    /// At which crash points processes ended, and how often.
    fn at_points(&self) -> String {
        let (Some(least), Some(most)) = (self.points.values().min(), self.points.values().max()) else {
            return "0; --kills has them end there, and tests/failpoints".to_owned();
        };
        let named =
            self.points.iter().map(|(point, count)| format!("\n{:36}{count:>4} {point}", "")).collect::<String>();
        format!("{}; {} points, {least} to {most} each{named}", self.points.values().sum::<usize>(), self.points.len())
    }

    /// After which faults most was handled again.
    fn after_faults(&self) -> String {
        let mut most: Vec<_> = self.duplicates_by.iter().collect();
        most.sort_by_key(|(_, count)| Reverse(**count));
        most.iter().take(SHOWN).map(|(fault, count)| format!("\n{:36}{count:>4} after {fault}", "")).collect()
    }

    /// What came of it, where nothing was done but kill.
    pub fn summary(&self) -> String {
        let of = |figure| self.figures.get(&figure).copied().unwrap_or_default();
        format!("killed {}, lost {}, doubled {}", self.kills, of(Figure::Lost), of(Figure::Effects))
    }
}

/// The one in the middle of these, which are sorted; of two, what lies between them.
fn median(sorted: &[f64]) -> Option<f64> {
    let middle = |place: usize| sorted.get(place).copied();
    Some((middle(sorted.len().checked_sub(1)? / 2)? + middle(sorted.len() / 2)?) / 2.0)
}

fn poison_lost(verdict: &Verdict) -> usize {
    verdict.figure(Figure::Lost).iter().filter(|offence| offence.id.starts_with("poison")).count()
}

fn counted(verdict: &Verdict) -> impl Iterator<Item = (Figure, usize)> {
    Figure::ALL.into_iter().map(|figure| (figure, verdict.figure(figure).len()))
}

/// How soon something was completed after each of these faults, in seconds, the soonest first.
fn recoveries(verdict: &Verdict, after: &[String]) -> Vec<f64> {
    let recoveries = verdict.recoveries().iter().filter(|recovery| after.contains(&recovery.fault));
    let mut seconds: Vec<_> = recoveries.filter_map(|recovery| Some(recovery.after?.as_secs_f64())).collect();
    seconds.sort_by(f64::total_cmp);
    seconds
}

/// What the ledgers have of some messages that count against a figure.
fn stories(verdict: &Verdict, excused: &[Figure], folder: &Path) -> Vec<String> {
    let mut told = Vec::new();
    for figure in Figure::ALL.into_iter().filter(|figure| !excused.contains(figure)) {
        for offence in verdict.figure(figure).iter().take(SHOWN) {
            told.push(format!("{figure}: {offence}"));
            let lines = lines_of(folder, &offence.id);
            told.extend(lines.into_iter().take(LINES).map(|line| format!("    {line}")));
        }
    }
    told
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |name: &str, value: String| writeln!(f, "  {name:<34}{value}");
        let whose = match self.whose {
            Whose::Tegami => "tegami",
            Whose::Plain => "tegami, plain handlers only",
            Whose::Tomodachi => "tomodachi",
        };
        line("", String::new())?;
        line("whose, on which broker", format!("{whose}, {}; seed {}", self.broker, self.seed))?;
        let held = self.held.map_or_else(String::new, |held| format!(", of {held} held without faults"));
        line("published a second, as wanted", format!("{}{held}", self.rate))?;
        line("published", format!("{}; {} more without an answer", self.published, self.unknown))?;
        line("handled, dead letters", format!("{}, {}", self.handled, self.dead))?;
        let [faults, settled] = [self.seconds_of_faults, self.seconds_to_settle];
        line("seconds", format!("{:.0}; {faults:.0} of faults, {settled:.0} until all was done", self.seconds))?;
        line("faults, kinds", format!("{}, {}", self.faults.len(), self.kinds.len()))?;
        let seconds = |time: Option<f64>| time.map_or_else(|| "-".to_owned(), |time| format!("{time:.2} s"));
        let [median, most] = [self.recovery_median, self.recovery_most].map(seconds);
        line("recovery, median and most", format!("{median}, {most}; after {} restarts of the broker", self.restarts))?;
        line("processes killed", self.kills.to_string())?;
        line("of these, at crash points", self.at_points())?;
        let (kept, stops, drained) = (self.stops_kept, self.stops, self.stops_drained);
        let longest = format!("{drained} drained, the longest took {:.1} s", self.longest_stop);
        line("stops within their bound", format!("{kept} of {stops} within {} s; {longest}", BOUND.as_secs()))?;
        let share = 100.0 * self.duplicates_share;
        line("handled again", format!("{} ({share:.2} %){}", self.duplicates, self.after_faults()))?;
        for (figure, count) in &self.figures {
            let excused = if self.excused.contains(figure) { " (not promised here)" } else { "" };
            line(figure.as_str(), format!("{count}{excused}"))?;
        }
        if self.wrong.is_empty() && self.clean {
            return Ok(());
        }
        writeln!(f, "\nfaults:")?;
        self.faults.iter().try_for_each(|fault| writeln!(f, "    {fault}"))?;
        self.wrong.iter().chain(&self.stories).try_for_each(|text| writeln!(f, "{text}"))
    }
}
