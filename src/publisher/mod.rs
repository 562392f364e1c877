//! The sending end: event → codec → envelope → transport.
//!
//! A [`Publisher`] may be taken from a service before it runs; it then waits for the start. Everything it sends
//! through is in its `Line`, which the service makes when it starts.

mod line;
mod options;

pub(crate) use line::{Line, Link, Parts};
pub use options::PublishOptions;

use std::{collections::HashMap, time::Duration};

use futures_util::future::join_all;
use tokio::sync::watch;

use crate::{
    codec,
    envelope::{Head, Message, MessageId},
    event::Event,
    transport::{Outgoing, PublishError, PublishErrorKind},
};

/// No publish takes longer (P3).
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

/// Publishes events. Clones are cheap and share everything.
#[derive(Clone)]
pub struct Publisher {
    link: watch::Receiver<Link>,
    cause: Option<Cause>,
}

/// The message being handled while this publisher is used.
#[derive(Debug, Clone)]
struct Cause {
    correlation_id: Option<MessageId>,
    causation_id: Option<MessageId>,
}

impl Publisher {
    pub(crate) fn new(link: watch::Receiver<Link>) -> Self {
        Self { link, cause: None }
    }

    /// The same publisher, for use while this message is handled.
    pub(crate) fn caused_by(&self, head: &Head) -> Self {
        let correlation_id = head.correlation_id.clone().or_else(|| head.id.clone());
        Self { link: self.link.clone(), cause: Some(Cause { correlation_id, causation_id: head.id.clone() }) }
    }

    /// Publishes an event; returns the message's id once the transport has stored it.
    ///
    /// # Errors
    /// Every kind but `Unknown` means that the message was certainly not stored. See [`PublishErrorKind`].
    ///
    /// # Cancel safety
    /// A dropped future may have published or not, as with `Unknown`.
    pub async fn publish<E: Event>(&self, event: &E) -> Result<MessageId, PublishError> {
        self.publish_with(event, |options| options).await
    }

    /// Publishes an event in a way of its own: later, with more attributes, in another envelope.
    ///
    /// # Errors
    /// As [`publish`](Self::publish).
    pub async fn publish_with<E: Event>(
        &self,
        event: &E,
        choose: impl FnOnce(PublishOptions) -> PublishOptions,
    ) -> Result<MessageId, PublishError> {
        let mut sent = false;
        let publishing = async {
            let line = self.line().await?;
            let outgoing = self.outgoing(&line, event, choose(PublishOptions::default()))?;
            let id = outgoing.id.clone();
            sent = true;
            line.send(outgoing).await.map(|()| id)
        };
        let ended = tokio::time::timeout(DEADLINE, publishing).await;
        match ended {
            Ok(answer) => answer,
            Err(_) if sent => Err(unanswered::<E>()),
            Err(_) => Err(closed("the service was not started within the publish deadline of 10 s")),
        }
    }

    /// Publishes many events of one type, with an answer for each, in order (P10).
    ///
    /// They travel side by side; of those that are kept in order, one of each key at a time (O2).
    pub async fn publish_all<'a, E: Event>(
        &self,
        events: impl IntoIterator<Item = &'a E>,
    ) -> Vec<Result<MessageId, PublishError>> {
        let sends = lanes(events).into_iter().map(|lane| self.publish_lane(lane));
        let mut answers: Vec<_> = join_all(sends).await.into_iter().flatten().collect();
        answers.sort_unstable_by_key(|(place, _)| *place);
        answers.into_iter().map(|(_, answer)| answer).collect()
    }

    /// Publishes one after the other, whatever becomes of those before.
    async fn publish_lane<E: Event>(&self, lane: Vec<(usize, &E)>) -> Vec<(usize, Result<MessageId, PublishError>)> {
        let mut answers = Vec::with_capacity(lane.len());
        for (place, event) in lane {
            answers.push((place, self.publish(event).await));
        }
        answers
    }

    /// Waits until the service has started.
    async fn line(&self) -> Result<Line, PublishError> {
        if let Link::Open(line) = &*self.link.borrow() {
            return Ok(line.clone());
        }
        let mut link = self.link.clone();
        match link.wait_for(|link| !matches!(link, Link::Waiting)).await {
            Ok(link) => match &*link {
                Link::Open(line) => Ok(line.clone()),
                _ => Err(closed("the service has stopped")),
            },
            Err(_) => Err(closed("the service was dropped before it ran")),
        }
    }

    fn outgoing<E: Event>(&self, line: &Line, event: &E, options: PublishOptions) -> Result<Outgoing, PublishError> {
        let envelope = options.envelope.as_ref().unwrap_or(&line.envelope);
        let payload = codec::encode(event, envelope.encoding()).map_err(invalid::<E>)?;
        let id = options.id.unwrap_or_else(|| MessageId::draw(&line.dice));
        let mut head = line.head::<E>(id.clone(), event);
        if let Some(cause) = &self.cause {
            head.correlation_id = cause.correlation_id.clone();
            head.causation_id = cause.causation_id.clone();
        }
        for (name, value) in options.attributes {
            head.attributes.set(name, value?);
        }
        let key = head.key.clone();
        let sealed = envelope.seal(Message::new(head, payload)).map_err(invalid::<E>)?;
        let allow_unroutable = options.allow_unroutable || line.unroutable.contains(E::CONTRACT.name);
        let routing_key = line.names.routing_key(E::CONTRACT);
        let (ordered, delay) = (E::CONTRACT.ordered, options.delay);
        let outgoing = Outgoing::new(id, E::CONTRACT.name, line.names.topic(E::CONTRACT), sealed);
        Ok(Outgoing { routing_key, key, ordered, delay, allow_unroutable, ..outgoing })
    }
}

/// The events with their places, those together that are sent one after the other, by the place of their first.
fn lanes<'a, E: Event>(events: impl IntoIterator<Item = &'a E>) -> Vec<Vec<(usize, &'a E)>> {
    let mut lanes = Vec::<Vec<(usize, &E)>>::new();
    let mut of_keys = HashMap::new();
    for (place, event) in events.into_iter().enumerate() {
        let key = event.key().filter(|_| E::CONTRACT.ordered);
        let lane = key.map_or(lanes.len(), |key| *of_keys.entry(key).or_insert(lanes.len()));
        if lane == lanes.len() {
            lanes.push(Vec::new());
        }
        lanes[lane].push((place, event));
    }
    lanes
}

fn invalid<E: Event>(error: codec::EncodeError) -> PublishError {
    PublishError::new(PublishErrorKind::Invalid, format!("event `{}` was not published", E::CONTRACT.name))
        .caused_by(error)
}

fn unanswered<E: Event>() -> PublishError {
    let text = format!("no answer for event `{}` within the publish deadline of 10 s", E::CONTRACT.name);
    PublishError::new(PublishErrorKind::Unknown, text)
}

fn closed(text: &str) -> PublishError {
    PublishError::new(PublishErrorKind::Closed, text)
}
