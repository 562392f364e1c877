//! What a failed message does until its next attempt: it waits long enough, and takes nothing from others.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::Instant;

use super::super::{Done, LetterPosted, Trial, letter, office::Office, process::time_on_cpu, trial::held};
use crate::{HandlerError, Retry, transport::ReasonKind};

/// R2, X1: attempts come at the delays of the plan, a quarter later at most; after the last it is a dead letter.
pub async fn r_02_schedule(trial: &Trial) -> Done {
    let plan = Retry::after([50, 100, 250, 500, 1_000].map(Duration::from_millis));
    let starts = Arc::new(Mutex::new(BTreeMap::<String, Vec<Instant>>::new()));
    let (noted, clock) = (starts.clone(), trial.clock);
    let handler = trial.handler(&plan, move |_: LetterPosted, ctx| {
        held(&noted).entry(ctx.message_id().to_string()).or_default().push(clock.instant());
        async { Err(HandlerError::retry("no ink")) }
    });
    let service = trial.service("billing").await;
    let service = service.on_with::<LetterPosted>(handler, |subscription| subscription.retry(plan.clone()));
    let office = Office::open(trial, service).await;
    let count = trial.many() / 50;
    for number in 0..count {
        office.post(trial, &letter("a", number)).await;
    }
    for letter in office.dead(count).await {
        assert_eq!((letter.reason(), letter.error()), (ReasonKind::HandlerError, "no ink"));
        assert_eq!(letter.attempts(), plan.attempts());
    }
    for starts in held(&starts).values() {
        keeps_to(&plan, starts);
    }
    office.close().await;
    Done::Kept
}

fn keeps_to(plan: &Retry, starts: &[Instant]) {
    assert_eq!(starts.len(), plan.delays().len() + 1, "every attempt of the plan is made, and no other");
    for (pair, delay) in starts.windows(2).zip(plan.delays()) {
        let (gap, latest) = (pair[1] - pair[0], delay.mul_f64(1.25) + Duration::from_secs(1));
        assert!(gap >= *delay && gap <= latest, "{gap:?} between two attempts, planned {delay:?}");
    }
}

/// R2, R3: what fails every time is tried as often as planned and costs next to nothing while it waits.
pub async fn r_03_no_hot_loop(trial: &Trial) -> Done {
    const MESSAGES: usize = 10;
    const RETRIES: u32 = 20;
    let Some(before) = time_on_cpu() else { return Done::NotHere("Linux's /proc, to read the time on processors") };
    let lasting = Duration::from_millis(10).saturating_mul(trial.many() as u32).max(Duration::from_secs(3));
    let plan = Retry::after(std::iter::repeat_n(lasting / RETRIES, RETRIES as usize));
    let handler = trial.handler(&plan, |_: LetterPosted, _| async { Err(HandlerError::retry("no ink")) });
    let service = trial.service("billing").await;
    let service = service.on_with::<LetterPosted>(handler, |subscription| subscription.retry(plan.clone()));
    let office = Office::open(trial, service).await;
    let began = trial.clock.instant();
    for number in 0..MESSAGES {
        office.post(trial, &letter("a", number)).await;
    }
    office.dead(MESSAGES).await;
    let (took, used) = (began.elapsed(), time_on_cpu().unwrap_or_default() - before);
    assert_eq!(trial.tally().attempts(), MESSAGES * plan.attempts() as usize, "attempts as planned");
    assert!(took >= lasting, "{RETRIES} delays over in {took:?}, planned {lasting:?}");
    assert!(used < took / 5, "{used:?} on processors in {took:?}: something does not sleep");
    office.close().await;
    Done::Kept
}

/// R3: messages that wait for their retry take no slot from those that can be handled.
pub async fn r_04_waiting_frees_slots(trial: &Trial) -> Done {
    let plan = Retry::after([Duration::from_secs(15)]);
    let handler = trial.handler(&plan, |letter: LetterPosted, ctx| async move {
        if letter.r#box == "bad" && ctx.attempt() == 1 { Err(HandlerError::retry("not yet")) } else { Ok(()) }
    });
    let choose = |subscription: crate::Subscription<_>| subscription.retry(plan.clone()).concurrency(1);
    let service = trial.service("billing").await.on_with::<LetterPosted>(handler, choose);
    let office = Office::open(trial, service).await;
    let (bad, good) = (trial.many(), trial.many() / 10);
    for number in 0..bad {
        office.post(trial, &letter("bad", number)).await;
    }
    for number in 0..good {
        office.post(trial, &letter("good", number)).await;
    }
    trial.tally().until_done(good).await;
    assert_eq!(trial.tally().attempts(), bad + good, "the good ones are done before any of the bad ones comes again");
    trial.tally().until_done(bad + good).await;
    office.close().await;
    Done::Kept
}
