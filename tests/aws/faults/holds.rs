//! Holds that cannot be renewed (L2): others may have the message, so whoever had it before says nothing more of it.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use tegami::{
    Context, HandlerError, Retry,
    service::Running,
    testing::transport::{Case, Done, Injected, LetterFiled, LetterPosted, Trial, check, filed, letter, until, within},
};
use tegami_test_servers::{Applied, Kind, Rule, Trouble as Strike};

use super::{
    road::{AFTERWARDS, Road, TROUBLE},
    tried,
};
use tokio::time::sleep;

use crate::broker::{Broker, Place};

/// Longer than a message is hidden, so that its hold is lost; and how soon that is known, on a busy machine too.
const LATE: Duration = Duration::from_secs(7);
const LOST: Duration = Duration::from_secs(60);
/// How soon it is there again: within that time, and a backoff of who asks for it.
const BACK: Duration = Duration::from_secs(60);
const RENEWAL: &str = "ChangeMessageVisibilityBatch";
/// The letters of one key.
const KEYED: usize = 4;

static POSTED: Case = Case::new("F-23", "f_23_hold_lost", |trial| Box::pin(posted(trial)));
static ANSWERED: Case = Case::new("F-23", "f_23_hold_lost_and_answered", |trial| Box::pin(answered(trial)));
static FILED: Case = Case::new("F-23", "f_23_hold_lost_in_order", |trial| Box::pin(in_order(trial)));

/// Longer than three times as long as a message is hidden.
const LONG: Duration = Duration::from_secs(16);

static HELD: Case = Case::new("F-33", "f_33_three_times_as_long", |trial| Box::pin(held(trial)));

/// The first run of a handler: it goes on until it is told that its message is lost. The others end at once.
#[derive(Default)]
struct First {
    begun: AtomicBool,
    lost: AtomicBool,
}

impl First {
    fn new() -> &'static Self {
        Box::leak(Box::default())
    }

    async fn handle(&self, ctx: Context) -> Result<(), HandlerError> {
        if self.begun.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        ctx.cancelled().await;
        self.lost.store(true, Ordering::SeqCst);
        Err(HandlerError::retry("somebody else has it"))
    }

    /// The handler is told, and then the trouble ends.
    async fn is_told(&self, trial: &Trial) {
        until(|| self.begun.load(Ordering::SeqCst)).await;
        assert_eq!(trial.inject(TROUBLE).await, Injected::Done);
        within(LOST, "the handler to be told", until(|| self.lost.load(Ordering::SeqCst))).await;
        trial.lift(TROUBLE).await;
    }
}

/// The message is handled once more, and acked once; that the first run failed is nobody's business any more.
async fn posted(trial: &Trial) -> Done {
    let (first, never) = (First::new(), Retry::never());
    let handler = trial.handler(&never, move |_: LetterPosted, ctx| first.handle(ctx));
    let service = trial.service("billing").await.on_with::<LetterPosted>(handler, |s| s.retry(never));
    let running = trial.start(service).await;
    trial.post(running.publisher(), &letter("a", 0)).await.expect("somebody listens");
    all_come(trial, (running, first), 1).await
}

/// It ends well, because it was told to leave the message: that is no ack, and the message comes again (L2).
async fn answered(trial: &Trial) -> Done {
    let (first, never) = (First::new(), Retry::never());
    let handler = trial.handler(&never, move |_: LetterPosted, ctx| async { first.handle(ctx).await.or(Ok(())) });
    let service = trial.service("billing").await.on_with::<LetterPosted>(handler, |s| s.retry(never));
    let running = trial.start(service).await;
    trial.post(running.publisher(), &letter("a", 0)).await.expect("somebody listens");
    first.is_told(trial).await;
    within(BACK, "the message to be handled again", until(|| trial.tally().attempts() == 2)).await;
    trial.tally().until_quiet().await;
    running.stop().await.expect("no hook can fail");
    assert_eq!(trial.tally().attempts(), 2, "the second run's answer counts");
    assert_eq!(trial.inject(AFTERWARDS).await, Injected::Done);
    Done::Kept
}

