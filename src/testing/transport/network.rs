//! N: a broker that goes away comes back to a service that goes on.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::future::{self, BoxFuture};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    Done, Fault, Injected, LetterPosted, Trial,
    billing::{at_once, once_allowed},
    subject::PUBLISH,
    tally::{until, within},
    tamper::tampered,
    witness::Witness,
};
use crate::{Context, HandlerError, service::Running};

/// How long the broker is away.
const AWAY: Duration = Duration::from_secs(5);
/// How soon it goes on once the broker is back (N1).
const BACK: Duration = Duration::from_secs(5);
/// How long a broker can be silent until everyone has noticed (N3).
const SILENT: Duration = Duration::from_secs(20);
/// How many handlers run at once.
const SLOTS: usize = 5;

/// Lets a case go to its end that has no fault to go through.
async fn without_fault(trial: &Trial, running: Running, go: &CancellationToken, fault: Fault) -> Done {
    go.cancel();
    trial.until_settled().await;
    running.stop().await.expect("no hook can fail");
    Done::NotHere(fault.needs())
}

/// How many handlers run now, and how many ever did at once.
#[derive(Clone, Default)]
struct Gauge(Arc<[AtomicUsize; 2]>);

impl Gauge {
    /// Handles a letter so, and then for a moment more that is measured.
    fn measuring<F, Fut>(
        &self,
        behave: F,
    ) -> impl Fn(LetterPosted, Context) -> BoxFuture<'static, Fut::Output> + use<F, Fut>
    where
        F: Fn(LetterPosted, Context) -> Fut,
        Fut: Future<Output = Result<(), HandlerError>> + Send + 'static,
    {
        let gauge = self.clone();
        move |posted, ctx| {
            let (handling, gauge) = (behave(posted, ctx), gauge.clone());
            Box::pin(async move {
                handling.await?;
                gauge.moment().await;
                Ok(())
            })
        }
    }

    async fn moment(&self) {
        let [now, most] = &*self.0;
        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(20)).await;
        now.fetch_sub(1, Ordering::SeqCst);
    }

    fn most(&self) -> usize {
        self.0[1].load(Ordering::SeqCst)
    }
}

/// N1, R4: after the broker's death all goes on by itself: what was running comes back, and as much runs at once.
pub async fn n_01_broker_restart(trial: &Trial) -> Done {
    let (go, gauge, backlog) = (CancellationToken::new(), Gauge::default(), trial.many() / 10);
    let running = trial.start(trial.billing(SLOTS, gauge.measuring(once_allowed(&go))).await).await;
    trial.post_ok(running.publisher(), backlog).await;
    until(|| trial.tally().attempts() == SLOTS).await;
    if trial.inject(Fault::Killed).await == Injected::Cannot {
        return without_fault(trial, running, &go, Fault::Killed).await;
    }
    let posting =
        within(trial.allow(PUBLISH), "publishes while the broker is away", trial.post_letters(running.publisher(), 10));
    future::join(posting, tokio::time::sleep(AWAY)).await;
    trial.lift(Fault::Killed).await;
    go.cancel();
    within(trial.allow(BACK), "the first completion", until(|| trial.tally().done() > SLOTS)).await;
    trial.post_until_one_is_taken(running.publisher()).await;
    trial.until_settled().await;
    trial.tally().until_quiet().await;
    assert_eq!(gauge.most(), SLOTS, "as many handlers as before run at once");
    running.stop().await.expect("no hook can fail");
    Done::Kept
}

/// N3, P3: a broker that says nothing keeps no publish and no slot for ever, and all goes on once it speaks again.
pub async fn n_02_silent_peer(trial: &Trial) -> Done {
    let go = CancellationToken::new();
    let running = trial.start(trial.billing(SLOTS, once_allowed(&go)).await).await;
    trial.post_ok(running.publisher(), 2 * SLOTS).await;
    until(|| trial.tally().attempts() == SLOTS).await;
    if trial.inject(Fault::Frozen).await == Injected::Cannot {
        return without_fault(trial, running, &go, Fault::Frozen).await;
    }
    go.cancel();
    let answers =
        within(trial.allow(PUBLISH), "publishes to a silent broker", trial.post_letters(running.publisher(), 10)).await;
    let ok = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(ok, 0, "a broker that says nothing has not said ok");
    // Twice the heartbeats of a connection: whoever gives up on a silent one has done so.
    tokio::time::sleep(SILENT - PUBLISH).await;
    trial.lift(Fault::Frozen).await;
    within(trial.allow(BACK), "what waited to be done", trial.tally().until_done(2 * SLOTS)).await;
    trial.post_until_one_is_taken(running.publisher()).await;
    trial.until_settled().await;
    trial.tally().until_quiet().await;
    running.stop().await.expect("no hook can fail");
    Done::Kept
}

