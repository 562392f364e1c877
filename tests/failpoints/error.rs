//! A failure at each point, once.

use tegami::{
    Error,
    failpoint::{
        Point,
        fail::{self, FailScenario},
    },
    transport::PublishErrorKind,
};

use crate::{ORDERS, Seen, tell_all};

/// What is seen when this point fails the first time; every order that was stored is done or dead.
async fn seen_with(point: Point) -> Result<Seen, Error> {
    let scenario = FailScenario::setup();
    fail::cfg(point.name(), "1*return(error)").expect("an action");
    let seen = tell_all().await?;
    scenario.teardown();
    let refused = |id: &str| seen.refused.iter().any(|(of, kind)| of == id && *kind != PublishErrorKind::Unknown);
    let stored: Vec<_> = ORDERS.into_iter().filter(|id| !refused(id)).collect();
    let mut ended: Vec<_> = seen.done.iter().chain(&seen.dead).map(String::as_str).collect();
    ended.dedup();
    assert_eq!(ended, stored, "{seen:?}");
    Ok(seen)
}

#[tokio::test(start_paused = true)]
async fn p2_a_failure_before_the_write_is_certainly_not_stored() -> Result<(), Error> {
    let seen = seen_with(Point::PublishBeforeWrite).await?;
    assert_eq!(seen.refused, [("well".to_owned(), PublishErrorKind::Refused)]);
    assert!(seen.attempts("well").is_empty());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn p2_a_failure_after_the_confirm_is_unknown() -> Result<(), Error> {
    let seen = seen_with(Point::PublishAfterConfirm).await?;
    assert_eq!(seen.refused, [("well".to_owned(), PublishErrorKind::Unknown)]);
    assert_eq!(seen.attempts("well"), [1], "it was stored");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn d1_what_was_received_and_lost_comes_back_uncounted() -> Result<(), Error> {
    let seen = seen_with(Point::ConsumeAfterReceive).await?;
    assert_eq!(seen.attempts("well"), [1]);
    assert_eq!(seen.received, seen.runs.len() as u64 + 1, "received once more than run");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn r1_a_failure_after_the_handler_is_a_failed_attempt() -> Result<(), Error> {
    let seen = seen_with(Point::ConsumeHandlerDone).await?;
    assert_eq!(seen.attempts("well"), [1, 2]);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn d2_a_failure_before_the_ack_brings_the_delivery_back_uncounted() -> Result<(), Error> {
    let seen = seen_with(Point::ConsumeBeforeAck).await?;
    assert_eq!(seen.attempts("well"), [1, 1]);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn d2_a_failure_after_the_ack_runs_nothing_again() -> Result<(), Error> {
    let seen = seen_with(Point::ConsumeAfterAck).await?;
    assert_eq!(seen.attempts("well"), [1]);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn r1_a_failure_after_the_retry_was_set_aside_loses_and_doubles_nothing() -> Result<(), Error> {
    let seen = seen_with(Point::RetryAfter).await?;
    assert_eq!(seen.attempts("later"), [1, 2]);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn x1_a_failure_after_the_dead_letter_was_kept_loses_and_doubles_nothing() -> Result<(), Error> {
    let seen = seen_with(Point::DeadLetterAfter).await?;
    assert_eq!((seen.attempts("never"), seen.dead.len()), (vec![1], 1));
    Ok(())
}
