//! One slow message holds no other (B2): whoever has slots gets messages.

use std::{sync::Arc, time::Duration};

use tegami::{
    HandlerError, Retry,
    testing::transport::{Case, Done, LetterFiled, LetterPosted, Trial, check, filed, letter, until, within},
};
use tegami_test_servers::Kind;
use tokio::sync::Semaphore;

use crate::broker::Broker;

/// How many come behind the slow one, and how soon they are all handled.
const BEHIND: usize = 50;
const SOON: Duration = Duration::from_secs(90);

static NINE: Case = Case::new("B-02", "b_02_nine_go_on", |trial| Box::pin(nine_go_on(trial)));

/// The first one hangs until the gate is closed for good.
async fn first_hangs(number: u64, gate: Arc<Semaphore>) -> Result<(), HandlerError> {
    if number == 0 {
        gate.acquire().await.expect_err("nobody is let through");
    }
    Ok(())
}

async fn nine_go_on(trial: &Trial) -> Done {
    let (never, gate) = (Retry::never(), Arc::new(Semaphore::new(0)));
    let [posted, filing] = [gate.clone(), gate.clone()];
    let posted = trial.handler(&never, move |letter: LetterPosted, _| first_hangs(letter.number, posted.clone()));
    let filing = trial.handler(&never, move |letter: LetterFiled, _| first_hangs(letter.number, filing.clone()));
    let service = trial.service("billing").await.on_with::<LetterPosted>(posted, |s| s.concurrency(10));
    let running = trial.start(service.on_with::<LetterFiled>(filing, |s| s.concurrency(10))).await;
    let by = running.publisher();
    for number in 0..=BEHIND {
        trial.post(by, &letter("a", number)).await.expect("somebody listens");
        trial.post(by, &filed(&format!("folder {number}"), number)).await.expect("somebody listens");
        if number == 0 {
            within(SOON, "both to hang", until(|| trial.tally().attempts() == 2)).await;
        }
    }
    within(SOON, "all others", trial.tally().until_done(2 * BEHIND)).await;
    assert_eq!(trial.tally().done(), 2 * BEHIND, "they hang");
    gate.close();
    trial.tally().until_done(2 * BEHIND + 2).await;
    assert_eq!(trial.tally().attempts(), 2 * BEHIND + 2, "each ran once");
    running.stop().await.expect("no hook can fail");
    Done::Kept
}

#[test]
fn b2_a_handler_that_hangs_holds_no_other_on_localstack() {
    check(module_path!(), &NINE, || Broker::of(Kind::LocalStack));
}

#[test]
fn b2_a_handler_that_hangs_holds_no_other_on_ministack() {
    check(module_path!(), &NINE, || Broker::of(Kind::MiniStack));
}
