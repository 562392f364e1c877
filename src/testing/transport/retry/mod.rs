//! R: what fails is tried again.

mod outside;
mod waiting;

pub use outside::{r_06_outage_not_counted, r_07_forged_headers};
pub use waiting::{r_02_schedule, r_03_no_hot_loop, r_04_waiting_frees_slots};

use std::{collections::BTreeMap, time::Duration};

use super::{Done, LetterPosted, Trial, letter, office::Office};
use crate::{HandlerError, Retry, transport::ReasonKind};

/// R1: a handler's error leads to a second attempt; nothing is acked away.
pub async fn r_01_error_is_retried(trial: &Trial) -> Done {
    let plan = Retry::after([Duration::from_millis(50)]);
    let handler = trial.handler(&plan, |_: LetterPosted, ctx| async move {
        if ctx.attempt() == 1 { Err(HandlerError::retry("once")) } else { Ok(()) }
    });
    let service = trial.service("billing").await;
    let service = service.on_with::<LetterPosted>(handler, |subscription| subscription.retry(plan.clone()));
    let running = trial.start(service).await;
    for number in 0..trial.many() / 10 {
        trial.post(running.publisher(), &letter("a", number)).await.expect("somebody listens");
    }
    trial.tally().until_done(trial.many() / 10).await;
    assert_eq!(trial.tally().attempts(), trial.many() / 5, "one failure, one success");
    running.stop().await.expect("no hook can fail");
    Done::Kept
}

/// R1, X2: an error that says so is permanent: one attempt, and the reason says it.
pub async fn r_05_permanent(trial: &Trial) -> Done {
    let handler = |_: LetterPosted, _| async { Err(HandlerError::reject("no such box")) };
    let handler = trial.handler(&Retry::never(), handler);
    let office = Office::open(trial, trial.service("billing").await.on::<LetterPosted>(handler)).await;
    let count = trial.many() / 10;
    for number in 0..count {
        office.post(trial, &letter("a", number)).await;
    }
    for letter in office.dead(count).await {
        let details = (letter.reason(), letter.attempts(), letter.error());
        assert_eq!(details, (ReasonKind::Permanent, 1, "no such box"));
    }
    assert_eq!(trial.tally().attempts(), count, "each is tried once");
    office.close().await;
    Done::Kept
}

/// D1, D4: messages that are returned again and again, as failed or untouched, are all completed in the end.
pub async fn r_08_many_nacks(trial: &Trial) -> Done {
    const MESSAGES: usize = 50;
    const RETURNS: u32 = 6;
    let (transport, plan) = trial.queue("letters").await;
    for number in 0..MESSAGES {
        trial.publish(&*transport, trial.message(&plan, number.to_string())).await.expect("there is room");
    }
    let mut reader = trial.reader(&*transport, &plan).await;
    let mut returned = BTreeMap::<String, u32>::new();
    while trial.tally().done() < MESSAGES {
        let got = reader.next().await;
        let times = returned.entry(got.id().to_owned()).or_default();
        // Every other return is a failure, and only failures count.
        let (attempt, failures) = (got.delivery.attempt, *times / 2);
        if transport.capabilities().exact_attempts {
            assert_eq!(attempt, failures + 1, "{} was returned {times} times", got.id());
        }
        assert!(got.delivery.redelivered || *times == 0, "{} does not say that it came before", got.id());
        *times += 1;
        let settled = match *times {
            times if times > RETURNS => got.ack().await,
            times if times % 2 == 0 => got.retry(Duration::from_millis(10)).await,
            _ => got.release().await,
        };
        settled.expect("the delivery is ours to settle");
    }
    assert_eq!(trial.tally().duplicates(), 0, "nothing is delivered again once it is completed");
    Done::Kept
}
