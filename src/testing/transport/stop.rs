//! S, L: a stop loses nothing and repeats nothing, and what is being handled is handled by one.

use std::{future::pending, sync::Arc, time::Duration};

use futures_util::future;
use tokio::{runtime::Handle, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    Done, Fault, Injected, Pace, Trial,
    billing::{Attempts, at_once, once_allowed},
    letter,
    run::descriptors,
    subject::PUBLISH,
    tally::{until, within},
    tamper::tampered,
    witness::Witness,
};
use crate::{
    Publisher,
    envelope::MessageId,
    service::Ended,
    transport::{PublishError, PublishErrorKind},
};

/// How many handlers run when a stop comes.
const RUNNING: usize = 50;
/// How long they have where that is not the point.
const DRAIN: Duration = Duration::from_secs(1);
/// How long a stop takes beyond that, at most (S1).
const AFTER_DRAIN: Duration = Duration::from_secs(10);

/// S1, S2: running handlers end, what none has begun goes back within a second, and nothing is delivered twice.
pub async fn s_01_drain(trial: &Trial) -> Done {
    let (waiting, go) = (trial.many() / 2, CancellationToken::new());
    let first = trial.start(trial.billing(RUNNING, once_allowed(&go)).await).await;
    trial.post_ok(first.publisher(), RUNNING + waiting).await;
    until(|| trial.tally().attempts() == RUNNING).await;
    let replica = trial.billing(10, at_once).await;
    let (ended, replica) = future::join(first.stop(), async {
        let replica = trial.start(replica).await;
        let back = trial.allow(Duration::from_secs(1));
        within(back, "what no handler had begun to be handled elsewhere", trial.tally().until_done(waiting)).await;
        go.cancel();
        replica
    })
    .await;
    assert_eq!(ended.expect("no hook can fail"), Ended::Drained);
    trial.tally().until_done(RUNNING + waiting).await;
    assert_eq!(trial.tally().attempts(), RUNNING + waiting, "a drained stop delivers nothing twice");
    replica.stop().await.expect("no hook can fail");
    Done::Kept
}

/// S1, S2, R4: handlers that do not end are dropped in time; what they handled comes back, uncounted.
pub async fn s_02_drain_forced(trial: &Trial) -> Done {
    let hanging = trial.billing(10, |_, _| pending()).await.drain(DRAIN);
    let first = trial.start(hanging).await;
    trial.post_ok(first.publisher(), 10).await;
    until(|| trial.tally().attempts() == 10).await;
    let began = Instant::now();
    assert_eq!(first.stop().await.expect("no hook can fail"), Ended::Forced);
    let (took, most) = (began.elapsed(), trial.allow(DRAIN + AFTER_DRAIN));
    assert!(took <= most, "the stop took {took:?}, {most:?} are allowed");
    let attempts = Attempts::default();
    let second = trial.start(trial.billing(10, attempts.noting()).await).await;
    trial.tally().until_done(10).await;
    assert_eq!(trial.tally().attempts(), 20, "each comes back once");
    attempts.are_uncounted(trial, "a stop").await;
    second.stop().await.expect("no hook can fail");
    Done::Kept
}

/// S1, S3: a broker that answers nothing holds no stop; each publish has an outcome.
pub async fn s_03_drain_broker_frozen(trial: &Trial) -> Done {
    let go = CancellationToken::new();
    let first = trial.start(trial.billing(10, once_allowed(&go)).await.drain(DRAIN)).await;
    let publisher = first.publisher().clone();
    trial.post_ok(&publisher, 10).await;
    until(|| trial.tally().attempts() == 10).await;
    let injected = trial.inject(Fault::Frozen).await;
    // What the handlers end with meets a broker that says nothing.
    go.cancel();
    if injected == Injected::Cannot {
        first.stop().await.expect("no hook can fail");
        return Done::NotHere(Fault::Frozen.needs());
    }
    let posts = trial.post_letters(&publisher, 10);
    let stop = within(trial.allow(DRAIN + AFTER_DRAIN), "a stop while the broker is frozen", first.stop());
    let (_, ended) = future::join(within(trial.allow(PUBLISH), "publishes to a frozen broker", posts), stop).await;
    ended.expect("no hook can fail");
    trial.lift(Fault::Frozen).await;
    let second = trial.start(trial.billing(10, at_once).await).await;
    trial.until_settled().await;
    trial.tally().until_quiet().await;
    second.stop().await.expect("no hook can fail");
    Done::Kept
}

