//! Batches of which a part fails.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tegami::{
    HandlerError, Retry,
    telemetry::{End, Fact},
    testing::transport::{Case, Done, Injected, LetterFiled, LetterPosted, Trial, check, filed, letter, until},
    transport::{PublishErrorKind, Transport},
};
use tegami_test_servers::{Applied, Kind, Rule, Trouble};

use super::{
    load,
    road::{AFTERWARDS, Road, TROUBLE},
    tried, tried_on,
};
use crate::broker::Place;

/// How soon so many are struck.
const SOON: Duration = Duration::from_secs(60);
/// How many of each kind.
const TIMES: u64 = 10;

/// How many letters nobody can handle; and of these in order, as many as one look at dead letters finds.
const LETTERS: usize = 60;
const FILED: usize = 10;

static BURIED: Case = Case::new("F-22", "f_22_dead_letters_partly_failed", |trial| Box::pin(buried(trial)));
static DOUBTFUL: Case = Case::new("P-02", "p_02_entry_fails_and_is_stored", |trial| Box::pin(doubtful(trial)));
static PARTLY: Case = Case::new("F-22", "f_22_batch_partly_failed", |trial| Box::pin(load(trial)));

/// AWS says to the end that it could not, and it could: nobody knows.
async fn doubtful(trial: &Trial) -> Done {
    let (connection, plan) = trial.queue("letters").await;
    let message = trial.message(&plan, "a letter");
    assert_eq!(trial.inject(TROUBLE).await, Injected::Done);
    let answer = trial.publish(&*connection, message.clone()).await;
    assert_eq!(answer.map_err(|error| error.kind()), Err(PublishErrorKind::Unknown));
    trial.lift(TROUBLE).await;
    trial.complete_rest().await;
    let runs = trial.tally().of(&plan.name);
    assert!(runs.contains_key(message.id.as_str()), "it was stored: {runs:?}");
    Done::Kept
}

/// Each letter is kept as a dead one: at least once, and in order exactly once.
async fn buried(trial: &Trial) -> Done {
    let never = Retry::never();
    let posted = trial.handler(&never, |_: LetterPosted, _| async { Err(HandlerError::reject("a letter to nobody")) });
    let filing = trial.handler(&never, |_: LetterFiled, _| async { Err(HandlerError::reject("a letter to nobody")) });
    let service = trial.service("billing").await.on::<LetterPosted>(posted).on::<LetterFiled>(filing);
    let buried = Arc::new(AtomicUsize::new(0));
    let running = trial.start(service.observe(counting(buried.clone()))).await;
    assert_eq!(trial.inject(TROUBLE).await, Injected::Done);
    for number in 0..LETTERS {
        trial.post(running.publisher(), &letter("a", number)).await.expect("somebody listens");
    }
    for number in 0..FILED {
        let folder = format!("folder {}", number % 5);
        trial.post(running.publisher(), &filed(&folder, number)).await.expect("somebody listens");
    }
    let connection = trial.connect().await;
    for plan in trial.queues() {
        let letters = if plan.ordered { FILED } else { LETTERS };
        let kept = all_kept(&*connection, &plan.name, letters).await;
        assert!(kept == letters || !plan.ordered, "{kept} dead letters of `{}`", plan.name);
    }
    assert_eq!(trial.inject(AFTERWARDS).await, Injected::Done);
    // A copy may be there before its answer is, and the letter itself with it.
    until(|| buried.load(Ordering::SeqCst) >= LETTERS + FILED).await;
    running.stop().await.expect("no hook can fail");
    Done::Kept
}

/// Counts the dead letters whose copies were answered for.
fn counting(buried: Arc<AtomicUsize>) -> impl Fn(&Fact<'_>) {
    move |fact| {
        if let Fact::Settled(settled) = fact
            && settled.end == End::DeadLettered
        {
            buried.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// Waits until each letter is there; how many are.
async fn all_kept(connection: &dyn Transport, queue: &str, count: usize) -> usize {
    loop {
        let letters = connection.dead_letters(queue, usize::MAX).await.expect("they can be read");
        let ids: BTreeSet<_> = letters.iter().filter_map(|letter| letter.id()).collect();
        if ids.len() == count {
            return letters.len();
        }
    }
}

/// The dead letters of which a part fails, from now on.
async fn fail_some_copies(place: &Place) {
    for applied in [Applied::No, Applied::Yes] {
        place.fault.put(Rule::on("SendMessageBatch", Trouble::PartlyFailed(applied)).share(0.3));
    }
}

async fn some_failed(place: &Place) {
    assert!(place.fault.struck("SendMessageBatch") > 0, "some copies failed");
}

/// Of half of all batches, half of the entries fails, or is only said to.
async fn fail_parts(place: &Place, operations: &[&'static str]) {
    for operation in operations {
        for applied in [Applied::No, Applied::Yes] {
            place.fault.put(Rule::on(operation, Trouble::PartlyFailed(applied)).share(0.3));
        }
    }
    for operation in operations {
        place.struck(SOON, operation, TIMES).await;
    }
}

async fn deny_what_is_done(place: &Place) {
    place.fault.put(Rule::on("PublishBatch", Trouble::PartlyFailed(Applied::Yes)));
}

#[test]
fn p2_f22_a_publish_that_aws_failed_at_by_its_own_fault_is_unknown() {
    tried(&DOUBTFUL, |place| Box::pin(deny_what_is_done(place)));
}

#[test]
fn f22_publishes_of_which_a_part_fails_lose_nothing() {
    tried(&PARTLY, |place| Box::pin(fail_parts(place, &["PublishBatch"])));
}

#[test]
fn f22_deletes_and_delays_of_which_a_part_fails_lose_nothing() {
    tried(&PARTLY, |place| Box::pin(fail_parts(place, &["DeleteMessageBatch", "ChangeMessageVisibilityBatch"])));
}

#[test]
fn f22_batches_of_which_a_part_fails_lose_nothing_on_localstack() {
    tried_on(Kind::LocalStack, &PARTLY, |place| Box::pin(fail_parts(place, &["PublishBatch", "DeleteMessageBatch"])));
}

#[test]
fn f22_dead_letters_of_which_a_part_fails_are_all_kept() {
    let road = || Road::new(Kind::MiniStack, |place| Box::pin(fail_some_copies(place)));
    check(module_path!(), &BURIED, || road().then(|place| Box::pin(some_failed(place))));
}
