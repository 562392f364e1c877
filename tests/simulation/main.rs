//! Whole worlds from a seed: services that start, stop and die on a transport on which everything goes wrong that may.
//!
//! Time is virtual and all chance comes from the seed, so a seed is a story that can be told again. Every step is held
//! against a model of the delivery contract, the end against what must have come of it; each seed runs twice, and its
//! two traces must be the same.
//!
//! - `SIMULATION_SEEDS=10000` tells more stories than usual, `SIMULATION_FROM=5000` others; `scripts/soak simulation` does both.
//! - `SIMULATION_SEED=17` tells one, and prints its trace.
//!
//! That it sees what goes wrong, `scripts/mutants` shows.
//!
//! `plan` draws the world, `wire` is the transport, `office` the database with outbox and inbox, `leases` those on ticks,
//! `load` the handlers and publishers, `books` the projections, `reading` what feeds handlers from the store, `errand`
//! processes with timeouts, `tower` what runs by the clock, `replica` the services' lives, `model` what must hold, and `run`
//! puts them together. A new fault goes into `wire`, `office` or `leases`, a new promise into `model`, a new
//! component beside `replica`; each tells what it does as a `Happened`.

mod books;
mod errand;
mod happened;
mod leases;
mod load;
mod model;
mod office;
mod plan;
mod reading;
mod replica;
mod run;
mod tower;
mod trace;
mod wire;
mod world;

use std::{
    env,
    ops::Range,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use run::{Outcome, simulate};

/// How many seeds every test run tries.
const SEEDS: u64 = 1_000;
/// How many failures are enough to stop at.
const ENOUGH: u64 = 20;

#[test]
fn every_promise_holds_on_every_seed_and_every_seed_repeats_itself() {
    let number = |name: &str| env::var(name).ok().map(|text| text.parse().expect("a seed is a number"));
    match number("SIMULATION_SEED") {
        Some(seed) => tell(seed),
        None => {
            let from = number("SIMULATION_FROM").unwrap_or(0);
            let to = from + number("SIMULATION_SEEDS").unwrap_or(SEEDS);
            tell_all(from..to, number("SIMULATION_ENOUGH").unwrap_or(ENOUGH));
        }
    }
}

/// Tells one story in full.
fn tell(seed: u64) {
    let outcome = simulate(seed);
    println!("{}", outcome.trace.whole());
    judge(seed, outcome).unwrap_or_else(|told| panic!("{told}"));
}

/// What became of a seed.
type Judged = (u64, Result<[usize; 8], String>);

/// Tells all of these, on every core; fewer, if enough fail.
fn tell_all(seeds: Range<u64>, enough: u64) {
    let began = Instant::now();
    let (next, told) = (AtomicU64::new(seeds.start), Mutex::new(Vec::new()));
    let failures = AtomicU64::new(0);
    let work = || {
        while failures.load(Ordering::Relaxed) < enough {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if !seeds.contains(&seed) {
                return;
            }
            let judged = judge(seed, simulate(seed));
            failures.fetch_add(judged.is_err().into(), Ordering::Relaxed);
            told.lock().unwrap().push((seed, judged));
        }
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| (0..cores).for_each(|_| drop(scope.spawn(work))));
    let mut told = told.into_inner().unwrap();
    told.sort();
    sum_up(&told, began.elapsed());
}

/// Prints what all of it was worth; fails with the first that is broken.
fn sum_up(told: &[Judged], took: Duration) {
    let sum = |place: usize| told.iter().flat_map(|(_, judged)| judged).map(|figures| figures[place]).sum::<usize>();
    let [steps, stored, done, dead, kept, effects, ticks, made] = [0, 1, 2, 3, 4, 5, 6, 7].map(sum);
    println!(
        "{} seeds twice in {took:.1?}: {steps} steps, {stored} messages, {done} completed, {dead} dead, \
         {kept} by an outbox, {effects} effects, {ticks} ticks, {made} projected",
        told.len()
    );
    let failed: Vec<u64> = told.iter().filter(|(_, judged)| judged.is_err()).map(|(seed, _)| *seed).collect();
    if let Some(Err(first)) = told.iter().map(|(_, judged)| judged).find(|judged| judged.is_err()) {
        panic!("{} of {} seeds fail: {failed:?}\n{first}", failed.len(), told.len());
    }
}

/// Steps and figures; or what is broken, and how to see it again.
fn judge(seed: u64, Outcome { trace, verdict, figures }: Outcome) -> Result<[usize; 8], String> {
    let again = simulate(seed).trace;
    let replay = format!("replay it with: SIMULATION_SEED={seed} cargo test --test simulation -- --nocapture");
    verdict.map_err(|broken| format!("seed {seed}: {broken}\n{trace}{replay}"))?;
    if trace.hash() != again.hash() {
        return Err(format!("seed {seed} does not repeat itself:\n{}\n{replay}", trace.parts_from(&again)));
    }
    let [stored, done, dead, kept, effects, ticks, made] = figures;
    Ok([trace.steps(), stored, done, dead, kept, effects, ticks, made])
}
