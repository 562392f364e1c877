//! A message that kills every process that handles it.

use std::{collections::BTreeSet, process::abort, time::Duration};

use super::super::{
    Done, LetterPosted, Trial, letter,
    life::{End, NEEDS},
};
use crate::{Retry, service::Running, transport::QueuePlan};

/// How many processes it may kill; a broker's own limit is less.
const MOST: usize = 30;
/// Good letters beside it.
const OTHERS: usize = 10;
/// How long its handler lives: long enough for others to end.
const LIVES: Duration = Duration::from_millis(100);
/// How often the dead letters are looked at.
const LOOK: Duration = Duration::from_millis(200);
/// Where the killer is addressed to.
const KILLER: &str = "killer";

/// X6: a message whose handler ends the process is dead after some processes, and the others are completed.
pub async fn x_13_process_killer(trial: &Trial) -> Done {
    let billing = billing(trial).await;
    let plan = trial.queues().remove(0);
    if trial.life().is_some() {
        let _letters = until_dead(trial, &plan).await;
        trial.until_settled().await;
        billing.stop().await.expect("no hook can fail");
        return Done::Kept;
    }
    billing.stop().await.expect("no hook can fail");
    if !trial.can_live().await {
        return Done::NotHere(NEEDS);
    }
    let (killer, others) = post(trial).await;
    let mut killed = 0;
    while trial.live(killed + 1).await == Some(End::Killed) {
        killed += 1;
        assert!(killed <= MOST, "it was handed to {killed} processes, and killed them all");
    }
    assert!(killed > 0, "the killer was dead before it killed");
    assert_eq!(until_dead(trial, &plan).await, [killer], "the killer alone is dead");
    let missing: Vec<_> = others.difference(&trial.completed_by_lives()).cloned().collect();
    assert!(missing.is_empty(), "not completed: {missing:?}");
    Done::Kept
}

/// A service that ends its process soon after it was handed the killer.
async fn billing(trial: &Trial) -> Running {
    let handler = trial.handler(&Retry::default(), |letter: LetterPosted, _| async move {
        if letter.r#box == KILLER {
            tokio::time::sleep(LIVES).await;
            abort();
        }
        Ok(())
    });
    let service = trial.service("billing").await;
    trial.start(service.on_with::<LetterPosted>(handler, |s| s.concurrency(2 * OTHERS))).await
}

/// The killer in the middle of others.
async fn post(trial: &Trial) -> (String, BTreeSet<String>) {
    let sender = trial.start(trial.service("mail").await).await;
    let (mut killer, mut others) = (String::new(), BTreeSet::new());
    for number in 0..=OTHERS {
        let address = if number == OTHERS / 2 { KILLER } else { "a" };
        let id = trial.post(sender.publisher(), &letter(address, number)).await.expect("there is a queue for it");
        match address {
            KILLER => killer = id.to_string(),
            _ => drop(others.insert(id.to_string())),
        }
    }
    sender.stop().await.expect("no hook can fail");
    (killer, others)
}

/// Waits until there is a dead letter; the ids of all.
async fn until_dead(trial: &Trial, plan: &QueuePlan) -> Vec<String> {
    let connection = trial.connect().await;
    loop {
        let letters = connection.dead_letters(&plan.name, usize::MAX).await.expect("dead letters can be read");
        if !letters.is_empty() {
            return letters.iter().map(|letter| letter.id().map(ToString::to_string).unwrap_or_default()).collect();
        }
        tokio::time::sleep(LOOK).await;
    }
}
