//! Delayed messages: through a topic their reader keeps them back, straight in a queue SQS does, for as long as it can.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tegami::{
    HandlerError, Retry,
    envelope::{MessageId, Sealed},
    testing::transport::{Case, Done, LetterPosted, Trial, check, letter, until, within},
    time::Dice,
    transport::{Outgoing, Provision, Transport, aws::Aws},
};
use tegami_test_servers::Kind;
use tokio::time::Instant;

use crate::{
    broker::Broker,
    startup::{Account, KINDS, topology},
};

const DELAY: Duration = Duration::from_secs(2);
/// How soon after its time each has had two attempts.
const SOON: Duration = Duration::from_secs(60);
const MINUTE: Duration = Duration::from_secs(60);

static DELAYED: Case = Case::new("R-05", "r_05_delayed_and_tried_twice", |trial| Box::pin(twice_in_time(trial)));

/// The first attempt fails; by number, the attempts and when they were.
async fn twice_in_time(trial: &Trial) -> Done {
    let plan = Retry::after([Duration::from_millis(100)]);
    let runs = Arc::new(Mutex::new(Vec::new()));
    let noted = runs.clone();
    let handler = trial.handler(&plan, move |letter: LetterPosted, ctx| {
        noted.lock().expect("no handler panics").push((letter.number, ctx.attempt(), Instant::now()));
        async move { if ctx.attempt() == 1 { Err(HandlerError::retry("not yet")) } else { Ok(()) } }
    });
    let service = trial.service("billing").await;
    let running = trial.start(service.on_with::<LetterPosted>(handler, |s| s.queue("kept").retry(plan))).await;
    let (by, began) = (running.publisher(), Instant::now());
    trial.post_with(by, &letter("a", 0), |p| p.delay(DELAY)).await.expect("somebody listens");
    trial.post_with(by, &letter("a", 1), |p| p.queue("kept").delay(DELAY)).await.expect("somebody listens");
    within(DELAY + SOON, "both to be done", trial.tally().until_done(2)).await;
    running.stop().await.expect("no hook can fail");
    let mut runs = runs.lock().expect("no handler panics").clone();
    runs.sort();
    let attempts: Vec<_> = runs.iter().map(|(number, attempt, _)| (*number, *attempt)).collect();
    assert_eq!(attempts, [(0, 1), (0, 2), (1, 1), (1, 2)], "coming before its time is no attempt");
    assert!(runs.iter().all(|(.., at)| *at >= began + DELAY), "none came early");
    Done::Kept
}

fn delayed(queue: &str, delay: Duration) -> Outgoing {
    let sealed = Sealed { body: "hello".into(), ..Sealed::default() };
    let mut message = Outgoing::new(MessageId::draw(&Dice::system()), "paid", "", sealed);
    (message.queue, message.delay) = (Some(queue.to_owned()), Some(delay));
    message
}

#[tokio::test]
async fn r5_a_delay_beyond_what_sqs_allows_is_kept_by_its_reader() {
    for kind in KINDS {
        let account = Account::open(kind).await;
        let plan = account.plan("kept", &["letters"]);
        let aws = Aws::new(account.url("&wait=1"));
        aws.provision(&topology(std::slice::from_ref(&plan)), Provision::Create).await.expect("it can start");
        aws.publish(delayed(&plan.name, 15 * MINUTE)).await.expect("SQS takes it");
        let states = || account.caller.count(&plan.name).expect("it is there");
        assert_eq!(states(), [0, 0, 1], "SQS keeps it: {kind:?}");
        aws.publish(delayed(&plan.name, 20 * MINUTE)).await.expect("SQS takes it");
        assert_eq!(states(), [1, 0, 1], "SQS does not: {kind:?}");
        let mut deliveries = aws.consume(&plan).await.expect("it is there");
        let seen = tokio::time::timeout(DELAY, deliveries.next(1)).await;
        assert!(seen.is_err(), "nobody handles it: {kind:?}");
        within(SOON, "it to be hidden", until(|| states() == [0, 1, 1])).await;
        drop(deliveries);
        aws.close().await;
    }
}

#[test]
fn r5_a_delayed_message_has_its_first_attempt_in_time_and_then_its_second_on_localstack() {
    check(module_path!(), &DELAYED, || Broker::of(Kind::LocalStack));
}

#[test]
fn r5_a_delayed_message_has_its_first_attempt_in_time_and_then_its_second_on_ministack() {
    check(module_path!(), &DELAYED, || Broker::of(Kind::MiniStack));
}
