//! A dead-letter queue that somebody deletes.

use std::time::Duration;

use tegami::{
    HandlerError, Retry,
    service::Running,
    testing::transport::{Case, Done, Injected, LetterPosted, Trial, letter, within},
    transport::ReasonKind,
};

use super::{road::TROUBLE, tried};
use crate::broker::Place;

/// How many letters come once the dead-letter queue is gone; the first cannot be handled.
const LETTERS: usize = 5;
/// How soon a letter is kept once its queue is there again.
const KEPT: Duration = Duration::from_secs(60);

static GONE: Case = Case::new("F-44", "f_44_dead_letters_deleted", |trial| Box::pin(kept_at_last(trial)));

async fn delete(place: &Place) {
    let caller = place.emulator.caller();
    let gone = tokio::task::spawn_blocking(move || {
        let dead = caller.list("")?.into_iter().filter(|name| name.ends_with("-bikes-dead"));
        dead.map(|name| caller.remove(&name)).collect::<Result<Vec<_>, _>>()
    });
    let gone = gone.await.expect("nothing there panics").expect("they can be deleted");
    assert!(!gone.is_empty(), "there was one");
}

async fn billing(trial: &Trial) -> Running {
    let plan = Retry::never();
    let handler = trial.handler(&plan, |letter: LetterPosted, _| async move {
        if letter.number == 0 { Err(HandlerError::reject("a letter to nobody")) } else { Ok(()) }
    });
    let service = trial.service("billing").await;
    trial.start(service.on_with::<LetterPosted>(handler, |asked| asked.group("bikes").retry(plan))).await
}

/// What belongs there stays and is tried again, others go on; the queue is made again, and it is kept there.
async fn kept_at_last(trial: &Trial) -> Done {
    let running = billing(trial).await;
    assert_eq!(trial.inject(TROUBLE).await, Injected::Done);
    for number in 0..LETTERS {
        trial.post(running.publisher(), &letter("a", number)).await.expect("its queue is bound");
    }
    trial.tally().until_done(LETTERS - 1).await;
    let queue = &trial.queues()[0].name;
    let connection = trial.connect().await;
    let kept = async {
        loop {
            let letters = connection.dead_letters(queue, 2).await.unwrap_or_default();
            if !letters.is_empty() {
                return letters;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let letters = within(KEPT, "the dead letter", kept).await;
    // Its copy may have been made twice.
    assert!(letters.iter().all(|letter| letter.reason() == ReasonKind::Permanent), "{letters:?}");
    assert!(letters.iter().all(|letter| letter.id() == letters[0].id()), "{letters:?}");
    running.stop().await.expect("no hook can fail");
    Done::Kept
}

#[test]
fn f44_a_deleted_dead_letter_queue_loses_nothing() {
    tried(&GONE, |place| Box::pin(delete(place)));
}
