//! A queue for each instance: each gets all, and nothing is left of one that goes.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::future::{Ready, ready};

use crate::{
    Context, HandlerError, Publisher, Retry,
    service::{ErrorKind, Running},
    testing::transport::{Done, LetterPosted, Trial, letter, trial::held, until, within},
    transport::{PublishErrorKind, QueuePlan, Reach, TransportErrorKind},
};

/// The group that each instance has a queue of.
const EACH: &str = "each";
/// The letter that the first instance fails with once.
const RETRIED: usize = 1;
/// The letter that the second one gives up on.
const DEAD: usize = 2;
/// How long an instance has for its letters.
const HANDLED: Duration = Duration::from_secs(90);
/// How often it is looked whether a queue is gone.
const LOOK: Duration = Duration::from_millis(20);

/// D3: where each instance has a queue of its own, it gets all that comes while it is there; a subscription beside it
/// is shared as ever.
pub async fn d_09_per_instance(trial: &Trial) -> Done {
    let [one, two, three] = [Seen::by("first"), Seen::by("second"), Seen::by("third")];
    let Some(first) = start(trial, &one).await else { return Done::Refused };
    let second = start(trial, &two).await.expect("it is declared");
    let many = trial.many() / 10;
    post(trial, first.publisher(), 0..many).await;
    within(HANDLED, "both to have all", until(|| one.has(many) && two.has(many))).await;
    until(|| one.attempts(RETRIED) > 1).await;
    assert_eq!([one.attempts(RETRIED), two.attempts(RETRIED)], [2, 1], "it is tried again where it failed");
    assert_eq!([one.attempts(DEAD), two.attempts(DEAD)], [1, 1], "it is given up on where it failed");
    is_kept(trial).await;
    second.stop().await.expect("no hook can fail");
    post(trial, first.publisher(), many..2 * many).await;
    let third = start(trial, &three).await.expect("it is declared");
    post(trial, third.publisher(), 2 * many..3 * many).await;
    within(HANDLED, "all of theirs", until(|| one.has(3 * many) && three.has(many))).await;
    trial.until_settled().await;
    assert_eq!(three.first(), Some(2 * many), "what came before it is not its own");
    assert_eq!(two.count(), many, "what came after it is not its own");
    assert_eq!(trial.tally().duplicates(), 0, "the subscription beside it is shared");
    for running in [first, third] {
        running.stop().await.expect("no hook can fail");
    }
    nothing_is_left(trial).await;
    Done::Kept
}

/// How often one instance has begun with each letter.
#[derive(Clone)]
struct Seen(&'static str, Arc<Mutex<BTreeMap<usize, usize>>>);

impl Seen {
    fn by(instance: &'static str) -> Self {
        Self(instance, Arc::default())
    }

    /// Handles letters, but for those that this instance is to fail with.
    fn handling(&self) -> impl Fn(LetterPosted, Context) -> Ready<Result<(), HandlerError>> + use<> {
        let Self(instance, seen) = self.clone();
        move |posted, ctx| {
            let number = usize::try_from(posted.number).expect("it is small");
            *held(&seen).entry(number).or_default() += 1;
            ready(match (instance, number, ctx.attempt()) {
                ("first", RETRIED, 1) => Err(HandlerError::retry("not yet")),
                ("second", DEAD, _) => Err(HandlerError::reject("never")),
                _ => Ok(()),
            })
        }
    }

    fn attempts(&self, number: usize) -> usize {
        held(&self.1).get(&number).copied().unwrap_or_default()
    }

    fn count(&self) -> usize {
        held(&self.1).len()
    }

    fn has(&self, count: usize) -> bool {
        self.count() >= count
    }

    fn first(&self) -> Option<usize> {
        held(&self.1).keys().next().copied()
    }
}

/// Starts an instance; none where it cannot have a queue of its own, and so is refused.
async fn start(trial: &Trial, seen: &Seen) -> Option<Running> {
    let shared = trial.handler(&Retry::default(), |_: LetterPosted, _| async { Ok(()) });
    let service = trial.service("caches").await.on::<LetterPosted>(shared);
    let service = service.on_with::<LetterPosted>(seen.handling(), |s| s.group(EACH).per_instance());
    if trial.capabilities().await.per_instance {
        return Some(trial.start(service).await);
    }
    let error = trial.try_start(service).await.err().expect("it is not declared, so nobody can ask for it");
    assert_eq!(error.kind(), ErrorKind::Subscription, "{error}");
    None
}

async fn post(trial: &Trial, by: &Publisher, numbers: Range<usize>) {
    for number in numbers {
        trial.post(by, &letter("a", number)).await.expect("somebody listens");
    }
}

/// What an instance gives up on is kept, and cannot go back to all of them.
async fn is_kept(trial: &Trial) {
    let (outside, queue) = (trial.connect().await, format!("{}caches-{EACH}", trial.prefix()));
    let dead = || async { outside.dead_letters(&queue, usize::MAX).await.expect("dead letters can be read") };
    let kept = within(HANDLED, "the dead letter", async {
        loop {
            match dead().await {
                letters if letters.is_empty() => tokio::time::sleep(LOOK).await,
                letters => return letters.len(),
            }
        }
    });
    assert_eq!(kept.await, 1, "dead letters");
    let error = outside.redrive(&queue).await.expect_err("there is no queue that all share");
    assert_eq!(error.kind(), TransportErrorKind::Missing, "{error}");
    assert_eq!(dead().await.len(), 1, "it stays");
}

/// The queue of an instance ends with its connection: nobody listens any more.
async fn nothing_is_left(trial: &Trial) {
    let (here, outside) = (trial.connect().await, trial.connect().await);
    let plan = QueuePlan { reach: Reach::PerInstance, ..trial.plan(EACH, "gone") };
    trial.declare(&*here, std::slice::from_ref(&plan)).await;
    trial.publish(&*outside, trial.message(&plan, "")).await.expect("an instance is there");
    here.close().await;
    let mut answer = Ok(());
    while outside.capabilities().reports_unroutable && answer.is_ok() {
        tokio::time::sleep(LOOK).await;
        answer = trial.publish(&*outside, trial.message(&plan, "")).await;
    }
    if let Err(error) = answer {
        assert_eq!(error.kind(), PublishErrorKind::Unroutable, "{error}");
    }
}
