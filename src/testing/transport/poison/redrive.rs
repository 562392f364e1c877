//! Dead letters that are put back.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use super::super::{Done, LetterPosted, Trial, letter, office::Office, trial::held};
use crate::{HandlerError, Retry};

/// What the handler saw.
#[derive(Default)]
struct Seen {
    runs: Vec<(String, u32)>,
    known: BTreeSet<String>,
}

/// X7: a dead letter that is redriven twice comes each time as itself, its attempts from 1; a handler that remembers
/// ids has one effect.
pub async fn x_10_redrive(trial: &Trial) -> Done {
    let (seen, ledger) = (Arc::new(Mutex::new(Seen::default())), trial.ledger.clone());
    let noted = seen.clone();
    let handler = trial.handler(&Retry::never(), move |_: LetterPosted, ctx| {
        let (id, mut seen) = (ctx.message_id().to_string(), held(&noted));
        seen.runs.push((id.clone(), ctx.attempt()));
        // The first run fails before its effect, the second behind it.
        let runs = seen.runs.len();
        if runs > 1 && seen.known.insert(id.clone()) {
            ledger.effect(id, ctx.queue());
        }
        drop(seen);
        async move { if runs < 3 { Err(HandlerError::reject("not today")) } else { Ok(()) } }
    });
    let office = Office::open(trial, trial.service("billing").await.on::<LetterPosted>(handler)).await;
    let id = office.post(trial, &letter("a", 1)).await.to_string();
    for _ in 0..2 {
        let dead = office.dead(1).await;
        assert_eq!(dead[0].id().map(|id| id.as_str()), Some(id.as_str()));
        assert_eq!(office.redrive().await, 1);
    }
    trial.tally().until_done(1).await;
    assert_eq!(office.redrive().await, 0, "nothing is dead any more");
    let first = || (id.clone(), 1);
    assert_eq!(held(&seen).runs, [first(), first(), first()]);
    office.close().await;
    Done::Kept
}
