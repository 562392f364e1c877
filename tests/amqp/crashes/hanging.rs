//! F29: SIGTERM while a handler hangs.

use std::time::{Duration, Instant};

use tegami::{
    Retry,
    testing::transport::{Done, End, LetterPosted, Trial, letter},
};

use super::{lives::signalled, must_end};

/// How long the hanging handler has.
const DRAIN: Duration = Duration::from_secs(1);
/// Beyond that (S1), and to begin.
const AFTER_DRAIN: Duration = Duration::from_secs(10);
const BEGIN: Duration = Duration::from_secs(20);

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
