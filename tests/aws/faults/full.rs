//! As many messages as may be held at once, whose deletes are on their way.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use tegami::{
    Retry,
    testing::transport::{Case, Done, Injected, LetterPosted, Trial, letter, until},
};
use tegami_test_servers::{Rule, Trouble};

use super::{road::TROUBLE, tried};
use crate::broker::Place;

/// So many are held at most, and there are more.
const HELD: usize = 300;
const LETTERS: usize = 400;

static FULL: Case = Case::new("D-01", "d_01_deletes_take_long", |trial| Box::pin(delete_slowly(trial)));

/// Once they are deleted, the rest comes, though nothing else happens that it could wait for.
async fn delete_slowly(trial: &Trial) -> Done {
    let handled = Arc::<Mutex<BTreeSet<String>>>::default();
    let notes = handled.clone();
    let posted = trial.handler(&Retry::never(), move |_: LetterPosted, ctx| {
        notes.lock().expect("nobody panics").insert(ctx.message_id().to_string());
        async { Ok(()) }
    });
    let count = || handled.lock().expect("nobody panics").len();
    let service = trial.service("billing").await.on::<LetterPosted>(posted);
    let running = trial.start(service).await;
    assert_eq!(trial.inject(TROUBLE).await, Injected::Done);
    for number in 0..LETTERS {
        trial.post(running.publisher(), &letter("a", number)).await.expect("somebody listens");
    }
    // What is not deleted in time comes again meanwhile, and takes no room.
    until(|| count() == HELD).await;
    trial.lift(TROUBLE).await;
    until(|| count() == LETTERS).await;
    running.stop().await.expect("no hook can fail");
    Done::Kept
}

async fn hang(place: &Place) {
    place.fault.put(Rule::on("DeleteMessageBatch", Trouble::Hang));
}

#[test]
fn d1_what_waits_is_received_once_slow_deletes_make_room() {
    tried(&FULL, |place| Box::pin(hang(place)));
}
