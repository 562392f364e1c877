//! R: what fails is tried again.

use std::time::Duration;

use super::{Done, LetterPosted, Trial, letter};
use crate::{HandlerError, Retry};

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
