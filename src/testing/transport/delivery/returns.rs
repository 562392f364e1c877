//! What was not acked comes again, and counts.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use super::killed;
use crate::{
    Context, HandlerError, Retry,
    service::Running,
    testing::transport::{Done, LetterPosted, Trial, cut::Cut, letter, trial::held, until},
};

/// D1, D2: the ack comes after the handler: a delivery whose connection or process ends before that is delivered again.
pub async fn d_01_ack_after_success(trial: &Trial) -> Done {
    if trial.life().is_some() {
        return killed::before_an_ack(trial).await;
    }
    in_work(trial).await;
    let letters = trial.many() / 10;
    let cut = Cut::new(trial.connect().await, trial.chance().usize(1..=letters / 2));
    let first = trial.listen_on(cut.connection(), "billing").await;
    let sender = trial.start(trial.service("mail").await).await;
    for number in 0..letters {
        trial.post(sender.publisher(), &letter("a", number)).await.expect("there is a queue for it");
    }
    until(|| cut.id().is_some()).await;
    let second = trial.listen("billing").await;
    let queue = &trial.queues()[1].name;
    until(|| {
        let runs = trial.tally().of(queue);
        let again = cut.id().and_then(|id| runs.get(&id).copied()).is_some_and(|runs| runs.completed > 1);
        again && runs.values().filter(|runs| runs.completed > 0).count() == letters
    })
    .await;
    for running in [first, second, sender] {
        running.stop().await.expect("no hook can fail");
    }
    killed::is_delivered_again(trial).await
}

/// A delivery in work is not acked: when its connection ends, others get it, uncounted.
async fn in_work(trial: &Trial) {
    let (connection, plan) = trial.queue("letters").await;
    trial.publish(&*connection, trial.message(&plan, "in work")).await.expect("its queue is bound");
    let _in_work = trial.reader(&*connection, &plan).await.next().await;
    connection.close().await;
    let other = trial.connect().await;
    let again = trial.reader(&*other, &plan).await.next().await;
    assert!(again.delivery.redelivered, "somebody may have seen it");
    let most = if other.capabilities().exact_attempts { 1 } else { u32::MAX };
    assert!((1..=most).contains(&again.delivery.attempt), "attempt {}", again.delivery.attempt);
    again.ack().await.expect("the delivery is ours to ack");
}

/// D2: an ack on a connection that is gone is an error or nothing: what others have been handed since stays theirs.
///
/// A second ack of one delivery does not compile.
pub async fn d_06_stale_ack(trial: &Trial) -> Done {
    let (first, plan) = trial.queue("letters").await;
    let (mut ids, mut stale, mut held) = (Vec::new(), Vec::new(), Vec::new());
    let mut reader = trial.reader(&*first, &plan).await;
    for number in 0..3 {
        let message = trial.message(&plan, number.to_string());
        ids.push(message.id.clone());
        trial.publish(&*first, message).await.expect("its queue is bound");
        stale.push(reader.next().await);
    }
    first.close().await;
    let second = trial.connect().await;
    let mut reader = trial.reader(&*second, &plan).await;
    for _ in &ids {
        held.push(reader.next().await);
    }
    for got in stale {
        // Either answer is right; what matters is what it did.
        let _ = got.ack().await;
    }
    for got in held {
        got.release().await.expect("it is still ours");
    }
    reader.complete_all(ids).await;
    Done::Kept
}

/// D4: attempts are counted from 1, one by one where the transport counts exactly, and across restarts of the service
/// and of its process.
pub async fn d_07_attempt_counts(trial: &Trial) -> Done {
    if let Some(life) = trial.life() {
        return killed::after_failures(trial, life).await;
    }
    let attempts = Attempts::default();
    let sender = trial.start(trial.service("mail").await).await;
    let mut running = failing(trial, &attempts).await;
    for number in 0..10 {
        trial.post(sender.publisher(), &letter("a", number)).await.expect("it is bound");
    }
    for restarts in 1..=2 {
        until(|| attempts.least() >= restarts).await;
        running.stop().await.expect("no hook can fail");
        running = failing(trial, &attempts).await;
    }
    trial.tally().until_done(10).await;
    for running in [sender, running] {
        running.stop().await.expect("no hook can fail");
    }
    let is_exact = trial.capabilities().await.exact_attempts;
    for (number, counts) in &*held(&attempts.0) {
        let is_right = if is_exact { *counts == [1, 2, 3, 4] } else { counts.is_sorted() && counts[0] >= 1 };
        assert!(is_right, "letter {number} had the attempts {counts:?}");
    }
    killed::are_counted_on(trial).await
}

/// The attempts at each letter, as they came.
#[derive(Clone, Default)]
struct Attempts(Arc<Mutex<BTreeMap<u64, Vec<u32>>>>);

impl Attempts {
    /// Notes an attempt; how many there were.
    fn note(&self, letter: &LetterPosted, ctx: &Context) -> usize {
        let mut attempts = held(&self.0);
        let counts = attempts.entry(letter.number).or_default();
        counts.push(ctx.attempt());
        counts.len()
    }

    /// The attempts at the letter that had the fewest, once all ten had one.
    fn least(&self) -> usize {
        let attempts = held(&self.0);
        if attempts.len() < 10 { 0 } else { attempts.values().map(Vec::len).min().unwrap_or_default() }
    }
}

/// A service that fails three times at each letter.
async fn failing(trial: &Trial, attempts: &Attempts) -> Running {
    let (plan, attempts) = (Retry::after([Duration::from_millis(100); 10]), attempts.clone());
    let handler = trial.handler(&plan, move |letter: LetterPosted, ctx| {
        let count = attempts.note(&letter, &ctx);
        async move { if count < 4 { Err(HandlerError::retry("not yet")) } else { Ok(()) } }
    });
    let service = trial.service("billing").await;
    trial.start(service.on_with::<LetterPosted>(handler, |subscription| subscription.retry(plan))).await
}
