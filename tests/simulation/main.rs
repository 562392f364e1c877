//! Whole worlds from a seed: services that start, stop and die on a transport on which everything goes wrong that may.
//!
//! Time is virtual and all chance comes from the seed, so a seed is a story that can be told again. Every step is held
//! against a model of the delivery contract, the end against what must have come of it; each seed runs twice, and its
//! two traces must be the same.
//!
//! - `SIMULATION_SEEDS=10000` tells more stories than usual.
//! - `SIMULATION_SEED=17` tells one, and prints its trace.
//!
//! `plan` draws the world, `wire` is the transport, `load` the handlers and publishers, `replica` the processes, `model`
//! what must hold, and `run` puts them together. A new fault goes into `wire`, a new promise into `model`, a new
//! component beside `replica`; each tells what it does as a `Happened`.

mod happened;
mod load;
mod model;
mod plan;
mod replica;
mod run;
mod trace;
mod wire;
mod world;

use std::{
    env,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Instant,
};

use run::{Outcome, simulate};

/// How many seeds every test run tries.
const SEEDS: u64 = 200;

#[test]
fn every_promise_holds_on_every_seed_and_every_seed_repeats_itself() {
    let number = |name: &str| env::var(name).ok().map(|text| text.parse().expect("a seed is a number"));
    match number("SIMULATION_SEED") {
        Some(seed) => tell(seed),
        None => tell_all(number("SIMULATION_SEEDS").unwrap_or(SEEDS)),
    }
}

/// Tells one story in full.
fn tell(seed: u64) {
    let outcome = simulate(seed);
    println!("{}", outcome.trace.whole());
    judge(seed, outcome).unwrap_or_else(|told| panic!("{told}"));
}

/// Tells so many, on every core.
fn tell_all(seeds: u64) {
    let began = Instant::now();
    let (next, told) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some(seed) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|seed| *seed < seeds) {
            let judged = judge(seed, simulate(seed));
            told.lock().unwrap().push((seed, judged));
        }
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| (0..cores).for_each(|_| drop(scope.spawn(work))));
    let mut told = told.into_inner().unwrap();
    told.sort();
    let (kept, broken): (Vec<_>, Vec<_>) = told.into_iter().partition(|(_, judged)| judged.is_ok());
    let sum = |place: usize| kept.iter().flat_map(|(_, judged)| judged).map(|figures| figures[place]).sum::<usize>();
    let [steps, stored, done, dead] = [0, 1, 2, 3].map(sum);
    let took = began.elapsed();
    println!("{seeds} seeds twice in {took:?}: {steps} steps, {stored} messages, {done} completed, {dead} dead");
    let failed: Vec<u64> = broken.iter().map(|(seed, _)| *seed).collect();
    if let Some((_, Err(first))) = broken.first() {
        panic!("{} of {seeds} seeds fail: {failed:?}\n{first}", failed.len());
    }
}

/// Steps, messages, completed and given up on; or what is broken, and how to see it again.
fn judge(seed: u64, Outcome { trace, verdict, figures }: Outcome) -> Result<[usize; 4], String> {
    let again = simulate(seed).trace;
    let replay = format!("replay it with: SIMULATION_SEED={seed} cargo test --test simulation -- --nocapture");
    verdict.map_err(|broken| format!("seed {seed}: {broken}\n{trace}{replay}"))?;
    if trace.hash() != again.hash() {
        return Err(format!("seed {seed} does not repeat itself:\n{}\n{replay}", trace.parts_from(&again)));
    }
    let [stored, done, dead] = figures;
    Ok([trace.steps(), stored, done, dead])
}
