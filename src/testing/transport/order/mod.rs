//! O: what belongs together stays in order.
//!
//! On a transport that promises no order, a service that asks for it is refused.

mod desk;

use std::{ops::Range, sync::Arc};

use async_trait::async_trait;
use futures_util::future;
use tokio::sync::Semaphore;

use super::{Done, LetterFiled, Tamper, Trial, cut::Cut, filed, letters, tampered, until};
use crate::{
    Event, HandlerError, Publisher, Service,
    service::{ErrorKind, Running},
    transport::{Delivery, QueuePlan, ReasonKind, SettleError, Settlement},
};
use desk::{Desk, HANGS};

/// How many keys there are.
const KEYS: usize = 16;

/// O2: the letters of a key complete in the order of their publishes, never two at once.
pub async fn o_01_per_key_order(trial: &Trial) -> Done {
    let desk = Desk::new(trial, |_, _| Ok(()));
    let Some(running) = start(trial, desk.service(trial, trial.service("billing").await)).await else {
        return Done::Refused;
    };
    let each = trial.many() / 10;
    file(trial, running.publisher(), 0..each).await;
    trial.tally().until_done(KEYS * each).await;
    running.stop().await.expect("no hook can fail");
    desk.is_in_order(each);
    Done::Kept
}

/// O2, O4: the same while one in five fails at first, and though the connection ends when handlers are done and not
/// yet acked.
pub async fn o_02_order_under_failure(trial: &Trial) -> Done {
    let each = trial.many() / 10;
    let desk = Desk::new(trial, |letter, attempt| match (letter.number % 5, attempt) {
        (3, 1) => Err(HandlerError::retry("not yet")),
        _ => Ok(()),
    });
    let cut = Cut::new(trial.connect().await, trial.chance().usize(each..KEYS * each / 2));
    let Some(first) = start(trial, desk.service(trial, trial.service_on(cut.connection(), "billing"))).await else {
        return Done::Refused;
    };
    let sender = trial.start(trial.service("mail").await).await;
    let change = async {
        until(|| cut.id().is_some()).await;
        first.stop().await.expect("no hook can fail");
        trial.start(desk.service(trial, trial.service("billing").await)).await
    };
    let ((), second) = future::join(file(trial, sender.publisher(), 0..each), change).await;
    trial.tally().until_done(KEYS * each).await;
    // What was not acked comes again, be it the last of its key.
    until(|| trial.tally().duplicates() > 0).await;
    for running in [sender, second] {
        running.stop().await.expect("no hook can fail");
    }
    desk.is_in_order(each);
    Done::Kept
}

/// O3: a key whose handler hangs delays no other: they finish in at most twice the time, as far as it is only theirs.
pub async fn o_03_keys_independent(trial: &Trial) -> Done {
    let (desk, each) = (Desk::new(trial, |_, _| Ok(())), trial.many() / 20);
    let Some(running) = start(trial, desk.service(trial, trial.service("billing").await)).await else {
        return Done::Refused;
    };
    let began = trial.clock.instant();
    file(trial, running.publisher(), 0..each).await;
    trial.tally().until_done(KEYS * each).await;
    let normal = began.elapsed();

    desk.hang();
    let began = trial.clock.instant();
    file(trial, running.publisher(), each..2 * each).await;
    trial.tally().until_done((2 * KEYS - 1) * each).await;
    let others = began.elapsed();
    assert_eq!(desk.done(HANGS).len(), each, "the one that hangs has not gone on");
    assert!(others <= trial.allow(2 * normal), "without one key {others:?}, with it {normal:?}");

    desk.go_on();
    trial.tally().until_done(2 * KEYS * each).await;
    running.stop().await.expect("no hook can fail");
    desk.is_in_order(2 * each);
    Done::Kept
}

/// O2: the second of a key does not begin before the first is acked; others do.
pub async fn o_04_blocked_until_ack(trial: &Trial) -> Done {
    let (desk, each) = (Desk::new(trial, |_, _| Ok(())), trial.many() / 100);
    let late = Arc::new(Late(Semaphore::new(0)));
    let service = trial.service_on(tampered(trial.connect().await, late.clone()), "billing");
    let Some(running) = start(trial, desk.service(trial, service)).await else { return Done::Refused };
    file(trial, running.publisher(), 0..each + 1).await;
    trial.tally().until_done((KEYS - 1) * (each + 1) + 1).await;
    assert_eq!(desk.begun(HANGS), [0], "the first is not acked");
    late.0.close();
    trial.tally().until_done(KEYS * (each + 1)).await;
    running.stop().await.expect("no hook can fail");
    desk.is_in_order(each + 1);
    Done::Kept
}

