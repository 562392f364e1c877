//! A message that is stored, and whose confirm never comes.

use std::time::Duration;

use futures_util::future;
use tegami::{
    testing::transport::{Case, Done, Injected, Trial},
    transport::PublishErrorKind,
};
use tegami_test_servers::{Fault, Release, Way};
use tokio::time::sleep;

use super::{Place, road::TROUBLE, tried};

/// How long a message of this size may take until the broker has it.
const STORED: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(100);
const SIZE: usize = 16 * 1024;

static LOST: Case = Case::new("F-15", "f_15_confirm_lost", |trial| Box::pin(sent_again(trial)));

/// The broker is heard no more; once it has the message, the connections are reset.
async fn deafen(place: &Place) {
    let before = place.proxy.counts().up;
    place.proxy.put(Way::Down, Fault::Stall);
    place.counted(STORED, "the message to pass", |counts| counts.up >= before + SIZE as u64).await;
    while place.rabbit.waiting("-F-15-letters").await == 0 {
        sleep(LOOK).await;
    }
    place.proxy.reset();
    place.proxy.lift();
}

/// Nobody knows, so it is sent again, as the same message.
async fn sent_again(trial: &Trial) -> Done {
    let (connection, plan) = trial.queue("letters").await;
    let message = trial.message(&plan, vec![b'x'; SIZE]);
    let publishing = trial.publish(&*connection, message.clone());
    let (injected, answer) = future::join(trial.inject(TROUBLE), publishing).await;
    assert_eq!(injected, Injected::Done);
    assert_eq!(answer.map_err(|error| error.kind()), Err(PublishErrorKind::Unknown));
    trial.publish(&*connection, message.clone()).await.expect("the broker is back");
    trial.complete_rest().await;
    let runs = trial.tally().of(&plan.name);
    let came = runs.get(message.id.as_str()).map(|runs| runs.completed);
    assert_eq!((runs.len(), came), (1, Some(2)), "it was stored both times, under one id");
    Done::Kept
}

#[test]
fn f15_a_lost_confirm_is_unknown_and_the_message_keeps_its_id_on_3() {
    tried(&LOST, Release::V3, |place| Box::pin(deafen(place)));
}

#[test]
fn f15_a_lost_confirm_is_unknown_and_the_message_keeps_its_id_on_4() {
    tried(&LOST, Release::V4, |place| Box::pin(deafen(place)));
}
