//! What is no failure of a handler, and what only says that it is one: neither counts as an attempt.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use super::super::{
    Done, LetterPosted, Trial,
    office::{BOX, LETTER, Office, enveloped},
    trial::held,
};
use crate::{
    HandlerError, Retry,
    event::{Attributes, Value},
    transport::{DeadLetter, PublishErrorKind},
};

/// R4: a message whose connection is lost again and again is neither counted as tried nor given up on.
pub async fn r_06_outage_not_counted(trial: &Trial) -> Done {
    const OUTAGES: usize = 10;
    let (outside, plan) = trial.queue("letters").await;
    trial.publish(&*outside, trial.message(&plan, "one")).await.expect("there is room");
    for outage in 0..=OUTAGES {
        let connection = trial.connect().await;
        let got = trial.reader(&*connection, &plan).await.next().await;
        if connection.capabilities().exact_attempts {
            assert_eq!(got.delivery.attempt, 1, "after {outage} lost connections");
        }
        if outage == OUTAGES {
            got.ack().await.expect("the delivery is ours to ack");
        } else {
            connection.close().await;
        }
    }
    let dead = outside.dead_letters(&plan.name, 1).await.expect("dead letters can be read");
    assert!(dead.is_empty(), "{dead:?}");
    Done::Kept
}

/// R5: whatever a message says of its attempts, its expiry or its further addressees, attempts count from 1, and it
/// becomes one dead letter that stays.
pub async fn r_07_forged_headers(trial: &Trial) -> Done {
    let plan = Retry::after([10, 20].map(Duration::from_millis));
    let attempts = Arc::new(Mutex::new(BTreeMap::<String, Vec<u32>>::new()));
    let noted = attempts.clone();
    let handler = trial.handler(&plan, move |_: LetterPosted, ctx| {
        held(&noted).entry(ctx.message_id().to_string()).or_default().push(ctx.attempt());
        async { Err(HandlerError::retry("no ink")) }
    });
    let service = trial.service("billing").await;
    let service = service.on_with::<LetterPosted>(handler, |subscription| subscription.retry(plan.clone()));
    let office = Office::open(trial, service).await;
    let bystander = trial.plan("bystander", "elsewhere");
    trial.declare(&*trial.connect().await, std::slice::from_ref(&bystander)).await;
    let forged = put_forged(trial, &office, &bystander.name).await;
    same(&office.dead(forged.len()).await, &forged);
    tokio::time::sleep(Duration::from_secs(5)).await;
    same(&office.dead_letters().await, &forged);
    if trial.capabilities().await.exact_attempts {
        held(&attempts).iter().for_each(|(id, attempts)| assert_eq!(*attempts, [1, 2, 3], "{:?}", forged[id]));
    }
    office.close().await;
    Done::Kept
}

/// Puts one message for each lie, and says with which attributes each was taken.
async fn put_forged(trial: &Trial, office: &Office, elsewhere: &str) -> BTreeMap<String, Attributes> {
    let mut taken = BTreeMap::new();
    for (name, value) in lies(elsewhere) {
        let attributes = Attributes::new().with(name, value);
        let put = office.try_put(trial, |message| {
            message.sealed.body = enveloped(&message.id, LETTER).into();
            message.sealed.attributes = attributes.clone();
        });
        match put.await {
            Ok(id) => drop(taken.insert(id.to_string(), attributes)),
            // A transport may keep a name for itself, as long as it says so.
            Err(error) => assert_eq!(error.kind(), PublishErrorKind::Refused, "{name}: {error}"),
        }
    }
    assert!(!taken.is_empty(), "attributes of any name are refused");
    taken
}

fn lies(elsewhere: &str) -> Vec<(&'static str, Value)> {
    let mut lies: Vec<(_, Value)> = Vec::new();
    let counters = ["tegami-attempt", "x-delivery-count", "x-death", "ApproximateReceiveCount", "x-acquired-count"];
    for counter in counters {
        let far = Value::Integer(1 << 63);
        lies.extend([(-1).into(), far, "many".into(), "99".into()].map(|value| (counter, value)));
    }
    for address in ["CC", "BCC", "reply-to", "x-dead-letter-exchange", "x-dead-letter-routing-key", "x-original-queue"]
    {
        lies.push((address, elsewhere.into()));
    }
    for lifetime in ["expiration", "x-message-ttl", "x-expires", "DelaySeconds", "x-delay"] {
        lies.extend([(lifetime, 1.into()), (lifetime, "1".into())]);
    }
    lies.extend([("tegami-reason", "{}".into()), ("tegami-event", "letters.v1.LetterLost".into())]);
    lies
}

/// Each is there once, as it was put.
fn same(letters: &[DeadLetter], forged: &BTreeMap<String, Attributes>) {
    let found = letters.iter().map(|letter| {
        assert_eq!(letter.attempts(), 3, "{:?} of a letter in box {BOX}", letter.attributes());
        (letter.id().expect("it was published with one").to_string(), letter.attributes().clone())
    });
    assert_eq!(letters.len(), forged.len(), "each is one dead letter");
    assert_eq!(found.collect::<BTreeMap<_, _>>(), *forged);
}
