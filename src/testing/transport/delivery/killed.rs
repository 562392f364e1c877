//! What was in work when its process was killed.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};

use crate::{
    HandlerError, Retry,
    service::Running,
    testing::{
        ledger::Entry,
        transport::{
            Done, LetterPosted, Trial, letter,
            life::{Dies, End, NEEDS, Settled},
            tampered,
            trial::held,
            until,
        },
    },
};

/// Letters that are tried.
const LETTERS: usize = 10;
/// How many processes fail at each letter and are killed; the next one fails once more.
const LIVES: usize = 2;

/// A life of the service: it ends between the end of a handler and its ack.
pub(super) async fn before_an_ack(trial: &Trial) -> Done {
    let dies = Dies::at(Settled::BeforeAck, trial.chance().usize(1..=LETTERS / 2));
    let _running = trial.listen_on(tampered(trial.connect().await, Arc::new(dies)), "billing").await;
    pending().await
}

/// What a killed process had handled and not acked is delivered again, and all the rest is delivered.
pub(super) async fn is_delivered_again(trial: &Trial) -> Done {
    if !trial.capabilities().await.durable {
        return Done::Kept;
    }
    let sender = trial.start(trial.service("mail").await).await;
    let posted: BTreeSet<String> = post(trial, &sender).await.into_iter().collect();
    if trial.live(1).await != Some(End::Killed) {
        return left_to_others(trial, sender).await;
    }
    let before = trial.completed_by_lives();
    let (running, queue) = (trial.listen("billing").await, &trial.queues()[1].name);
    until(|| {
        let here = trial.tally().of(queue);
        let is_done = |id: &String| here.get(id).is_some_and(|runs| runs.completed > 0);
        before.iter().any(is_done) && posted.iter().all(|id| before.contains(id) || is_done(id))
    })
    .await;
    // What was acked just before the kill may come again, now or at the end.
    for running in [sender, running] {
        running.stop().await.expect("no hook can fail");
    }
    Done::Kept
}

/// Where no process can be killed, what was posted for one must be handled all the same.
async fn left_to_others(trial: &Trial, sender: Running) -> Done {
    let running = trial.listen("billing").await;
    trial.until_settled().await;
    for running in [sender, running] {
        running.stop().await.expect("no hook can fail");
    }
    Done::NotHere(NEEDS)
}

/// A life of the service: it has failed once at each letter, and ends.
pub(super) async fn after_failures(trial: &Trial, life: usize) -> Done {
    let dies = Dies::at(Settled::AfterRetry, LETTERS);
    let connection = tampered(trial.connect().await, Arc::new(dies));
    let plan = plan();
    let handler = trial.handler(&plan, move |_: LetterPosted, ctx| async move {
        if ctx.attempt() as usize > life {
            // The next life's: it came before the last letter had failed here.
            pending::<()>().await;
        }
        Err(HandlerError::retry("not in this life"))
    });
    let service = trial.service_on(connection, "billing");
    let choose = |s: crate::Subscription<_>| s.retry(plan.clone()).concurrency(2 * LETTERS);
    let _running = trial.start(service.on_with::<LetterPosted>(handler, choose)).await;
    pending().await
}

fn plan() -> Retry {
    Retry::after([Duration::from_millis(100); 10])
}

/// Attempts go on where they were when the process was killed, and being killed is none.
pub(super) async fn are_counted_on(trial: &Trial) -> Done {
    let capabilities = trial.capabilities().await;
    if !capabilities.durable {
        return Done::Kept;
    }
    let sender = trial.start(trial.service("mail").await).await;
    let posted = post(trial, &sender).await;
    for life in 1..=LIVES {
        if trial.live(life).await != Some(End::Killed) {
            return left_to_others(trial, sender).await;
        }
    }
    let attempts = attempts_of_lives(trial);
    let running = last_life(trial, &attempts).await;
    trial.until_settled().await;
    for running in [sender, running] {
        running.stop().await.expect("no hook can fail");
    }
    for id in posted {
        // A delivery whose settlement the kill cut off comes once more, as what it was.
        let attempts: BTreeSet<u32> = held(&attempts).remove(&id).unwrap_or_default().into_iter().collect();
        let is_right = !capabilities.exact_attempts || attempts == BTreeSet::from([1, 2, 3, 4]);
        assert!(is_right, "{id} had the attempts {attempts:?}, and its process was killed {LIVES} times");
    }
    Done::Kept
}

/// The attempts at each message, as they came.
type Attempts = Arc<Mutex<BTreeMap<String, Vec<u32>>>>;

fn attempts_of_lives(trial: &Trial) -> Attempts {
    let attempts = Attempts::default();
    for entry in trial.told_by_lives() {
        if let Entry::RunBegin { id, attempt, .. } = entry {
            held(&attempts).entry(id).or_default().push(attempt);
        }
    }
    attempts
}

/// Fails once more at each letter, and then completes it.
async fn last_life(trial: &Trial, attempts: &Attempts) -> Running {
    let (plan, attempts) = (plan(), attempts.clone());
    let handler = trial.handler(&plan, move |_: LetterPosted, ctx| {
        held(&attempts).entry(ctx.message_id().to_string()).or_default().push(ctx.attempt());
        let is_last = ctx.attempt() as usize > LIVES + 1;
        async move { if is_last { Ok(()) } else { Err(HandlerError::retry("once more")) } }
    });
    let service = trial.service("billing").await;
    trial.start(service.on_with::<LetterPosted>(handler, |s| s.retry(plan.clone()).concurrency(2 * LETTERS))).await
}

async fn post(trial: &Trial, by: &Running) -> Vec<String> {
    let mut posted = Vec::new();
    for number in 0..LETTERS {
        let id = trial.post(by.publisher(), &letter("killed", number)).await.expect("there is a queue for it");
        posted.push(id.to_string());
    }
    posted
}
