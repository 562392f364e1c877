//! What stands beside a body: much of it, and nested without end.

use std::collections::BTreeSet;

use super::{
    super::{
        Done, Injected, Nest, Trial, letter,
        office::{BOX, LETTER, Office, enveloped},
    },
    open,
};
use crate::{event::Attributes, transport::PublishErrorKind};

/// The deepest of each fill a frame of AMQP.
const NESTS: [Nest; 8] = [
    Nest::Lists(100),
    Nest::Tables(100),
    Nest::Lists(1_000),
    Nest::Tables(1_000),
    Nest::Lists(10_000),
    Nest::Tables(10_000),
    Nest::Lists(26_000),
    Nest::Tables(18_000),
];

/// P9, X3: the most attributes with the longest values that the transport takes arrive; more are refused as too large.
/// Nested ones of foreign producers are delivered or dead, and harm neither the process nor other messages.
pub async fn x_12_header_bomb(trial: &Trial) -> Done {
    as_many_as_are_taken(trial).await;
    let office = open(trial, trial.service("billing").await).await;
    let (mut bombs, mut good) = (BTreeSet::new(), BTreeSet::new());
    for (number, nest) in NESTS.into_iter().enumerate() {
        good.insert(office.post(trial, &letter("a", number)).await.to_string());
        let mut message = trial.message(&office.queue, "");
        message.sealed.body = enveloped(&message.id, LETTER).into();
        message.key = Some(BOX.to_owned());
        if trial.put_nested(&office.queue, &message, nest).await == Injected::Cannot {
            break;
        }
        bombs.insert(message.id.to_string());
        good.insert(office.post(trial, &letter("b", number)).await.to_string());
    }
    until_settled(trial, &office, &bombs, &good).await;
    office.close().await;
    if bombs.is_empty() { Done::NotHere("a producer of attributes that are nested many times") } else { Done::Kept }
}

/// Waits until all of the good ones are completed, and each of the others is completed or dead.
async fn until_settled(trial: &Trial, office: &Office, bombs: &BTreeSet<String>, good: &BTreeSet<String>) {
    loop {
        let runs = trial.tally().of(&office.queue.name);
        let completed: BTreeSet<_> =
            runs.into_iter().filter(|(_, runs)| runs.completed > 0).map(|(id, _)| id).collect();
        let dead: BTreeSet<_> =
            office.dead_letters().await.iter().filter_map(|letter| Some(letter.id()?.to_string())).collect();
        if good.is_subset(&completed) && bombs.iter().all(|id| completed.contains(id) || dead.contains(id)) {
            return;
        }
        tokio::time::sleep(trial.silence() / 10).await;
    }
}

async fn as_many_as_are_taken(trial: &Trial) {
    let (transport, plan) = trial.queue("letters").await;
    let most = transport.capabilities().attribute_limit.min(100);
    let mut taken = 0;
    for length in (6..=16).map(|power| 1 << power) {
        let mut message = trial.message(&plan, "body");
        message.sealed.attributes = (0..most)
            .fold(Attributes::new(), |all, number| all.with(format!("attribute-{number}"), "v".repeat(length)));
        match trial.publish(&*transport, message).await {
            Ok(()) => taken += 1,
            Err(error) => assert_eq!(error.kind(), PublishErrorKind::TooLarge, "{most} of {length} bytes: {error}"),
        }
    }
    assert!(taken > 0, "not even short values are taken");
    trial.reader(&*transport, &plan).await.complete(taken).await;
}
