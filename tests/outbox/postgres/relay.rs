//! Relays whose broker does not take everything.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tegami::{outbox::Outbox, transport::PublishErrorKind};

use super::{Postgres, Relay, until};
use crate::Subject;

/// The broker is away at first: nothing is counted, and then all goes out.
#[tokio::test]
async fn t4_an_outage_counts_nothing_and_then_everything_goes_out() {
    let all = Postgres::open().await;
    let (away, tries) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicUsize::new(0)));
    let (is_away, tried) = (away.clone(), tries.clone());
    let broker = move |_: &_| {
        tried.fetch_add(1, Ordering::SeqCst);
        is_away.load(Ordering::SeqCst).then_some(PublishErrorKind::Unreachable)
    };
    let relay = Relay::answering(&all.db, |options| options, broker).await;
    let mut tx = all.db.begin().await.expect("it begins");
    relay.put(&mut tx, &["a", "b", "a", "c", "d", "a", "e", "f", "g", "h"]).await;
    all.db.commit(tx).await.expect("it is committed");
    until(async || tries.load(Ordering::SeqCst) > 3).await;
    assert_eq!(all.count("SELECT count(*) FROM tegami.outbox WHERE refusals = 0").await, 10);
    away.store(false, Ordering::SeqCst);
    let sent = relay.sends(10).await;
    assert_eq!(sent.iter().filter(|key| *key == "a").count(), 3);
    until(async || all.db.waiting().await.expect("it is read") == 0).await;
    assert!(all.parked().await.is_empty());
}

/// What is parked goes out once it is told to: the relay hears of that, too.
#[tokio::test]
async fn t4_what_can_never_be_sent_is_parked_and_goes_out_when_it_is_sent_again() {
    let all = Postgres::open().await;
    let refusals = Arc::new(AtomicUsize::new(0));
    let refused = refusals.clone();
    let hourly = Duration::from_secs(3600);
    let broker = move |outgoing: &tegami::transport::Outgoing| {
        let is_large = outgoing.key.as_deref() == Some("large") && refused.fetch_add(1, Ordering::SeqCst) == 0;
        is_large.then_some(PublishErrorKind::TooLarge)
    };
    let relay = Relay::answering(&all.db, |options| options.poll(hourly), broker).await;
    let mut tx = all.db.begin().await.expect("it begins");
    relay.put(&mut tx, &["large", "large", "good"]).await;
    all.db.commit(tx).await.expect("it is committed");
    relay.sends(2).await;
    until(async || !all.parked().await.is_empty()).await;
    let [parked] = &all.parked().await[..] else { panic!("one is parked") };
    assert_eq!((parked.key.as_deref(), &*parked.reason), (Some("large"), "as it is told"));
    assert!(all.db.send_again(&parked.id).await.expect("it is written"));
    assert_eq!(relay.sends(3).await.last().map(String::as_str), Some("large"));
}
