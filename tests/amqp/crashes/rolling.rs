//! F28: SIGTERM while handlers run.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures_util::future::join_all;
use tegami::{
    Event, Publisher,
    service::Running,
    testing::{
        ledger::{Ended, Entry},
        transport::{Done, End, LetterPosted, Trial, letter},
    },
};

use super::{
    HIDDEN, ROLLS, chance,
    lives::{listen, listen_and_end},
    must_end,
};

/// How many publish at once, and how often each of them: as much as either replica can take.
const POSTERS: usize = 8;
const EACH: Duration = Duration::from_millis(20);

pub async fn f28_replicas_that_roll_lose_and_repeat_nothing(trial: &Trial) -> Done {
    rolled::<LetterPosted>(trial, |_, number| letter("rolling", number)).await
}

/// Two replicas that read what all posters write, each by its number.
pub async fn rolled<E: Event>(trial: &Trial, write: fn(usize, usize) -> E) -> Done {
    if trial.life().is_some() {
        return a_replica::<E>(trial).await;
    }
    let made = listen::<E>(trial).await;
    made.stop().await.expect("no hook can fail");
    let sender = trial.start(trial.service("mail").await).await;
    let posted = roll_under_load(trial, &sender, write).await;
    let mut completed = completed_by_lives(trial);
    let by_lives = completed.len();
    assert!(by_lives >= 2 * ROLLS, "the replicas handled only {by_lives}");
    let last = listen::<E>(trial).await;
    trial.tally().until_done(posted - by_lives).await;
    tokio::time::sleep(HIDDEN).await;
    trial.tally().until_quiet().await;
    for (id, runs) in trial.tally().of(&trial.queues()[0].name) {
        *completed.entry(id).or_default() += runs.completed;
    }
    let twice = completed.values().filter(|times| **times > 1).count();
    assert_eq!((completed.len(), twice), (posted, 0), "each once");
    println!("{} stops under load: those replicas handled {by_lives} of {posted} letters, none twice", 2 * ROLLS);
    for running in [sender, last] {
        running.stop().await.expect("no hook can fail");
    }
    Done::Kept
}

/// Replaces both replicas while letters come, and tells how many came.
async fn roll_under_load<E: Event>(trial: &Trial, sender: &Running, write: fn(usize, usize) -> E) -> usize {
    let rolled = &AtomicBool::new(false);
    let posts =
        (0..POSTERS).map(|poster| post_until(rolled, trial, (sender.publisher(), move |number| write(poster, number))));
    let rolls = async {
        tokio::join!(roll(trial, 1), roll(trial, 2));
        rolled.store(true, Ordering::Relaxed);
    };
    let (posted, ()) = tokio::join!(join_all(posts), rolls);
    posted.into_iter().sum()
}

/// Publishes one letter after the other while the replicas are replaced, and tells how many.
async fn post_until<E: Event>(
    rolled: &AtomicBool,
    trial: &Trial,
    (by, write): (&Publisher, impl Fn(usize) -> E),
) -> usize {
    let (mut posted, mut pace) = (0, tokio::time::interval(EACH));
    while !rolled.load(Ordering::Relaxed) {
        pace.tick().await;
        trial.post(by, &write(posted)).await.expect("there is a queue for it");
        posted += 1;
    }
    posted
}

/// One of the two replicas, replaced again and again.
async fn roll(trial: &Trial, first: usize) {
    for roll in 0..ROLLS {
        must_end(trial, first + 2 * roll, End::Well).await;
    }
}

fn completed_by_lives(trial: &Trial) -> BTreeMap<String, usize> {
    let mut completed = BTreeMap::new();
    for entry in trial.told_by_lives() {
        if let Entry::RunEnd { id, ended: Ended::Ok, .. } = entry {
            *completed.entry(id).or_default() += 1;
        }
    }
    completed
}

/// Runs as `main` would, and is asked to stop while it handles letters.
async fn a_replica<E: Event>(trial: &Trial) -> Done {
    let asked = Duration::from_millis(chance(trial).u64(20..400));
    let service = listen_and_end::<E>(trial, "-TERM", asked, |s| s.concurrency(10)).await;
    service.run().await.expect("no hook can fail");
    Done::Kept
}
