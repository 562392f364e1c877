//! What a failed message does until its next attempt: it waits long enough, and takes nothing from others.

use std::{
    collections::BTreeMap,
    future::pending,
    panic::resume_unwind,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::future::join_all;
use tokio::time::Instant;

use super::super::{
    Done, LetterPosted, Trial, letter, office::Office, process::time_on_cpu, tally::until, trial::held,
};
use crate::{Context, HandlerError, Retry, envelope::MessageId, transport::ReasonKind};

/// R2, X1: attempts come at the delays of the plan, a quarter later at most; after the last it is a dead letter.
pub async fn r_02_schedule(trial: &Trial) -> Done {
    let plan = Retry::after([50, 100, 250, 500, 1_000].map(Duration::from_millis));
    let starts = Starts::default();
    let (noted, clock) = (starts.clone(), trial.clock);
    let handler = trial.handler(&plan, move |letter: LetterPosted, ctx| {
        held(&noted).entry((letter.r#box.clone(), letter.number)).or_default().push(clock.instant());
        fail(letter, ctx)
    });
    let service = trial.service("billing").await;
    let choose = |subscription: crate::Subscription<_>| subscription.retry(plan.clone()).timeout(LATE);
    let office = Office::open(trial, service.on_with::<LetterPosted>(handler, choose)).await;
    let each = (trial.many() / 100).max(2);
    for number in 0..each {
        for (way, _) in WAYS {
            office.post(trial, &letter(way, number)).await;
        }
    }
    let dead = office.dead(WAYS.len() * each).await;
    assert!(dead.iter().all(|letter| letter.attempts() == plan.attempts()), "{dead:?}");
    for (way, reason) in WAYS {
        assert_eq!(dead.iter().filter(|letter| letter.reason() == reason).count(), each, "{way}");
    }
    let (step, late) = (trial.capabilities().await.delay_step, trial.allow(Duration::from_secs(1)));
    for ((way, number), starts) in &*held(&starts) {
        keeps_to(&plan, (starts, step, late), &format!("{way} {number}"));
    }
    office.close().await;
    Done::Kept
}

/// When each letter was tried, by its box and number.
type Starts = Arc<Mutex<BTreeMap<(String, u64), Vec<Instant>>>>;

/// How a handler fails at the letters of a box.
const WAYS: [(&str, ReasonKind); 3] =
    [("error", ReasonKind::HandlerError), ("panic", ReasonKind::HandlerPanic), ("late", ReasonKind::HandlerTimeout)];
/// How long a handler may take.
const LATE: Duration = Duration::from_millis(200);

async fn fail(letter: LetterPosted, _: Context) -> Result<(), HandlerError> {
    match letter.r#box.as_str() {
        // Without the panic hook, whose lines would be all there is to read.
        "panic" => resume_unwind(Box::new("the handler has had enough")),
        "late" => pending().await,
        _ => Err(HandlerError::retry("no ink")),
    }
}

/// The attempts are as far apart as planned; where the transport counts in steps, up to two more: it rounds up, and
/// looks from step to step.
fn keeps_to(plan: &Retry, (starts, step, late): (&[Instant], Duration, Duration), what: &str) {
    assert_eq!(starts.len(), plan.delays().len() + 1, "every attempt of the plan is made, and no other: {what}");
    let took = if what.starts_with("late") { LATE } else { Duration::ZERO };
    for (pair, delay) in starts.windows(2).zip(plan.delays()) {
        let (gap, latest) = (pair[1] - pair[0] - took, delay.mul_f64(1.25) + 2 * step + late);
        assert!(gap >= *delay && gap <= latest, "{gap:?} between two attempts at {what}, planned {delay:?}");
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
    let plan = Retry::after([Duration::from_secs(30)]);
    let handler = trial.handler(&plan, |letter: LetterPosted, ctx| async move {
        if letter.r#box == "bad" && ctx.attempt() == 1 { Err(HandlerError::retry("not yet")) } else { Ok(()) }
    });
    let choose = |subscription: crate::Subscription<_>| subscription.retry(plan.clone()).concurrency(1);
    let service = trial.service("billing").await.on_with::<LetterPosted>(handler, choose);
    let office = Office::open(trial, service).await;
    // Few, for one at a time must be done with all of them before the first comes again.
    let (bad, good) = (50, 10);
    let post = async |r#box, many| {
        let letters: Vec<_> = (0..many).map(|number| letter(r#box, number)).collect();
        join_all(letters.iter().map(|letter| office.post(trial, letter))).await
    };
    let tried = |id: &MessageId| trial.tally().of(&office.queue.name).get(id.as_str()).copied().unwrap_or_default();
    let waiting = post("bad", bad).await;
    until(|| trial.tally().attempts() >= bad).await;
    let fit = post("good", good).await;
    until(|| fit.iter().all(|id| tried(id).completed > 0)).await;
    let again = waiting.iter().filter(|id| tried(id).begun > 1).count();
    assert_eq!(again, 0, "the good ones are done before any of the bad ones comes again");
    trial.tally().until_done(bad + good).await;
    office.close().await;
    Done::Kept
}
