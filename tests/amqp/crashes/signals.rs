//! F28, F29: SIGTERM while handlers run.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use tegami::{
    Retry,
    testing::{
        ledger::{Ended, Entry},
        transport::{Done, End, LetterPosted, Trial, letter},
    },
};

use super::{chance, must_end, signalled};

/// How often each of two replicas is replaced.
const ROLLS: usize = 5;
/// How many messages there are while they roll.
const LETTERS: usize = 2_000;
/// How long the hanging handler has.
const DRAIN: Duration = Duration::from_secs(1);
/// Beyond that (S1), and to begin.
const AFTER_DRAIN: Duration = Duration::from_secs(10);
const BEGIN: Duration = Duration::from_secs(5);

pub async fn f28_replicas_that_roll_lose_and_repeat_nothing(trial: &Trial) -> Done {
    if trial.life().is_some() {
        return a_replica(trial).await;
    }
    let made = trial.listen("billing").await;
    made.stop().await.expect("no hook can fail");
    let sender = trial.start(trial.service("mail").await).await;
    tokio::join!(roll(trial, 1), roll(trial, 2), async {
        for number in 0..LETTERS {
            trial.post(sender.publisher(), &letter("rolling", number)).await.expect("there is a queue for it");
        }
    });
    let mut completed = completed_by_lives(trial);
    let by_lives = completed.len();
    assert!(by_lives > LETTERS / 10, "the replicas handled only {by_lives}");
    let last = trial.listen("billing").await;
    trial.tally().until_quiet().await;
    for (id, runs) in trial.tally().of(&trial.queues()[0].name) {
        *completed.entry(id).or_default() += runs.completed;
    }
    let twice = completed.values().filter(|times| **times > 1).count();
    assert_eq!((completed.len(), twice), (LETTERS, 0), "each once");
    println!("{} stops under load: {by_lives} letters handled by those replicas, none twice", 2 * ROLLS);
    for running in [sender, last] {
        running.stop().await.expect("no hook can fail");
    }
    Done::Kept
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

pub async fn f29_a_handler_that_hangs_holds_no_stop(trial: &Trial) -> Done {
    if trial.life().is_some() {
        return a_hanging_one(trial).await;
    }
    let made = trial.listen("billing").await;
    trial.post(made.publisher(), &letter("hanging", 0)).await.expect("there is a queue for it");
    trial.tally().until_done(1).await;
    made.stop().await.expect("no hook can fail");
    let sender = trial.start(trial.service("mail").await).await;
    let id = trial.post(sender.publisher(), &letter("hanging", 1)).await.expect("there is a queue for it");
    let began = Instant::now();
    must_end(trial, 1, End::Forced).await;
    let took = began.elapsed();
    assert!(took <= BEGIN + DRAIN + AFTER_DRAIN, "it took {took:?}");
    let plan = Retry::default();
    let handler = trial.handler(&plan, |_: LetterPosted, ctx| async move {
        assert_eq!(ctx.attempt(), 1, "a stop is no failed attempt");
        Ok(())
    });
    let last = trial.start(trial.service("billing").await.on::<LetterPosted>(handler)).await;
    trial.tally().until_done(2).await;
    assert_eq!(trial.tally().of(&trial.queues()[0].name)[id.as_str()].begun, 1, "it comes back once");
    for running in [sender, last] {
        running.stop().await.expect("no hook can fail");
    }
    Done::Kept
}

/// Is asked to stop, and its handler does not care.
async fn a_hanging_one(trial: &Trial) -> Done {
    let plan = Retry::default();
    let handler = trial.handler(&plan, |_: LetterPosted, _| {
        signalled("-TERM", Duration::ZERO);
        std::future::pending()
    });
    let service = trial.service("billing").await.drain(DRAIN).on::<LetterPosted>(handler);
    service.run().await.expect("no hook can fail");
    Done::Kept
}