/// N4: a channel that dies takes no other with it, and is opened again.
pub async fn n_03_one_channel_dies(trial: &Trial) -> Done {
    let (go, letters) = (CancellationToken::new(), 2 * SLOTS);
    let mut service = trial.service("shipping").await;
    for group in ["bikes", "vans"] {
        service = trial.handling(service, once_allowed(&go), |s| s.group(group).concurrency(SLOTS));
    }
    let running = trial.start(service).await;
    trial.post_ok(running.publisher(), letters).await;
    until(|| trial.tally().attempts() == 2 * SLOTS).await;
    if trial.inject(Fault::ChannelClosed).await == Injected::Cannot {
        return without_fault(trial, running, &go, Fault::ChannelClosed).await;
    }
    go.cancel();
    within(trial.allow(BACK), "both queues to be emptied", trial.tally().until_done(2 * letters)).await;
    trial.post_ok(running.publisher(), letters).await;
    within(trial.allow(BACK), "both queues to go on", trial.tally().until_done(4 * letters)).await;
    trial.until_settled().await;
    let repeated = |group: &&str| {
        let queue = format!("{}shipping-{group}", trial.prefix());
        trial.tally().of(&queue).values().any(|runs| runs.begun > 1)
    };
    let hit: Vec<_> = ["bikes", "vans"].into_iter().filter(|group| repeated(group)).collect();
    assert_eq!(hit.len(), 1, "one channel died, and its deliveries come back: {hit:?}");
    running.stop().await.expect("no hook can fail");
    Done::Kept
}

/// N5, P3: a broker that takes no publishes gets acks all the same, and each publish has its answer in time.
pub async fn n_04_blocked(trial: &Trial) -> Done {
    let (go, backlog) = (CancellationToken::new(), trial.many() / 10);
    let running = trial.start(trial.billing(SLOTS, once_allowed(&go)).await).await;
    trial.post_ok(running.publisher(), backlog).await;
    if trial.inject(Fault::Blocked).await == Injected::Cannot {
        return without_fault(trial, running, &go, Fault::Blocked).await;
    }
    let posts =
        within(trial.allow(PUBLISH), "publishes to a blocked broker", trial.post_letters(running.publisher(), 10));
    let going_on = async {
        go.cancel();
        within(trial.allow(BACK), "consumers to go on", trial.tally().until_done(backlog)).await;
    };
    let (answers, ()) = future::join(posts, going_on).await;
    let ok = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(ok, 0, "a broker that takes no publishes has not said ok");
    assert_eq!(trial.tally().attempts(), backlog, "acks are taken meanwhile");
    trial.lift(Fault::Blocked).await;
    trial.post_until_one_is_taken(running.publisher()).await;
    trial.until_settled().await;
    trial.tally().until_quiet().await;
    running.stop().await.expect("no hook can fail");
    Done::Kept
}

/// N2, N6, R4: a broker that refuses is asked no more than five times a second, and then all goes on, uncounted.
pub async fn n_05_throttle_and_403(trial: &Trial) -> Done {
    let (go, witness) = (CancellationToken::new(), Arc::new(Witness::default()));
    let connection = tampered(trial.connect().await, witness.clone());
    let service = trial.service_on(connection, "billing");
    let running = trial.start(trial.handling(service, once_allowed(&go), |s| s.concurrency(SLOTS))).await;
    trial.post_ok(running.publisher(), 2 * SLOTS).await;
    until(|| trial.tally().attempts() == SLOTS).await;
    if trial.inject(Fault::Refusing).await == Injected::Cannot {
        return without_fault(trial, running, &go, Fault::Refusing).await;
    }
    go.cancel();
    let posting =
        within(trial.allow(PUBLISH), "publishes that are refused", trial.post_letters(running.publisher(), 10));
    future::join(posting, tokio::time::sleep(2 * AWAY)).await;
    trial.lift(Fault::Refusing).await;
    within(trial.allow(BACK), "what waited to be done", trial.tally().until_done(2 * SLOTS)).await;
    let asked = witness.consumes();
    let hasty = asked.windows(6).find(|six| six[5] - six[0] < Duration::from_secs(1));
    assert!(hasty.is_none(), "six times within a second: {asked:?}");
    trial.post_until_one_is_taken(running.publisher()).await;
    trial.until_settled().await;
    trial.tally().until_quiet().await;
    running.stop().await.expect("no hook can fail");
    Done::Kept
}

/// N1: a service that starts before its broker waits for it, and then works.
pub async fn n_06_start_before_broker(trial: &Trial) -> Done {
    let service = trial.billing(SLOTS, at_once).await;
    let injected = trial.inject(Fault::Killed).await;
    let (running, lifted) = future::join(trial.start(service), async {
        if injected == Injected::Done {
            tokio::time::sleep(2 * AWAY).await;
            trial.lift(Fault::Killed).await;
        }
        Instant::now()
    })
    .await;
    trial.post_until_one_is_taken(running.publisher()).await;
    trial.until_settled().await;
    let (took, most) = (lifted.elapsed(), trial.allow(BACK));
    assert!(took <= most, "it worked {took:?} after the broker was there, {most:?} are allowed");
    running.stop().await.expect("no hook can fail");
    match injected {
        Injected::Done => Done::Kept,
        Injected::Cannot => Done::NotHere(Fault::Killed.needs()),
    }
}
