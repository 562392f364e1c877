//! Delayed messages: kept in the outbox until their time, on every database.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use async_trait::async_trait;
use tegami::{
    Service,
    middleware::{Next, from_fn},
    outbox::{Claim, Claimed, Database, DatabaseError, Due, Fate, LONGEST_DELAY, Outbox, Row, Transaction},
    relay::RelayOptions,
    transport::{Memory, Outgoing, PublishErrorKind},
};

use crate::{
    Subject, receipt,
    rows::{claim, commit_ids, ids, outgoing, settle, take},
    subject::until,
};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Commits a message that is due after this.
async fn commit_late<S: Subject>(all: &S, id: &str, delay: Duration) {
    let until = SystemTime::UNIX_EPOCH + Duration::from_secs(all.now().unsigned_abs()) + delay;
    let mut tx = all.db().begin().await.expect("it begins");
    let row = Row::new(None, outgoing(id)).due(Some(Due::In(delay, until)));
    tx.put(&row).await.expect("it is put");
    all.db().commit(tx).await.expect("it is committed");
}

pub(crate) async fn t3_a_delayed_row_is_handed_out_at_its_time_and_outside_the_order_of_its_key<S: Subject>() {
    let all = S::open().await;
    let late = async |id: &str, seconds: u64| commit_late(&all, id, Duration::from_secs(seconds)).await;
    late("a.1", 60).await;
    commit_ids(&all, &["a.2"]).await;
    let second = take(&all, "one", 9).await;
    assert_eq!(ids(&second), ["a.2"], "it waits for none that is delayed");
    settle(&all, "one", &second, Fate::Sent).await;
    all.pass(-3600).await;
    assert!(take(&all, "two", 9).await.is_empty(), "a clock that is put back lets none go early");
    all.pass(3600 + 20).await;
    assert!(take(&all, "two", 9).await.is_empty());
    late("a.3", 10).await;
    commit_ids(&all, &["a.4", "a.5"]).await;
    let fourth = take(&all, "one", 1).await;
    assert_eq!(ids(&fourth), ["a.4"]);
    all.pass(11).await;
    assert_eq!(ids(&take(&all, "two", 9).await), ["a.3"], "a delayed one waits for none, all others do");
    settle(&all, "one", &fourth, Fate::Sent).await;
    assert_eq!(ids(&take(&all, "three", 9).await), ["a.5"], "none waits for a delayed one that is on its way");
    late("a.6", 1).await;
    all.pass(2).await;
    assert_eq!(ids(&take(&all, "four", 9).await), ["a.6"]);
    all.pass(31).await;
    assert_eq!(ids(&take(&all, "five", 9).await), ["a.1", "a.3", "a.5", "a.6"]);
}

pub(crate) async fn t2_the_next_time_is_known_and_what_is_delayed_counts_as_unpublished<S: Subject>() {
    let all = S::open().await;
    let next = async || all.db().next_due(&claim(&all, "one", 9)).await.expect("it can be asked");
    let about = |time: Option<Duration>, seconds: u64| {
        time.is_some_and(|time| time <= Duration::from_secs(seconds) && time > Duration::from_secs(seconds - 9))
    };
    commit_ids(&all, &["a.1"]).await;
    assert_eq!(next().await, None);
    commit_late(&all, "a.2", 2 * MINUTE).await;
    commit_late(&all, "a.3", MINUTE).await;
    commit_late(&all, "a.4", LONGEST_DELAY).await;
    assert!(about(next().await, 60), "{:?}", next().await);
    assert_eq!(all.db().waiting().await.expect("it is read"), 4);
    all.pass(61).await;
    assert!(about(next().await, 59), "{:?}", next().await);
    let taken = take(&all, "one", 9).await;
    assert_eq!(ids(&taken), ["a.1", "a.3"]);
    settle(&all, "one", &taken, Fate::Parked { reason: "no".into() }).await;
    all.pass(60).await;
    assert_eq!(ids(&take(&all, "one", 9).await), ["a.2"]);
    let years = Duration::from_secs(LONGEST_DELAY.as_secs() - 121);
    assert!(next().await.is_some_and(|time| time <= years && time > years - MINUTE), "{:?}", next().await);
}

/// An outbox that counts how often it is looked into.
#[derive(Clone)]
struct Counting<D> {
    inner: D,
    looks: Arc<AtomicUsize>,
}

#[async_trait]
impl<D: Outbox> Outbox for Counting<D> {
    fn name(&self) -> String {
        self.inner.name()
    }

    async fn take(&self, claim: &Claim) -> Result<Vec<Claimed>, DatabaseError> {
        self.looks.fetch_add(1, Ordering::SeqCst);
        self.inner.take(claim).await
    }

