//! Stops while SQS is slow to take what is done.

use std::time::Duration;

use futures_util::future::join;
use tegami::{
    service::Running,
    testing::transport::{Case, Done, Injected, LetterFiled, LetterPosted, Trial, check, filed, letter, until},
};
use tegami_test_servers::{Kind, Rule, Trouble as Strike};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{
    Trouble,
    road::{AFTERWARDS, Road, TROUBLE},
};
use crate::broker::Place;

const DELETE: &str = "DeleteMessageBatch";
/// How late deletes are, or when they are no longer refused: within the time of a try, and of a stop.
const LATE: Duration = Duration::from_secs(3);
/// How many letters there are of each kind.
const LETTERS: usize = 12;
/// Longer than a message is hidden.
const HIDDEN: Duration = Duration::from_secs(7);

static STOPPED: Case = Case::new("S-02", "s_02_deletes_at_a_stop", |trial| Box::pin(once(trial)));

/// Handles those that are filed at once, and the others once it may: until then they are held.
async fn billing(trial: &Trial, go: &CancellationToken) -> Running {
    let go = go.clone();
    let posted = trial.handler(&Default::default(), move |_: LetterPosted, _| {
        let go = go.clone();
        async move {
            go.cancelled().await;
            Ok(())
        }
    });
    let filing = trial.handler(&Default::default(), |_: LetterFiled, _| async { Ok(()) });
    let service = trial.service("billing").await.on_with::<LetterPosted>(posted, |s| s.concurrency(LETTERS));
    trial.start(service.on::<LetterFiled>(filing)).await
}

/// What was handled before the stop is not handled after it.
async fn once(trial: &Trial) -> Done {
    let go = CancellationToken::new();
    let running = billing(trial, &go).await;
    assert_eq!(trial.inject(TROUBLE).await, Injected::Done);
    for number in 0..LETTERS {
        trial.post(running.publisher(), &letter("a", number)).await.expect("somebody listens");
        trial.post(running.publisher(), &filed("folder", number)).await.expect("somebody listens");
    }
    // However long the posting took: none waits for its delete for longer than the stop does.
    until(|| trial.tally().attempts() >= 2 * LETTERS).await;
    go.cancel();
    trial.tally().until_done(2 * LETTERS).await;
    let relief = async {
        sleep(LATE).await;
        assert_eq!(trial.inject(AFTERWARDS).await, Injected::Done);
    };
    let (ended, ()) = join(running.stop(), relief).await;
    ended.expect("no hook can fail");
    let running = billing(trial, &go).await;
    sleep(HIDDEN).await;
    trial.tally().until_quiet().await;
    running.stop().await.expect("no hook can fail");
    assert_eq!(trial.tally().attempts(), 2 * LETTERS, "each was handled once");
    Done::Kept
}

async fn struck(place: &Place) {
    assert!(place.fault.struck(DELETE) > 1, "deletes were in trouble");
    place.fault.lift();
}

fn stopped(strike: Trouble) {
    check(module_path!(), &STOPPED, || Road::new(Kind::MiniStack, strike).then(|place| Box::pin(struck(place))));
}

#[test]
fn s2_deletes_that_come_late_are_waited_for_at_a_stop() {
    stopped(|place| Box::pin(async { place.fault.put(Rule::on(DELETE, Strike::Late(LATE))) }));
}

#[test]
fn s2_deletes_that_are_throttled_are_tried_again_at_a_stop() {
    // Not in order: there SQS keeps all others of a key back until what is done is deleted.
    stopped(|place| Box::pin(async { place.fault.put(Rule::on(DELETE, Strike::Throttled).to("LetterPosted")) }));
}