/// S3: each publish that a stop finds under way has an outcome, and what is ok is stored.
pub async fn s_04_shutdown_publishes(trial: &Trial) -> Done {
    let first = trial.start(trial.billing(10, at_once).await).await;
    let publisher = first.publisher().clone();
    let posts = within(trial.allow(PUBLISH), "publishes", post_one_after_the_other(trial, &publisher));
    let (answers, ended) = future::join(posts, first.stop()).await;
    ended.expect("no hook can fail");
    let kinds = answers.iter().filter_map(|answer| answer.as_ref().err()).map(PublishError::kind);
    let strange = kinds.filter(|kind| !matches!(kind, PublishErrorKind::Closed | PublishErrorKind::Unknown));
    assert_eq!(strange.collect::<Vec<_>>(), [], "a stop closes publishers, and does nothing else to them");
    let second = trial.start(trial.billing(10, at_once).await).await;
    trial.until_settled().await;
    trial.tally().until_quiet().await;
    second.stop().await.expect("no hook can fail");
    Done::Kept
}

/// Some of them are under way when a stop comes, and some come after it.
async fn post_one_after_the_other(trial: &Trial, by: &Publisher) -> Vec<Result<MessageId, PublishError>> {
    let posts = (0..trial.many()).map(|number| async move {
        for _ in 0..number % 20 {
            tokio::task::yield_now().await;
        }
        trial.post(by, &letter("a", number)).await
    });
    future::join_all(posts).await
}

/// S2: starts and stops leave nothing behind, and a publisher that outlives its service says so.
pub async fn s_05_repeated_start_stop(trial: &Trial) -> Done {
    let (mut publishers, mut at_first) = (Vec::new(), None);
    for round in 0..trial.many() / 10 {
        let running = trial.start(trial.billing(10, at_once).await).await;
        trial.post(running.publisher(), &letter("a", round)).await.expect("somebody listens");
        trial.tally().until_done(round + 1).await;
        publishers.push(running.publisher().clone());
        assert_eq!(running.stop().await.expect("no hook can fail"), Ended::Drained);
        // What the first round leaves is there once, however many follow.
        let now = || (Handle::current().metrics().num_alive_tasks(), descriptors());
        let (tasks, open) = *at_first.get_or_insert_with(now);
        let back = until(|| now().0 <= tasks && now().1 <= open);
        within(trial.allow(Duration::from_secs(1)), "tasks and descriptors to be let go", back).await;
    }
    for publisher in publishers {
        let closed = trial.post(&publisher, &letter("a", 0)).await.expect_err("its service has stopped");
        assert_eq!(closed.kind(), PublishErrorKind::Closed, "{closed}");
    }
    Done::Kept
}

/// L1: what a handler works on for long, and what waits behind it, is given to nobody else.
pub async fn l_01_long_handler(trial: &Trial) -> Done {
    let takes = match trial.pace {
        Pace::Virtual => Duration::from_secs(90),
        Pace::Real => Duration::from_secs(5),
    };
    let long = move |_, _| async move {
        tokio::time::sleep(takes).await;
        Ok(())
    };
    let replicas = [trial.start(trial.billing(1, long).await).await, trial.start(trial.billing(1, long).await).await];
    trial.post_ok(replicas[0].publisher(), 3).await;
    trial.tally().until_done(3).await;
    trial.tally().until_quiet().await;
    assert_eq!(trial.tally().attempts(), 3, "each runs once");
    for replica in replicas {
        replica.stop().await.expect("no hook can fail");
    }
    Done::Kept
}

/// L2, R4, D2: what a lost connection was handed comes back uncounted, and its late acks are refused.
pub async fn l_02_lost_lease(trial: &Trial) -> Done {
    let (go, witness, connection) = (CancellationToken::new(), Arc::new(Witness::default()), trial.connect().await);
    let seen = tampered(connection.clone(), witness.clone());
    let first = trial.handling(trial.service_on(seen, "billing"), once_allowed(&go), |s| s.concurrency(10));
    let first = trial.start(first).await;
    trial.post_ok(first.publisher(), 10).await;
    until(|| trial.tally().attempts() == 10).await;
    connection.close().await;
    let attempts = Attempts::default();
    let second = trial.start(trial.billing(10, attempts.noting()).await).await;
    trial.tally().until_done(10).await;
    attempts.are_uncounted(trial, "a lost connection").await;
    go.cancel();
    first.stop().await.expect("no hook can fail");
    assert_eq!(witness.refused(), 10, "an ack for what others have is refused");
    second.stop().await.expect("no hook can fail");
    Done::Kept
}
