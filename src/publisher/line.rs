//! What a publisher sends through, made when the service starts.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    contract::Names,
    envelope::{Envelope, Head, MessageId},
    error::BoxError,
    event::{EVENT_ATTRIBUTE, Event, Value},
    middleware::{Chain, Work},
    telemetry::Observers,
    time::{Clock, Dice, Wall},
    transport::{Capabilities, Outgoing, PublishError, PublishErrorKind},
};

/// Has the service started?
#[derive(Clone)]
pub(crate) enum Link {
    Waiting,
    Open(Line),
    Closed,
}

/// Transport, envelope, names and everything else a message gets on its way out.
#[derive(Clone)]
pub(crate) struct Line(Arc<Parts>);

pub(crate) struct Parts {
    /// The way out to each transport; to the main one under no name.
    pub(crate) ways: BTreeMap<Option<String>, Way>,
    pub(crate) envelope: Arc<dyn Envelope>,
    pub(crate) names: Names,
    pub(crate) service: Arc<str>,
    pub(crate) instance: String,
    /// Events that may go nowhere without an error (P4).
    pub(crate) unroutable: BTreeSet<&'static str>,
    /// What the service says it publishes; empty, if it does not say.
    pub(crate) publishes: BTreeSet<&'static str>,
    pub(crate) clock: Clock,
    /// The time of day that delays are counted from.
    pub(crate) wall: Wall,
    pub(crate) dice: Dice,
    pub(crate) observers: Observers,
}

/// The way out to one transport.
pub(crate) struct Way {
    /// The transport's kind.
    pub(crate) system: &'static str,
    /// What it takes.
    pub(crate) limits: Capabilities,
    pub(crate) chain: Arc<Chain<Outgoing>>,
}

impl std::ops::Deref for Line {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Line {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    pub(crate) fn way(&self, via: Option<String>) -> Result<&Way, PublishError> {
        self.ways.get(&via).ok_or_else(|| {
            let name = via.as_deref().unwrap_or_default();
            let text = format!("the transport `{name}` is not attached to the service");
            PublishError::new(PublishErrorKind::Unsupported, text)
        })
    }

    /// Refuses an event that a service which says what it publishes does not name.
    pub(crate) fn check_declared<E: Event>(&self) -> Result<(), PublishError> {
        let event = E::CONTRACT.name;
        if self.publishes.is_empty() || self.publishes.contains(event) {
            return Ok(());
        }
        let text =
            format!("`{event}` is not among the events that `{}` says it publishes: add `publishes`", self.service);
        Err(PublishError::new(PublishErrorKind::Undeclared, text))
    }

    /// The head of a new message.
    pub(crate) fn head<E: Event>(&self, id: MessageId, event: &E) -> Head {
        let attributes = event.attributes().with(EVENT_ATTRIBUTE, Value::Text(E::CONTRACT.name.into()));
        let mut head = Head::new()
            .id(id)
            .event(E::CONTRACT.name)
            .time(self.clock.now())
            .service(String::from(&*self.service))
            .instance(self.instance.clone())
            .topic(E::CONTRACT.topic)
            .attributes(attributes);
        head.key = event.key().map(Cow::into_owned);
        head
    }
}

impl Work for Outgoing {
    type Done = ();
    type Error = PublishError;

    fn failed(error: BoxError) -> PublishError {
        PublishError::new(PublishErrorKind::Unknown, "a publish middleware failed").caused_by(error)
    }
}
