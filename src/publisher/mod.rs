//! The sending end: event → codec → envelope → transport.
//!
//! A [`Publisher`] may be taken from a service before it runs; it then waits for the start. Everything it sends
//! through is in its `Line`, which the service makes when it starts.

mod line;
mod observed;
mod options;
mod trace;
mod within;

pub(crate) use line::{Line, Link, Parts, Way};
pub use options::PublishOptions;
pub(crate) use trace::Trace;
pub use within::InTransaction;

use std::time::Duration;

use futures_util::{StreamExt, future, stream};
use tokio::sync::watch;
use tracing::{Instrument, Span, field::Empty};

use crate::{
    codec::{self, EncodeErrorKind},
    contract::Contract,
    envelope::{Head, Message, MessageId},
    event::{Event, RESERVED, Value},
    telemetry::{
        registry,
        spans::{self, About, Kind, Told},
    },
    transport::{Outgoing, PublishError, PublishErrorKind, limits::ATTRIBUTE_NAME},
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
    correlation_id: MessageId,
    causation_id: Option<MessageId>,
    trace: Trace,
}

impl Publisher {
    pub(crate) fn new(link: watch::Receiver<Link>) -> Self {
        Self { link, cause: None }
    }

    /// The same publisher, for use while this message is handled.
    pub(crate) fn caused_by(&self, id: &MessageId, head: &Head) -> Self {
        let correlation_id = head.correlation_id.as_ref().unwrap_or(id).clone();
        let cause = Cause { correlation_id, causation_id: Some(id.clone()), trace: Trace::of(head) };
        Self { link: self.link.clone(), cause: Some(cause) }
    }

    /// The same publisher, for use while somebody outside is answered, or the time has come for something.
    #[cfg(any(feature = "http", feature = "schedule"))]
    pub(crate) fn asked_by(&self, correlation_id: MessageId, trace: Trace) -> Self {
        let cause = Cause { correlation_id, causation_id: None, trace };
        Self { link: self.link.clone(), cause: Some(cause) }
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
        let span = self.span(E::CONTRACT);
        self.publish_within(&span, event, choose).instrument(span.clone()).await
    }

    async fn publish_within<E: Event>(
        &self,
        span: &Span,
        event: &E,
        choose: impl FnOnce(PublishOptions) -> PublishOptions,
    ) -> Result<MessageId, PublishError> {
        let (mut observed, mut sent) = (None, false);
        let publishing = async {
            let line = self.line().await?;
            line.check_declared::<E>()?;
            let mut options = choose(PublishOptions::default());
            let via = options.via.take();
            observed = line.observed(&via);
            let way = line.way(via)?;
            let outgoing = self.outgoing(&line, event, options)?;
            spans::tell(span, || told(way, &outgoing));
            let id = outgoing.id.clone();
            sent = true;
            way.chain.run(outgoing).await.map(|()| id)
        };
        let ended = tokio::time::timeout(DEADLINE, publishing).await;
        let answer = match ended {
            Ok(answer) => answer,
            Err(_) if sent => Err(unanswered::<E>()),
            Err(_) => Err(closed("the service was not started within the publish deadline of 10 s")),
        };
        if let Err(error) = &answer {
            spans::fail(span, observed::name_of(error.kind()), &error.to_string());
        }
        if let Some(observed) = observed {
            observed.answered::<E>(answer.as_ref().err(), self.trace());
        }
        answer
    }

    /// Publishes an event as it was recorded: with that id, time, cause and trace.
    ///
    /// # Errors
    /// As [`publish`](Self::publish).
    #[cfg_attr(not(feature = "store"), expect(dead_code, reason = "nothing is recorded without a store"))]
    pub(crate) async fn publish_recorded<E: Event>(
        &self,
        event: &E,
        recorded: &Head,
    ) -> Result<MessageId, PublishError> {
        let Some(id) = recorded.id.clone() else { return self.publish(event).await };
        let correlation_id = recorded.correlation_id.as_ref().unwrap_or(&id).clone();
        let cause = Cause { correlation_id, causation_id: recorded.causation_id.clone(), trace: Trace::of(recorded) };
        let publisher = Self { link: self.link.clone(), cause: Some(cause) };
        let as_it_was = |options| PublishOptions { id: Some(id), time: recorded.time, ..options };
        publisher.publish_with(event, as_it_was).await
    }