async fn in_order(trial: &Trial) -> Done {
    let (first, never) = (First::new(), Retry::never());
    let billing = async || {
        let handler = trial.handler(&never, move |_: LetterFiled, ctx| first.handle(ctx));
        trial.start(trial.service("billing").await.on_with::<LetterFiled>(handler, |s| s.retry(Retry::never()))).await
    };
    // They are all there when somebody asks, and so they come together.
    billing().await.stop().await.expect("no hook can fail");
    let sender = trial.start(trial.service("mail").await).await;
    for number in 0..KEYED {
        trial.post(sender.publisher(), &filed("folder", number)).await.expect("there is a queue for it");
    }
    let done = all_come(trial, (billing().await, first), KEYED).await;
    sender.stop().await.expect("no hook can fail");
    done
}

async fn all_come(trial: &Trial, (running, first): (Running, &First), count: usize) -> Done {
    first.is_told(trial).await;
    within(BACK, "all to be completed", trial.tally().until_done(count)).await;
    trial.tally().until_quiet().await;
    running.stop().await.expect("no hook can fail");
    assert_eq!(trial.tally().duplicates(), 0, "each was completed once");
    assert_eq!(trial.inject(AFTERWARDS).await, Injected::Done);
    Done::Kept
}

/// Each handler runs for long, in two replicas; nobody else gets its message.
async fn held(trial: &Trial) -> Done {
    let never = Retry::never();
    let mut replicas = Vec::new();
    for _ in 0..2 {
        let posted = trial.handler(&never, |_: LetterPosted, _| handle_for_long());
        let filing = trial.handler(&never, |_: LetterFiled, _| handle_for_long());
        let service = trial.service("billing").await.on::<LetterPosted>(posted).on::<LetterFiled>(filing);
        replicas.push(trial.start(service).await);
    }
    for number in 0..KEYED {
        trial.post(replicas[0].publisher(), &letter("a", number)).await.expect("somebody listens");
        let folder = format!("folder {number}");
        trial.post(replicas[0].publisher(), &filed(&folder, number)).await.expect("somebody listens");
    }
    trial.tally().until_done(2 * KEYED).await;
    trial.tally().until_quiet().await;
    assert_eq!(trial.tally().attempts(), 2 * KEYED, "each runs once");
    for running in replicas {
        running.stop().await.expect("no hook can fail");
    }
    Done::Kept
}

async fn handle_for_long() -> Result<(), HandlerError> {
    sleep(LONG).await;
    Ok(())
}

async fn strike(place: &Place, strike: Strike) {
    place.fault.put(Rule::on(RENEWAL, strike));
}

/// One message was there: it was deleted once, by whoever had it last, and is no dead letter.
async fn settled_once(place: &Place) {
    assert!(place.fault.struck(RENEWAL) > 0, "it was tried");
    assert_eq!(place.fault.calls("DeleteMessage*"), 1, "who lost a message acks it no more");
    assert_eq!(place.fault.calls("SendMessage*"), 0, "nor keeps it as a dead letter");
}

fn lost(kind: Kind, strike: super::Trouble) {
    lost_in(&POSTED, kind, strike);
}

fn lost_in(case: &'static Case, kind: Kind, strike: super::Trouble) {
    check(module_path!(), case, || Road::new(kind, strike).then(|place| Box::pin(settled_once(place))));
}

async fn refuse(place: &Place) {
    strike(place, Strike::Answer(400, "InvalidParameterValue")).await;
}

#[test]
fn f23_a_hold_that_is_refused_is_given_up_and_settled_once() {
    lost(Kind::MiniStack, |place| Box::pin(refuse(place)));
}

#[test]
fn f23_a_hold_that_is_refused_is_given_up_and_settled_once_on_localstack() {
    lost(Kind::LocalStack, |place| Box::pin(refuse(place)));
}

#[test]
fn f23_a_hold_whose_renewal_comes_too_late_is_given_up_and_settled_once() {
    lost(Kind::MiniStack, |place| Box::pin(strike(place, Strike::Late(LATE))));
}

#[test]
fn f23_what_a_handler_answers_after_its_hold_was_lost_is_no_ack() {
    lost_in(&ANSWERED, Kind::MiniStack, |place| Box::pin(refuse(place)));
}

#[test]
fn f23_what_waits_behind_a_lost_hold_does_not_overtake_it() {
    tried(&FILED, |place| Box::pin(strike(place, Strike::PartlyFailed(Applied::No))));
}

#[test]
fn f33_a_handler_that_takes_three_times_as_long_as_a_message_is_hidden_runs_once() {
    check(module_path!(), &HELD, || Broker::of(Kind::MiniStack));
}