/// Withholds the answers to one key, until the gate is closed for good.
struct Late(Semaphore);

#[async_trait]
impl Tamper for Late {
    async fn settle(&self, delivery: Delivery, settlement: Settlement) -> Result<(), SettleError> {
        if letters::key(&delivery.sealed).as_deref() == Some(HANGS) {
            let _ = self.0.acquire().await;
        }
        delivery.settle(settlement).await
    }
}

/// O5: a message that is given up on leaves a gap: it is a dead letter, and the next one of its key follows.
pub async fn o_05_dead_letter_gap(trial: &Trial) -> Done {
    let desk = Desk::new(trial, |letter, _| match letter.number {
        7 => Err(HandlerError::retry("never")),
        _ => Ok(()),
    });
    let Some(running) = start(trial, desk.service(trial, trial.service("billing").await)).await else {
        return Done::Refused;
    };
    let plan = trial.queues().remove(0);
    for number in 0..10 {
        match number {
            4 => publish_poison(trial, &plan).await,
            _ => drop(trial.post(running.publisher(), &filed(HANGS, number)).await.expect("it is bound")),
        }
    }
    trial.tally().until_done(8).await;
    assert_eq!(desk.begun(HANGS), [0, 1, 2, 3, 5, 6, 7, 7, 7, 8, 9]);
    let dead = trial.connect().await.dead_letters(&plan.name, 10).await.expect("dead letters can be read");
    let reasons: Vec<_> = dead.iter().map(|letter| letter.reason()).collect();
    assert_eq!(reasons, [ReasonKind::Undecodable, ReasonKind::HandlerError], "both gaps are reported");
    running.stop().await.expect("no hook can fail");
    halted_key_waits(trial).await;
    Done::Kept
}

/// O5: where a subscription halts, the letter that ran out of attempts is tried on, and its key waits for it.
async fn halted_key_waits(trial: &Trial) {
    let desk = Desk::new(trial, |letter, attempt| match letter.number {
        1 if attempt < 6 => Err(HandlerError::retry("not yet, though the plan has three attempts")),
        _ => Ok(()),
    });
    let service = trial.service("shipping").await;
    let service = desk.service_with(trial, service, |subscription| subscription.halt_on_dead());
    let running = start(trial, service).await.expect("it is the transport that keeps order");
    let done = trial.tally().done();
    let letters: Vec<_> = (0..3).map(|number| filed(HANGS, number)).collect();
    for letter in &letters {
        trial.post(running.publisher(), letter).await.expect("it is bound");
    }
    trial.tally().until_done(done + letters.len()).await;
    assert_eq!(desk.begun(HANGS), [0, 1, 1, 1, 1, 1, 1, 2], "the letter behind waits");
    running.stop().await.expect("no hook can fail");
    // The first service's queue got them, too.
    trial.complete_rest().await;
}

async fn publish_poison(trial: &Trial, plan: &QueuePlan) {
    let mut poison = trial.message(plan, "poison");
    (poison.event, poison.key) = (LetterFiled::CONTRACT.name.into(), Some(HANGS.to_owned()));
    trial.publish(&*trial.connect().await, poison).await.expect("it is bound");
}

/// Starts a service that asks for order; none where that is not promised, and so refused.
async fn start(trial: &Trial, service: Service) -> Option<Running> {
    if trial.capabilities().await.ordered {
        return Some(trial.start(service).await);
    }
    let error = trial.try_start(service).await.err().expect("order is not declared, so nobody can ask for it");
    assert_eq!(error.kind(), ErrorKind::Subscription, "{error}");
    None
}

/// Publishes letters of these numbers to every key, those of a key one after the other.
async fn file(trial: &Trial, by: &Publisher, numbers: Range<usize>) {
    let key = |key: usize| {
        let numbers = numbers.clone();
        async move {
            for number in numbers {
                let letter = filed(&format!("folder {key}"), number);
                trial.post(by, &letter).await.expect("there is a queue for it");
            }
        }
    };
    future::join_all((0..KEYS).map(key)).await;
}
