//! A service takes no more than it can work on.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use tokio::sync::Semaphore;

use crate::{
    Retry,
    service::{Ended, Running},
    testing::transport::{Done, LetterPosted, Tamper, Trial, letter, tampered, until},
    transport::{Deliveries, Delivery, SettleError, Settlement, TransportError},
};

/// What the service works on at once.
const CONCURRENCY: usize = 7;
/// What its connection may hold for it (B1).
const PREFETCH: usize = 2 * CONCURRENCY;

/// B1: a service whose handlers wait has been handed as much as it works on; the rest is there for others. So it is
/// after a restart.
pub async fn d_08_prefetch_bound(trial: &Trial) -> Done {
    let gate = Arc::new(Semaphore::new(0));
    let (first, sender) = (waiting(trial, &gate).await, trial.start(trial.service("mail").await).await);
    let mut queued = 0;
    let mut service = first;
    for round in 0..2 {
        for number in queued..trial.many() {
            trial.post(sender.publisher(), &letter("a", number)).await.expect("there is a queue for it");
        }
        others_get_the_rest(trial, &service).await;
        queued = PREFETCH;
        let ended = service.running.stop().await.expect("no hook can fail");
        assert_eq!(ended, Ended::Forced, "round {round}: the handlers wait");
        service = waiting(trial, &gate).await;
    }
    gate.close();
    trial.tally().until_done(2 * trial.many() - PREFETCH).await;
    for running in [service.running, sender] {
        running.stop().await.expect("no hook can fail");
    }
    Done::Kept
}

struct Waiting {
    running: Running,
    counts: Arc<Counts>,
}

/// A service whose handlers wait at a gate.
async fn waiting(trial: &Trial, gate: &Arc<Semaphore>) -> Waiting {
    let (counts, gate) = (Arc::new(Counts::default()), gate.clone());
    let service = trial.service_on(tampered(trial.connect().await, counts.clone()), "billing").drain(Duration::ZERO);
    let handler = trial.handler(&Retry::default(), move |_: LetterPosted, _| {
        let gate = gate.clone();
        async move {
            // Closing the gate is what lets everybody pass.
            let _ = gate.acquire().await;
            Ok(())
        }
    });
    let service = service.on_with::<LetterPosted>(handler, |subscription| subscription.concurrency(CONCURRENCY));
    Waiting { running: trial.start(service).await, counts }
}

/// Another one completes all that the waiting service may not have been handed.
async fn others_get_the_rest(trial: &Trial, service: &Waiting) {
    until(|| service.counts.handed.load(Ordering::SeqCst) >= CONCURRENCY).await;
    let (other, plan) = (trial.connect().await, &trial.queues()[0]);
    trial.reader(&*other, plan).await.complete(trial.many() - PREFETCH).await;
    let most = service.counts.most.load(Ordering::SeqCst);
    assert_eq!(most, CONCURRENCY, "handed out at once");
}

/// Counts what is handed out and not settled.
#[derive(Default)]
struct Counts {
    handed: AtomicUsize,
    most: AtomicUsize,
}

#[async_trait]
impl Tamper for Counts {
    async fn next(&self, from: &mut dyn Deliveries, room: usize) -> Result<Vec<Delivery>, TransportError> {
        let next = from.next(room).await?;
        let handed = self.handed.fetch_add(next.len(), Ordering::SeqCst) + next.len();
        self.most.fetch_max(handed, Ordering::SeqCst);
        Ok(next)
    }

    async fn settle(&self, delivery: Delivery, settlement: Settlement) -> Result<(), SettleError> {
        self.handed.fetch_sub(1, Ordering::SeqCst);
        delivery.settle(settlement).await
    }
}
