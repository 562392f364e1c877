//! Services that are broken inside, and answers that come in pieces, or with the checksum of something else.

use std::time::Duration;

use futures_util::future::join_all;
use tegami::{
    envelope::{MessageId, Sealed},
    testing::transport::{Case, Done, Injected, Trial, check, until, within},
    time::Dice,
    transport::{Outgoing, Provision, PublishErrorKind, QueuePlan, Transport, aws::Aws},
};
use tegami_test_servers::{Kind, Rule, Trouble};

use super::{
    load,
    road::{AFTERWARDS, Road, TROUBLE},
    tried,
};
use crate::{
    broker::Place,
    startup::{Account, topology},
};

/// What is struck under load, and how often each.
const OPERATIONS: [&str; 3] = ["PublishBatch", "ReceiveMessage", "DeleteMessageBatch"];
const TIMES: u64 = 5;
/// How often each answer drips, which takes long.
const DRIPS: u64 = 2;
/// How soon that is, and how soon calls go well again: a receive that takes too long is given up after eleven seconds.
const SOON: Duration = Duration::from_secs(60);
/// How slowly an answer drips: the shorter ones come whole, the longer ones too late.
const DRIP: Trouble = Trouble::Drip(Duration::from_millis(1));
/// Longer than a message is hidden.
const HIDDEN: Duration = Duration::from_secs(7);
/// How soon a message is in its queue, once its topic has it.
const THERE: Duration = Duration::from_secs(60);
/// As often as a publish has time to be tried again.
const FEW: u64 = 2;

/// What breaks a publish, by the ending of the name of the topic or queue; and what of it is stored, if nothing helps.
const BREAKS: [(&str, Trouble, bool); 4] = [
    ("-internal", Trouble::INTERNAL, false),
    ("-unavailable", Trouble::UNAVAILABLE, false),
    ("-cut", Trouble::Cut, true),
    ("-digest", Trouble::WrongDigest, true),
];

static LOADED: Case = Case::new("D-01", "d_01_broken_answers", |trial| Box::pin(load(trial)));
static CHECKED: Case = Case::new("P-09", "p_09_received_with_another_checksum", |trial| Box::pin(not_handled(trial)));

async fn strike(place: &Place, trouble: Trouble, times: u64) {
    for operation in OPERATIONS {
        place.fault.put(Rule::on(operation, trouble).share(0.5).times(times));
    }
    for operation in OPERATIONS {
        place.struck(SOON, operation, times).await;
        place.served(SOON, operation).await;
    }
}

async fn falsify(place: &Place) {
    place.fault.put(Rule::on("ReceiveMessage", Trouble::WrongDigest));
}

/// Waits until the message was received by somebody.
async fn received(place: &Place) {
    let caller = place.emulator.caller();
    let names = caller.list("").expect("it answers");
    let queues: Vec<_> = names.into_iter().filter(|name| name.ends_with("-P-09-letters")).collect();
    until(|| queues.iter().any(|queue| caller.count(queue).expect("it is there")[1] > 0)).await;
}

/// It stays hidden, and comes once more when it can be read.
async fn not_handled(trial: &Trial) -> Done {
    let (connection, plan) = trial.queue("letters").await;
    assert_eq!(trial.inject(TROUBLE).await, Injected::Done);
    let mut reader = trial.reader(&*connection, &plan).await;
    trial.publish(&*connection, trial.message(&plan, "hello")).await.expect("there is a queue for it");
    assert_eq!(trial.inject(AFTERWARDS).await, Injected::Done);
    assert!(reader.next_within(HIDDEN).await.is_none(), "nobody handles what may be something else");
    trial.lift(TROUBLE).await;
    let got = reader.next().await;
    assert!(got.delivery.attempt > 1, "it had come before");
    got.ack().await.expect("it is ours");
    Done::Kept
}

/// Publishes one message on each of the broken ways.
async fn publish(aws: &Aws, plans: &[QueuePlan]) -> Vec<Option<PublishErrorKind>> {
    let publishes = plans.iter().map(|plan| {
        let id = MessageId::draw(&Dice::system());
        let sealed = Sealed { body: "hello".into(), ..Sealed::default() };
        let mut message = Outgoing::new(id, "paid", plan.bindings[0].topic.clone(), sealed);
        // SNS tells no checksum; SQS does.
        message.queue = plan.name.ends_with("-digest").then(|| plan.name.clone());
        aws.publish(message)
    });
    let outcomes = join_all(publishes).await;
    outcomes.into_iter().map(|outcome| outcome.err().map(|error| error.kind())).collect()
}

/// An account where each of the ways breaks so often.
async fn broken(times: u64) -> (Account, Vec<QueuePlan>, Aws) {
    let account = Account::open(Kind::MiniStack).await;
    let plans = BREAKS.map(|(ending, ..)| account.plan(&ending[1..], &[&ending[1..]]));
    let aws = Aws::new(account.url(""));
    aws.provision(&topology(&plans), Provision::Create).await.expect("it can start");
    for (ending, trouble, _) in BREAKS {
        for operation in ["PublishBatch", "SendMessageBatch"] {
            account.fault.put(Rule::on(operation, trouble).to(ending).times(times));
        }
    }
    (account, plans.into(), aws)
}

fn stored(account: &Account, plan: &QueuePlan) -> u64 {
    account.caller.count(&plan.name).expect("it is there").iter().sum()
}

#[tokio::test]
async fn p1_a_publish_that_breaks_twice_is_sent_again_and_stored() {
    let (account, plans, aws) = broken(FEW).await;
    assert_eq!(publish(&aws, &plans).await, [None; 4]);
    for plan in &plans {
        within(THERE, &plan.name, until(|| stored(&account, plan) > 0)).await;
    }
    assert_eq!(account.fault.struck("*"), FEW * 4, "each of them broke");
    aws.close().await;
}

#[tokio::test]
async fn p2_a_publish_whose_every_try_breaks_is_unknown() {
    let (account, plans, aws) = broken(u64::MAX).await;
    assert_eq!(publish(&aws, &plans).await, [Some(PublishErrorKind::Unknown); 4]);
    assert!(account.fault.struck("*") > FEW * 4, "each was tried as long as it may be");
    for (plan, (.., is_stored)) in plans.iter().zip(BREAKS) {
        assert_eq!(stored(&account, plan) > 0, is_stored, "{}", plan.name);
    }
    aws.close().await;
}

#[test]
fn d1_a_service_that_is_broken_inside_loses_nothing() {
    tried(&LOADED, |place| Box::pin(strike(place, Trouble::INTERNAL, TIMES)));
}

#[test]
fn d1_a_service_that_is_not_there_for_a_while_loses_nothing() {
    tried(&LOADED, |place| Box::pin(strike(place, Trouble::UNAVAILABLE, TIMES)));
}

#[test]
fn d1_answers_that_are_cut_lose_nothing() {
    tried(&LOADED, |place| Box::pin(strike(place, Trouble::Cut, TIMES)));
}

#[test]
fn d1_answers_that_come_byte_by_byte_lose_nothing() {
    tried(&LOADED, |place| Box::pin(strike(place, DRIP, DRIPS)));
}

#[test]
fn p9_what_is_received_with_another_checksum_is_not_handled() {
    let road = || Road::new(Kind::MiniStack, |place| Box::pin(falsify(place)));
    check(module_path!(), &CHECKED, || road().then(|place| Box::pin(received(place))));
}
