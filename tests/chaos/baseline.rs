//! How much is held without faults: the rate goes up until those that come late come too late, or more is published than
//! handled.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::{book::Book, crew::Crew};

/// How long each rate is tried.
const STEP: Duration = Duration::from_secs(6);
/// By how much the rate grows.
const GROWTH: f64 = 1.5;
/// Where it begins and ends, in messages a second.
const FIRST: f64 = 60.0;
const LAST: f64 = 5_000.0;
/// What nine of ten take at most, from the begin of the publish to the end of the handler. The tenth may be drawn to fail or
/// to be slow.
const LATE: Duration = Duration::from_millis(250);
/// The share that the rest of the run goes at.
const SHARE: f64 = 0.7;

/// What was found.
#[derive(Debug, Clone, Copy)]
pub struct Held {
    /// Messages a second that were handled.
    pub rate: u32,
    /// The rate for the rest of the run.
    pub chosen: u32,
}

/// Looks for it.
pub async fn find(crew: &Crew, book: &mut Book) -> Held {
    let (mut rate, mut held) = (FIRST, 0.0_f64);
    loop {
        let handled = step(crew, book, rate).await;
        held = held.max(handled.unwrap_or_default());
        if handled.is_none() || rate > LAST {
            break;
        }
        rate *= GROWTH;
    }
    let chosen = (held * SHARE).max(FIRST / 2.0) as u32;
    crew.rate(chosen).await;
    Held { rate: held as u32, chosen }
}

/// Tries a rate: how many messages a second were handled; none, if that was not held.
async fn step(crew: &Crew, book: &mut Book, rate: f64) -> Option<f64> {
    crew.rate(rate as u32).await;
    // Until it is so.
    sleep(STEP / 3).await;
    let (before, _) = seen(book);
    let began = Instant::now();
    sleep(STEP).await;
    let took = began.elapsed().as_secs_f64();
    let (after, slowest) = seen(book);
    let [published, handled] = [0, 1].map(|which| (after[which] - before[which]) as f64);
    let slowest = slowest?;
    println!(
        "   without faults, {rate:.0} a second: {published} published, {handled} handled, nine of ten in {slowest:.0?}"
    );
    let is_held = handled >= 0.95 * published && published / took >= 0.8 * rate && slowest <= LATE;
    is_held.then_some(handled / took)
}

fn seen(book: &mut Book) -> ([usize; 2], Option<Duration>) {
    book.read();
    ([book.published, book.handled], book.slowest())
}
