//! The suite for transports, on recorded events: a publish is an append.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tegami::{
    codec::Payload,
    envelope::{Head, Message, Sealed},
    event::Encoding,
    health::Status,
    records::Records,
    store::{Append, Entry, EventStore, Store, StoreErrorKind, StreamId},
    time::Wall,
    transport::{
        Backlog, Binding, Capabilities, DeadLetter, Deliveries, Delivery, Fate, Outgoing, Provision, PublishError,
        PublishErrorKind, QueuePlan, Sorter, Topology, Transport, TransportError,
    },
};

use super::quick;
use crate::Subject;

/// A connection that appends what is published.
pub(crate) struct Appending<S: Subject> {
    records: Records<S::Db>,
    store: Store,
}

impl<S: Subject> Appending<S> {
    pub(crate) fn to(db: &S::Db, events: S::Events) -> Self {
        let store = Store::new(events);
        Self { records: quick(Records::new(db, &store)), store }
    }

    fn entry(outgoing: &Outgoing) -> Entry {
        let Outgoing { id, event, topic, key, sealed, .. } = outgoing;
        let mut head = Head::new().id(id.clone()).event(format!("{topic} {event}")).time(Wall::system().now());
        head.key.clone_from(key);
        let head = head.attributes(sealed.attributes.clone());
        let payload = Payload { encoding: Encoding::Json, bytes: sealed.body.clone() };
        Entry::new(Message::new(head, payload), 1, None)
    }
}

/// The plan, whose events are named as they are recorded.
fn renamed(plan: &QueuePlan) -> QueuePlan {
    let bindings = plan.bindings.iter().map(|binding| Binding {
        event: Box::leak(format!("{} {}", binding.topic, binding.event).into_boxed_str()),
        ..binding.clone()
    });
    QueuePlan { bindings: bindings.collect(), ..plan.clone() }
}

/// As it was published.
fn bare(sealed: &mut Sealed) {
    sealed.attributes.remove("tegami-head");
}

#[async_trait]
impl<S: Subject> Transport for Appending<S> {
    fn name(&self) -> &'static str {
        "appending"
    }

    fn capabilities(&self) -> Capabilities {
        self.records.capabilities().message_limit(1_000_000).attribute_limit(60)
    }

    async fn provision(&self, topology: &Topology, mode: Provision) -> Result<(), TransportError> {
        self.records.provision(topology, mode).await
    }

    async fn publish(&self, outgoing: Outgoing) -> Result<(), PublishError> {
        self.capabilities().check(&outgoing)?;
        let stream = StreamId::new(format!("m-{}", outgoing.id)).expect("a good name");
        let appended = self.store.inner().append(Append::to(stream).entry(Self::entry(&outgoing))).await;
        appended.map(drop).map_err(|error| {
            let kind = match error.kind() {
                StoreErrorKind::Unknown => PublishErrorKind::Unknown,
                _ => PublishErrorKind::Refused,
            };
            PublishError::new(kind, error.to_string())
        })
    }

    async fn consume(&self, queue: &QueuePlan) -> Result<Box<dyn Deliveries>, TransportError> {
        Ok(Box::new(Bare(self.records.consume(&renamed(queue)).await?)))
    }

    async fn dead_letters(&self, queue: &str, limit: usize) -> Result<Vec<DeadLetter>, TransportError> {
        let letters = self.records.dead_letters(queue, limit).await?;
        Ok(letters.iter().map(letter).collect())
    }

    async fn sort_dead_letters(&self, queue: &str, sorter: &mut dyn Sorter) -> Result<(), TransportError> {
        self.records.sort_dead_letters(queue, &mut Sorting(sorter)).await
    }

    async fn close(&self) {
        self.records.close().await;
    }

    fn status(&self) -> Status {
        self.records.status()
    }

    async fn backlog(&self, queue: &QueuePlan) -> Backlog {
        self.records.backlog(&renamed(queue)).await
    }
}

fn letter(letter: &DeadLetter) -> DeadLetter {
    let mut sealed = Sealed { body: letter.payload().clone(), attributes: letter.attributes().clone() };
    bare(&mut sealed);
    DeadLetter::new(letter.id().cloned(), sealed, letter.details().clone())
}

struct Bare(Box<dyn Deliveries>);

#[async_trait]
impl Deliveries for Bare {
    async fn next(&mut self, room: usize) -> Result<Vec<Delivery>, TransportError> {
        let mut found = self.0.next(room).await?;
        found.iter_mut().for_each(|delivery| bare(&mut delivery.sealed));
        Ok(found)
    }
}

struct Sorting<'a>(&'a mut dyn Sorter);

#[async_trait]
impl Sorter for Sorting<'_> {
    async fn room(&mut self) -> usize {
        self.0.room().await
    }

    fn fate(&mut self, found: &DeadLetter) -> Fate {
        self.0.fate(&letter(found))
    }

    fn left(&mut self, fate: Fate) {
        self.0.left(fate);
    }
}

/// A database whose connections are those of one broker.
pub(crate) struct OnDatabase<S>(tokio::sync::OnceCell<S>);

impl<S> Default for OnDatabase<S> {
    fn default() -> Self {
        Self(tokio::sync::OnceCell::new())
    }
}

#[async_trait]
impl<S: Subject> tegami::testing::transport::Subject for OnDatabase<S> {
    async fn connect(&self) -> Result<Arc<dyn Transport>, TransportError> {
        let subject = self.0.get_or_init(S::open).await;
        Ok(Arc::new(Appending::<S>::to(subject.db(), subject.events())))
    }

    async fn address(&self) -> Option<String> {
        Some(self.0.get_or_init(S::open).await.address())
    }

    async fn connect_to(&self, address: &str) -> Result<Arc<dyn Transport>, TransportError> {
        let db = S::connect(address).await;
        let Appending { records, store } = Appending::<S>::to(&db, S::store(&db));
        // It is to die, and the next one waits until its hold has ended.
        Ok(Arc::new(Appending::<S> { records: records.hold(Duration::from_secs(1)), store }))
    }

    fn many(&self) -> usize {
        200
    }
}
