//! Events of a contract that another has taken the place of.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use super::super::{Done, LetterPosted, Trial, letter, letters::newer, office::Office};
use crate::{
    HandlerError, Retry,
    envelope::{Envelope, JsonBase},
};

/// D3: a handler of a newer contract gets what is published under the older one too, as if it were of the newer; what
/// it gives up on keeps the bytes it came in, and comes back from there.
pub async fn d_10_upcasts(trial: &Trial) -> Done {
    let refused = Arc::new(AtomicBool::new(false));
    let handler = trial.handler(&Retry::never(), move |letter: newer::LetterPosted, _| {
        assert_eq!(letter.stamps, if letter.text.starts_with("new") { 2 } else { 1 });
        let refuses = letter.number == 0 && !refused.swap(true, Ordering::SeqCst);
        async move { if refuses { Err(HandlerError::reject("not today")) } else { Ok(()) } }
    });
    let service = trial.service("billing").await.upcast::<LetterPosted, newer::LetterPosted>();
    let office = Office::open(trial, service.on::<newer::LetterPosted>(handler)).await;
    let first = letter("a", 0);
    office.post_older::<_, newer::LetterPosted>(trial, &first).await;
    let dead = office.dead(1).await.remove(0);
    let kept = JsonBase::default().decode::<LetterPosted>(&dead.sealed).expect("it is as it came");
    assert_eq!(kept.content, first);
    assert_eq!(office.redrive().await, 1);
    for number in 1..trial.many() {
        office.post_older::<_, newer::LetterPosted>(trial, &letter("a", number)).await;
        office.post(trial, &new(number)).await;
    }
    trial.tally().until_done(2 * trial.many() - 1).await;
    office.close().await;
    Done::Kept
}

fn new(number: usize) -> newer::LetterPosted {
    newer::LetterPosted::builder().r#box("a").number(number as u64).text(format!("new {number}")).stamps(2).build()
}
