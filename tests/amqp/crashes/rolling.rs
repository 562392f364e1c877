//! F28: SIGTERM while handlers run.

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::join_all;
use tegami::{
    Publisher, Retry,
    testing::{
        ledger::{Ended, Entry},
        transport::{Done, End, LetterPosted, Trial, letter},
    },
};

use super::{HIDDEN, ROLLED, ROLLS, chance, must_end, signalled};

/// How many publish at once.
const POSTERS: usize = 8;

pub async fn f28_replicas_that_roll_lose_and_repeat_nothing(trial: &Trial) -> Done {
    if trial.life().is_some() {
        return a_replica(trial).await;
    }
    let made = trial.listen("billing").await;
    made.stop().await.expect("no hook can fail");
    let sender = trial.start(trial.service("mail").await).await;
    let posts = (0..POSTERS).map(|poster| post(trial, sender.publisher(), poster));
    tokio::join!(roll(trial, 1), roll(trial, 2), join_all(posts));
    let mut completed = completed_by_lives(trial);
    let by_lives = completed.len();
    assert!(by_lives > ROLLED / 10, "the replicas handled only {by_lives}");
    let last = trial.listen("billing").await;
    tokio::time::sleep(HIDDEN).await;
    trial.tally().until_quiet().await;
    for (id, runs) in trial.tally().of(&trial.queues()[0].name) {
        *completed.entry(id).or_default() += runs.completed;
    }
    let twice = completed.values().filter(|times| **times > 1).count();
    assert_eq!((completed.len(), twice), (ROLLED, 0), "each once");
    println!("{} stops under load: {by_lives} letters handled by those replicas, none twice", 2 * ROLLS);
    for running in [sender, last] {
        running.stop().await.expect("no hook can fail");
    }
    Done::Kept
}

/// Publishes this poster's share of the letters, one after the other.
async fn post(trial: &Trial, by: &Publisher, poster: usize) {
    for number in (poster..ROLLED).step_by(POSTERS) {
        trial.post(by, &letter("rolling", number)).await.expect("there is a queue for it");
    }
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
async fn a_replica(trial: &Trial) -> Done {
    let (plan, asked) = (Retry::default(), Duration::from_millis(chance(trial).u64(20..400)));
    let first = std::sync::Once::new();
    let handler = trial.handler(&plan, move |_: LetterPosted, _| {
        first.call_once(|| signalled("-TERM", asked));
        async {
            tokio::time::sleep(Duration::from_millis(10)).await;
            Ok(())
        }
    });
    let service = trial.service("billing").await.on_with::<LetterPosted>(handler, |s| s.concurrency(10));
    service.run().await.expect("no hook can fail");
    Done::Kept
}