    async fn settle(&self, claim: &Claim, fates: &[(u64, Fate)]) -> Result<(), DatabaseError> {
        self.inner.settle(claim, fates).await
    }

    async fn later_than(&self, seen: u64) -> u64 {
        self.inner.later_than(seen).await
    }

    async fn next_due(&self, claim: &Claim) -> Result<Option<Duration>, DatabaseError> {
        self.inner.next_due(claim).await
    }

    async fn waiting(&self) -> Result<u64, DatabaseError> {
        self.inner.waiting().await
    }

    async fn forget(&self, older_than: Duration, most: usize) -> Result<usize, DatabaseError> {
        self.inner.forget(older_than, most).await
    }
}

pub(crate) async fn t2_the_relay_wakes_for_what_is_due_and_not_before<S: Subject>() {
    let (all, sent) = (S::open().await, Arc::new(Mutex::new(Vec::new())));
    let noting = sent.clone();
    let broker = from_fn(move |outgoing: Outgoing, _: Next<Outgoing>| {
        noting.lock().expect("no panic").push((outgoing.key.unwrap_or_default(), outgoing.delay));
        async { Ok(()) }
    });
    let outbox = Counting { inner: all.db().clone(), looks: Arc::default() };
    let hourly = |options: RelayOptions| options.poll(Duration::from_secs(3600));
    let service = Service::new("orders").transport(Memory::new()).publish_middleware(broker);
    let running = service.outbox_with(&outbox, hourly).start().await.expect("it starts");
    let begun = Instant::now();
    let mut tx = all.db().begin().await.expect("it begins");
    let mut publisher = running.publisher().in_transaction(&mut tx);
    let (late, soon) = (Duration::from_millis(1500), SystemTime::now() + Duration::from_millis(700));
    publisher.publish_with(&receipt("late"), |p| p.delay(late)).await.expect("it is put");
    publisher.publish_with(&receipt("soon"), |p| p.at(soon)).await.expect("it is put");
    publisher.publish_with(&receipt("zero"), |p| p.delay(Duration::ZERO)).await.expect("it is put");
    publisher.publish_with(&receipt("past"), |p| p.at(SystemTime::UNIX_EPOCH)).await.expect("it is put");
    publisher.publish_with(&receipt("years"), |p| p.delay(3 * 366 * DAY)).await.expect("it is put");
    publisher.publish_with(&receipt("longest"), |p| p.delay(LONGEST_DELAY)).await.expect("it is put");
    let longer = LONGEST_DELAY + Duration::from_millis(1);
    let error = publisher.publish_with(&receipt("longer"), |p| p.delay(longer)).await.expect_err("it is too long");
    assert_eq!(error.kind(), PublishErrorKind::Unsupported);
    assert!(error.to_string().contains("have a schedule publish it"), "{error}");
    all.db().commit(tx).await.expect("it is committed");
    until(async || sent.lock().expect("no panic").len() >= 4).await;
    assert!(begun.elapsed() >= late, "{:?}", begun.elapsed());
    until(async || all.db().waiting().await.expect("it is read") == 2).await;
    let looks = outbox.looks.load(Ordering::SeqCst);
    running.stop().await.expect("it stops");
    let sent = sent.lock().expect("no panic");
    let keys: Vec<_> = sent.iter().map(|(key, _)| key.as_str()).collect();
    assert!(keys[..2].contains(&"zero") && keys[..2].contains(&"past") && keys[2..] == ["soon", "late"], "{keys:?}");
    assert!(sent.iter().all(|(_, delay)| delay.is_none()), "a broker is asked for none: {sent:?}");
    // At the start, at the commit, for the two that were due, and after each time that some were sent.
    assert!(looks <= 16, "{looks} looks");
}

pub(crate) async fn what_a_transport_cannot_delay_is_told_to_go_through_an_outbox<S: Subject>() {
    let all = S::open().await;
    let running = Service::new("orders").transport(Memory::new()).start().await.expect("it starts");
    let years = |p: tegami::PublishOptions| p.delay(3 * 366 * DAY).allow_unroutable();
    let error = running.publisher().publish_with(&receipt("o-1"), years).await.expect_err("it is too long");
    assert_eq!(error.kind(), PublishErrorKind::Unsupported);
    assert!(error.to_string().contains("put it into an outbox (`in_transaction`)"), "{error}");
    let mut tx = all.db().begin().await.expect("it begins");
    running.publisher().in_transaction(&mut tx).publish_with(&receipt("o-1"), years).await.expect("it is put");
    all.db().commit(tx).await.expect("it is committed");
    assert_eq!(all.db().waiting().await.expect("it is read"), 1);
    running.stop().await.expect("it stops");
}
