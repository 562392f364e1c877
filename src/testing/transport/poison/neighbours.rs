//! Good letters beside poison: each is completed once, whatever becomes of the others.

use std::time::Duration;

use futures_util::future::join_all;

use super::{
    super::{
        Done, Fault, Injected, LetterPosted, Trial, letter,
        office::{LETTER, Office, enveloped},
    },
    open, plan,
};
use crate::{HandlerError, transport::Outgoing};

/// X3: one poison message among ten that wait together, at each place in turn, costs the other nine nothing.
pub async fn x_03_bad_neighbour(trial: &Trial) -> Done {
    const BATCH: usize = 10;
    let mut office = open(trial, trial.service("billing").await).await;
    for place in 0..BATCH {
        // The queue outlives its reader, so the whole batch waits in it.
        office.pause().await;
        for number in 0..BATCH {
            let put = office.put(trial, |message| {
                let good = enveloped(&message.id, LETTER);
                message.sealed.body = if number == place { "poison".into() } else { good.into() };
            });
            put.await;
        }
        office = open(trial, trial.service("billing").await).await;
        trial.tally().until_done((BATCH - 1) * (place + 1)).await;
        let dead = office.dead(place + 1).await;
        assert_eq!(dead.len(), place + 1, "one of each batch is dead");
    }
    office.close().await;
    assert_eq!(trial.tally().attempts(), (BATCH - 1) * BATCH, "each good one is handled once");
    Done::Kept
}

/// X3: ten thousand poison messages in a row are dead letters, and the good ones among them are completed.
pub async fn x_04_burst(trial: &Trial) -> Done {
    const EACH: usize = 100;
    let office = open(trial, trial.service("billing").await).await;
    let good = trial.many() / 10;
    for number in 0..good {
        let poison = |message: &mut Outgoing| message.sealed.body = format!("poison {}", message.id).into();
        join_all((0..EACH).map(|_| office.put(trial, poison))).await;
        office.post(trial, &letter("a", number)).await;
    }
    trial.tally().until_done(good).await;
    assert_eq!(office.dead(good * EACH).await.len(), good * EACH);
    assert_eq!((trial.tally().attempts(), trial.tally().duplicates()), (good, 0));
    office.close().await;
    Done::Kept
}

/// X4: while dead-letter queues take nothing, what should go there stays and is tried again without haste, and the
/// good ones are completed; afterwards nothing is lost.
pub async fn x_05_dlq_down(trial: &Trial) -> Done {
    let bad = trial.many() / 20;
    let handler = trial.handler(&plan(), |letter: LetterPosted, _| async move {
        if letter.r#box == "bad" { Err(HandlerError::reject("no such box")) } else { Ok(()) }
    });
    let office = Office::open(trial, trial.service("billing").await.on::<LetterPosted>(handler)).await;
    if trial.inject(Fault::DeadLettersDown).await == Injected::Cannot {
        return Done::NotHere(Fault::DeadLettersDown.needs());
    }
    for number in 0..bad {
        office.put(trial, |message| message.sealed.body = format!("poison {}", message.id).into()).await;
        office.post(trial, &letter("bad", number)).await;
        office.post(trial, &letter("good", number)).await;
    }
    trial.tally().until_done(bad).await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(office.dead_letters().await.is_empty(), "the fault is none");
    let most = trial.tally().of(&office.queue.name).into_values().map(|runs| runs.begun).max();
    assert!(most.is_some_and(|most| (2..=100).contains(&most)), "tried {most:?} times in 10 s");
    office.post(trial, &letter("good", bad)).await;
    trial.tally().until_done(bad + 1).await;
    trial.lift(Fault::DeadLettersDown).await;
    assert_eq!(office.dead(2 * bad).await.len(), 2 * bad);
    assert_eq!(trial.tally().duplicates(), 0, "each good one is completed once");
    office.close().await;
    Done::Kept
}