    /// Publishes many events of one type, with an answer for each, in order (P10).
    ///
    /// They go out at once; those of an ordered contract one after the other.
    pub async fn publish_all<'a, E: Event>(
        &self,
        events: impl IntoIterator<Item = &'a E>,
    ) -> Vec<Result<MessageId, PublishError>> {
        if E::CONTRACT.ordered {
            let sends = stream::iter(events).then(|event| self.publish(event));
            return sends.collect().await;
        }
        future::join_all(events.into_iter().map(|event| self.publish(event))).await
    }

    /// What a message of this publisher belongs to.
    fn trace(&self) -> Option<Trace> {
        Trace::current().or_else(|| self.cause.as_ref().map(|cause| cause.trace.clone()))
    }

    /// The span of a publish; where there is none around it, a part of the trace of its cause.
    fn span(&self, contract: &Contract) -> Span {
        if !spans::are_wanted() {
            return Span::none();
        }
        let cause = self.cause.as_ref().filter(|_| Span::current().is_none());
        let span = tracing::error_span!("publish", publishes = contract.name, otel.name = Empty, otel.kind = Empty);
        let attributes = [
            ("messaging.operation.name", Some("publish")),
            ("messaging.operation.type", Some("send")),
            ("messaging.destination.name", Some(contract.topic)),
            ("tegami.event", Some(contract.name)),
        ];
        let (name, parent) =
            (format_args!("publish {}", contract.topic), cause.and_then(|cause| cause.trace.context()));
        spans::begin(&span, About { name, kind: Kind::Producer, parent, attributes: &attributes });
        span
    }

    /// Waits until the service has started.
    pub(crate) async fn line(&self) -> Result<Line, PublishError> {
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
        let payload = codec::encode(event, envelope.encoding()).map_err(unsealed::<E>)?;
        let id = options.id.unwrap_or_else(|| MessageId::draw(&line.dice));
        let mut head = line.head::<E>(id.clone(), event);
        head.time = options.time.or(head.time);
        if let Some(cause) = &self.cause {
            head.correlation_id = Some(cause.correlation_id.clone());
            head.causation_id = cause.causation_id.clone();
        }
        if let Some(trace) = self.trace() {
            trace.write(&mut head.attributes);
        }
        for (name, value) in options.attributes {
            check_attribute::<E>(&name, &value)?;
            head.attributes.set(name, value);
        }
        let key = head.key.clone();
        let (time, correlation_id) = (head.time, head.correlation_id.clone());
        let sealed = envelope.seal(Message::new(head, payload.clone())).map_err(unsealed::<E>)?;
        let allow_unroutable = options.allow_unroutable || line.unroutable.contains(E::CONTRACT.name);
        let routing_key = line.names.routing_key(E::CONTRACT);
        let delay = options.delay.map(|delay| delay.left(line.wall.now())).filter(|delay| !delay.is_zero());
        let ordered = E::CONTRACT.ordered;
        let queue = options.queue.map(|queue| line.names.exact(&queue));
        let outgoing = Outgoing::new(id, E::CONTRACT.name, line.names.topic(E::CONTRACT), sealed);
        let (content_type, service, payload) =
            (envelope.content_type().into(), Some(line.service.clone()), Some(payload));
        let told = Outgoing { content_type, service, correlation_id, time, payload, ..outgoing };
        Ok(Outgoing { routing_key, queue, key, ordered, delay, allow_unroutable, ..told })
    }
}

/// What a publish's span is to know of the message.
fn told(way: &Way, outgoing: &Outgoing) -> [(&'static str, Option<Told>); 3] {
    let text = |text: &str| Some(Told::Text(text.to_owned()));
    [
        ("messaging.system", text(registry::of_topics(way.system))),
        ("messaging.message.id", text(outgoing.id.as_str())),
        ("messaging.message.conversation_id", outgoing.correlation_id.as_ref().and_then(|id| text(id.as_str()))),
    ]
}

/// An attribute of the caller's must be one that every broker takes, and must not say something else than the event or
/// tegami does.
fn check_attribute<E: Event>(name: &str, value: &Value) -> Result<(), PublishError> {
    let plain = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-' | b'.');
    let whose = if !(1..=ATTRIBUTE_NAME).contains(&name.len()) || !name.bytes().all(plain) {
        format!("a name has 1 to {ATTRIBUTE_NAME} of A-Z a-z 0-9 _ - .")
    } else if matches!(value, Value::Float(number) if !number.is_finite()) {
        "its value is no finite number".to_owned()
    } else if matches!(value, Value::Text(text) if text.is_empty() || text.contains(char::is_control)) {
        "its value is empty or has control characters".to_owned()
    } else if name.starts_with(RESERVED) {
        format!("names that begin with `{RESERVED}` are tegami's own")
    } else if E::CONTRACT.attributes.iter().any(|declared| declared.name == name) {
        format!("the contract of `{}` declares it, and the event has its value", E::CONTRACT.name)
    } else {
        return Ok(());
    };
    Err(PublishError::new(
        PublishErrorKind::Invalid,
        format!("attribute `{}` cannot be set: {whose}", name.escape_debug()),
    ))
}

/// What readers would refuse is not sent (P7).
fn unsealed<E: Event>(error: codec::EncodeError) -> PublishError {
    let kind = match error.kind() {
        EncodeErrorKind::Invalid | EncodeErrorKind::Unencodable => PublishErrorKind::Invalid,
        EncodeErrorKind::TooLarge => PublishErrorKind::TooLarge,
    };
    PublishError::new(kind, format!("event `{}` was not published", E::CONTRACT.name)).caused_by(error)
}

fn unanswered<E: Event>() -> PublishError {
    let text = format!("no answer for event `{}` within the publish deadline of 10 s", E::CONTRACT.name);
    PublishError::new(PublishErrorKind::Unknown, text)
}

fn closed(text: &str) -> PublishError {
    PublishError::new(PublishErrorKind::Closed, text)
}
