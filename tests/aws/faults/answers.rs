//! Answers that are lost, or that are not true: a call was carried out, and nobody knows; or it was not.

use std::time::Duration;

use tegami::testing::transport::{Case, Done, Trial};
use tegami_test_servers::{Kind, Rule, Trouble};
use tokio::time::sleep;

use super::{load, load::under_way, tried, tried_on};
use crate::broker::Place;

/// How soon so many calls are made as are struck.
const SOON: Duration = Duration::from_secs(60);
/// How long a message is hidden, and a little more: what comes back has come back.
const HIDDEN: Duration = Duration::from_secs(6);
/// How many calls are struck.
const TIMES: u64 = 12;
/// How many receives are, of which each makes the next one wait longer.
const RECEIVES: u64 = 6;
/// How many publishes are: enough to hit the topic in order and the other.
const PUBLISHES: u64 = 20;

static SENT: Case = Case::new("F-16", "f_16_sent_and_not_told", |trial| Box::pin(only_unordered_twice(trial)));
static DELETED: Case = Case::new("F-17", "f_17_deleted_and_not_told", |trial| Box::pin(none_twice(trial)));
static KEPT: Case = Case::new("F-17", "f_17_told_and_not_deleted", |trial| Box::pin(none_twice(trial)));
static REPEATED: Case = Case::new("F-35", "f_35_received_again", |trial| Box::pin(load(trial)));
static RECEIVED: Case = Case::new("F-18", "f_18_received_by_nobody", |trial| Box::pin(none_twice(trial)));

/// How many messages were completed more than once, of queues in order or of the others.
fn twice(trial: &Trial, ordered: bool) -> usize {
    let queues = trial.queues().into_iter().filter(|plan| plan.ordered == ordered);
    let times = queues.flat_map(|plan| trial.tally().of(&plan.name).into_values());
    times.filter(|runs| runs.completed > 1).count()
}

/// What is sent again is another message, but not where SNS drops repeats.
async fn only_unordered_twice(trial: &Trial) -> Done {
    under_way(trial).await;
    assert!(twice(trial, false) > 0, "what was sent twice came twice");
    assert_eq!(twice(trial, true), 0, "a topic in order drops what it has had");
    Done::Kept
}

async fn none_twice(trial: &Trial) -> Done {
    assert_eq!(under_way(trial).await, 0, "each publish was answered");
    assert_eq!(trial.tally().duplicates(), 0, "what is done is done");
    Done::Kept
}

async fn lose_answers(place: &Place, operation: &'static str, times: u64) {
    place.fault.put(Rule::on(operation, Trouble::LostAnswer).times(times));
    place.struck(SOON, operation, times).await;
}

async fn lose_sent(place: &Place) {
    lose_answers(place, "PublishBatch", PUBLISHES).await;
}

async fn lose_deleted(place: &Place) {
    lose_answers(place, "DeleteMessageBatch", TIMES).await;
    sleep(HIDDEN).await;
}

async fn pretend_deleted(place: &Place) {
    place.fault.put(Rule::on("DeleteMessageBatch", Trouble::Pretended).times(TIMES));
    place.struck(SOON, "DeleteMessageBatch", TIMES).await;
    sleep(HIDDEN).await;
}

/// What was received once is received again and again, before it is known to be done.
async fn repeat_received(place: &Place) {
    place.fault.put(Rule::on("ReceiveMessage", Trouble::EarlierReceive).share(0.3));
    place.struck(SOON, "ReceiveMessage", TIMES).await;
}

async fn lose_received(place: &Place) {
    lose_answers(place, "ReceiveMessage", RECEIVES).await;
    sleep(HIDDEN).await;
}

#[test]
fn f16_a_publish_whose_answer_is_lost_comes_twice_but_not_in_order() {
    tried(&SENT, |place| Box::pin(lose_sent(place)));
}

#[test]
fn f16_a_publish_whose_answer_is_lost_comes_twice_but_not_in_order_on_localstack() {
    tried_on(Kind::LocalStack, &SENT, |place| Box::pin(lose_sent(place)));
}

#[test]
fn f17_a_delete_whose_answer_is_lost_is_a_delete() {
    tried(&DELETED, |place| Box::pin(lose_deleted(place)));
}

#[test]
fn f17_what_is_done_and_was_not_deleted_is_not_handled_again() {
    tried(&KEPT, |place| Box::pin(pretend_deleted(place)));
}

#[test]
fn f17_what_is_done_and_was_not_deleted_is_not_handled_again_on_localstack() {
    tried_on(Kind::LocalStack, &KEPT, |place| Box::pin(pretend_deleted(place)));
}

#[test]
fn f18_what_was_received_and_lost_on_its_way_comes_again_in_time() {
    tried(&RECEIVED, |place| Box::pin(lose_received(place)));
}

#[test]
fn f35_what_is_received_again_and_again_harms_neither_order_nor_others() {
    tried(&REPEATED, |place| Box::pin(repeat_received(place)));
}
