//! What carries messages between processes: the trait, and the words it is spoken in.
//!
//! A transport moves [`Sealed`] bodies from topics to queues and hands them out as [`Delivery`]s. It knows
//! nothing of events, codecs or handlers. Implementations stand in folders below; a test suite outside may
//! bring its own.

#[cfg(any(not(feature = "amqp"), not(feature = "aws")))]
mod absent;
#[cfg(feature = "amqp")]
pub mod amqp;
#[cfg(feature = "aws")]
pub mod aws;
mod backlog;
mod delivery;
mod error;
#[cfg(any(feature = "amqp", feature = "aws", feature = "store"))]
pub(crate) mod lanes;
pub(crate) mod limits;
pub mod memory;
mod prune;
#[cfg(any(feature = "amqp", feature = "aws"))]
mod query;
mod rfc3339;
mod sorter;
#[cfg(any(feature = "amqp", feature = "aws"))]
mod tomodachi;
mod topology;
#[cfg(any(feature = "amqp", feature = "aws"))]
mod window;

#[cfg(not(feature = "amqp"))]
pub(crate) use absent::amqp as amqp_at;
#[cfg(not(feature = "aws"))]
pub(crate) use absent::aws as aws_at;
#[cfg(feature = "amqp")]
pub(crate) use amqp::at as amqp_at;
#[cfg(feature = "aws")]
pub(crate) use aws::at as aws_at;
pub use backlog::Backlog;
pub use delivery::{DeadLetter, Delivery, Lease, Reason, ReasonKind, Settlement};
pub(crate) use error::in_one;
pub use error::{PublishError, PublishErrorKind, SettleError, SettleErrorKind, TransportError, TransportErrorKind};
pub use memory::Memory;
pub use prune::{Prune, Remnant};
pub use sorter::{Fate, Sorter};
pub use topology::{Binding, Provision, QueuePlan, Reach, TopicPlan, Topology};

use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;

use self::sorter::AllBack;
use crate::{
    codec::Hands,
    envelope::{Envelope, MessageId, OCTETS, Payload, Sealed},
    health::Status,
};

/// A sealed message with its address.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Outgoing {
    /// The message's identity; a resend keeps it.
    pub id: MessageId,
    /// The event's name.
    pub event: Cow<'static, str>,
    /// The topic, with the environment's prefix.
    pub topic: Cow<'static, str>,
    /// The AMQP routing key, with the environment's prefix.
    pub routing_key: Cow<'static, str>,
    /// Straight into this queue, past the topic and what a broker filters; with the environment's prefix.
    pub queue: Option<String>,
    /// What must stay in order together.
    pub key: Option<String>,
    /// Is order per key promised?
    pub ordered: bool,
    /// How long the message waits before anyone sees it.
    pub delay: Option<Duration>,
    /// May the message go nowhere without an error (P4)?
    pub allow_unroutable: bool,
    /// What the body is, as a media type.
    pub content_type: Cow<'static, str>,
    /// The service that publishes it.
    pub service: Option<Arc<str>>,
    /// The conversation it belongs to.
    pub correlation_id: Option<MessageId>,
    /// When it was published.
    pub time: Option<SystemTime>,
    /// The body and its attributes.
    pub sealed: Sealed,
    /// The event's bytes before they were sealed, for middleware to look at; transports carry `sealed`.
    pub payload: Option<Payload>,
}

impl Outgoing {
    /// A message to this topic, neither ordered nor delayed; the routing key is the event's name.
    pub fn new(
        id: MessageId,
        event: impl Into<Cow<'static, str>>,
        topic: impl Into<Cow<'static, str>>,
        sealed: Sealed,
    ) -> Self {
        let event = event.into();
        Self {
            id,
            topic: topic.into(),
            routing_key: event.clone(),
            event,
            queue: None,
            key: None,
            ordered: false,
            delay: None,
            allow_unroutable: false,
            content_type: Cow::Borrowed(OCTETS),
            service: None,
            correlation_id: None,
            time: None,
            sealed,
            payload: None,
        }
    }
}

/// What a transport can promise; what it cannot is refused where a user asks for it, and the publisher
/// [checks](Self::check) every message by it.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use tegami::transport::Capabilities;
///
/// let sqs = Capabilities::none().durable().message_limit(256 * 1024).attribute_limit(10);
/// let sqs = sqs.delay(Duration::from_secs(15 * 60));
/// assert!(sqs.durable && !sqs.exact_attempts);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// Unacked messages outlive our process (D1).
    pub durable: bool,
    /// An unroutable publish is an error (P4).
    pub reports_unroutable: bool,
    /// Order per key is kept (O2).
    pub ordered: bool,
    /// The longest delay a message can wait before its first delivery.
    pub delay: Option<Duration>,
    /// Delays, and those between attempts, are rounded up to a multiple of this.
    pub delay_step: Duration,
    /// The largest message, attributes counted, in bytes (P7).
    pub message_limit: usize,
    /// The most attributes a message can carry.
    pub attribute_limit: usize,
    /// The attempt count is exact (R4).
    pub exact_attempts: bool,
    /// The longest that a handler may take; none where the hold on a message is renewed (L3).
    pub handling_limit: Option<Duration>,
    /// The longest that a delivery may wait for all its retries together, where it waits in its place: in a queue in order,
    /// and in one of an instance; none where nobody takes it back meanwhile.
    pub waiting_limit: Option<Duration>,
    /// Each instance can have a queue of its own, which goes with its connection.
    pub per_instance: bool,
}

impl Capabilities {
    /// Promises nothing, and has no limits of its own on messages; a transport adds to it what it can.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            durable: false,
            reports_unroutable: false,
            ordered: false,
            delay: None,
            delay_step: Duration::ZERO,
            message_limit: usize::MAX,
            attribute_limit: usize::MAX,
            exact_attempts: false,
            handling_limit: None,
            waiting_limit: None,
            per_instance: false,
        }
    }

    /// Unacked messages outlive our process.
    #[must_use]
    pub const fn durable(self) -> Self {
        Self { durable: true, ..self }
    }

    /// An unroutable publish is an error.
    #[must_use]
    pub const fn reports_unroutable(self) -> Self {
        Self { reports_unroutable: true, ..self }
    }

    /// Order per key is kept.
    #[must_use]
    pub const fn ordered(self) -> Self {
        Self { ordered: true, ..self }
    }

    /// A message can wait this long before its first delivery.
    #[must_use]
    pub const fn delay(self, longest: Duration) -> Self {
        Self { delay: Some(longest), ..self }
    }

    /// Delays are rounded up to a multiple of this.
    #[must_use]
    pub const fn delay_step(self, step: Duration) -> Self {
        Self { delay_step: step, ..self }
    }

    /// The largest message, attributes counted, in bytes.
    #[must_use]
    pub const fn message_limit(self, bytes: usize) -> Self {
        Self { message_limit: bytes, ..self }
    }

    /// The most attributes a message can carry.
    #[must_use]
    pub const fn attribute_limit(self, attributes: usize) -> Self {
        Self { attribute_limit: attributes, ..self }
    }

    /// The attempt count is exact.
    #[must_use]
    pub const fn exact_attempts(self) -> Self {
        Self { exact_attempts: true, ..self }
    }

    /// A handler may take this long at most.
    #[must_use]
    pub const fn handling_limit(self, longest: Duration) -> Self {
        Self { handling_limit: Some(longest), ..self }
    }

    /// A delivery that waits in its place may wait for this long at most, all its retries together.
    #[must_use]
    pub const fn waiting_limit(self, longest: Duration) -> Self {
        Self { waiting_limit: Some(longest), ..self }
    }

    /// Each instance can have a queue of its own.
    #[must_use]
    pub const fn per_instance(self) -> Self {
        Self { per_instance: true, ..self }
    }
}

/// Carries sealed messages from publishers to queues and from queues to consumers.
///
/// Implementations MUST
/// - answer `publish` with `Ok` only once the message is stored in every queue it is bound to (P1), and with
///   `Unknown` whenever it may have been (P2);
/// - put what names a [`queue`](Outgoing::queue) into that one alone, whatever its topic and bindings say, and answer
///   `Unroutable` where it is not there (P4);
/// - keep body and attributes byte for byte (P9);
/// - hand each message of a queue to one consumer at a time, and again until it is settled (D1, D3);
/// - count attempts from 1, never downwards (D4);
/// - have a queue that is [per instance](Reach::PerInstance), if they declare it, from `provision` to `close` or to the
///   connection's loss, and make it anew when it is consumed after that.
///
/// The well-known mistake: acking when the delivery is handed out instead of when it is settled.
#[async_trait]
pub trait Transport: Send + Sync + 'static {
    /// What kind of transport this is, in one lower-case word.
    fn name(&self) -> &'static str;

    /// What it can promise.
    fn capabilities(&self) -> Capabilities;

    /// The envelope of its messages, where that is not for the service to choose. Default: none.
    fn envelope(&self) -> Option<Arc<dyn Envelope>> {
        None
    }

    /// What the handlers of a queue know of its events, told before it is consumed.
    #[doc(hidden)]
    fn knows(&self, _queue: &str, _hands: Vec<Hands>) {}

    /// Brings topics, queues and bindings into being, or checks that they are there.
    ///
    /// # Errors
    /// The transport cannot be reached, or a part is there and differs.
    async fn provision(&self, topology: &Topology, mode: Provision) -> Result<(), TransportError>;

    /// Does as [`provision`](Self::provision) does, and tells each part that is missing, or is there and differs, where
    /// that may stop at the first.
    ///
    /// # Errors
    /// The transport cannot be reached, or does not let us look: then nothing is known of what differs.
    async fn differences(&self, topology: &Topology, mode: Provision) -> Result<Vec<TransportError>, TransportError> {
        match self.provision(topology, mode).await {
            Err(error) if error.kind().is_difference() => Ok(vec![error]),
            provisioned => provisioned.map(|()| Vec::new()),
        }
    }

    /// Hands over one message.
    ///
    /// # Errors
    /// `Unknown` when it may have been stored; every other kind when it certainly was not.
    async fn publish(&self, outgoing: Outgoing) -> Result<(), PublishError>;

    /// Starts to take deliveries from a queue.
    ///
    /// # Errors
    /// The queue is not there, or the transport cannot be reached.
    async fn consume(&self, queue: &QueuePlan) -> Result<Box<dyn Deliveries>, TransportError>;

    /// The dead letters of a queue, oldest first, at most `limit`. They stay where they are.
    ///
    /// # Errors
    /// The queue is not there, or the transport cannot be reached.
    async fn dead_letters(&self, queue: &str, limit: usize) -> Result<Vec<DeadLetter>, TransportError>;

    /// Goes once through the dead letters of now, oldest first where the broker has an order, and does with each what
    /// the sorter says (X7).
    ///
    /// It MUST ask for room before it takes some, and take no more than that, unless the oldest are found in no other way;
    /// store what goes back before it takes it away, so that a crash between leaves two and never none; and leave what
    /// stays in its place, with its reason. What dies meanwhile MUST stay, unasked. Of two that go through at once, each
    /// letter MUST be asked about by one.
    ///
    /// # Errors
    /// The queue is not there (where each instance has one, none is shared to put them back into), or the transport
    /// cannot be reached; those that have left by then have left, all others stay.
    async fn sort_dead_letters(&self, queue: &str, sorter: &mut dyn Sorter) -> Result<(), TransportError>;

    /// Puts the dead letters of a queue back into it with their ids, attempts from 1 (X7); how many there were.
    ///
    /// # Errors
    /// As [`sort_dead_letters`](Self::sort_dead_letters).
    async fn redrive(&self, queue: &str) -> Result<usize, TransportError> {
        let mut all = AllBack::default();
        self.sort_dead_letters(queue, &mut all).await?;
        Ok(all.0)
    }

    /// Follows what flows into a queue of this plan from now on, beside all that read it: they get everything as before.
    /// Nothing of it is left behind once the transport is closed.
    ///
    /// # Errors
    /// The transport cannot do so, or cannot be reached.
    async fn tail(&self, plan: &QueuePlan) -> Result<Box<dyn Deliveries>, TransportError> {
        let can = self.capabilities();
        if !can.durable || !can.per_instance {
            let text = format!("what flows cannot be followed from beside on the transport `{}`", self.name());
            return Err(TransportError::new(TransportErrorKind::Unsupported, text));
        }
        self.consume(&QueuePlan { reach: Reach::PerInstance, ..plan.clone() }).await
    }

    /// The topology in the broker's own words, as files by name, for those who set up brokers with tools of their own:
    /// loaded, the broker has what `provision` would make. The second are topics that are published to.
    ///
    /// # Errors
    /// A setting is wrong.
    fn exports(&self, _: &Topology, _: &[String]) -> Result<BTreeMap<String, String>, TransportError> {
        Ok(BTreeMap::new())
    }

    /// Looks for the queues of earlier plans that this one does not have, and deletes them where they may go. Where
    /// queues go with their transport, there are none.
    ///
    /// It MUST keep what holds messages, dead letters too, and what is read, and say why; together with the queues around
    /// it. Once it deletes, it MUST tell what has gone: what it then cannot look at or delete is kept, for that reason.
    ///
    /// # Errors
    /// The transport cannot be reached, or does not let us look.
    async fn prune(&self, _: &[QueuePlan], _: &Topology, _: Prune) -> Result<Vec<Remnant>, TransportError> {
        Ok(Vec::new())
    }

    /// Lets go of everything. Unsettled deliveries come back to others.
    async fn close(&self);

    /// How it is: down while it reaches nobody, degraded while some of it has to wait. Asked for about once a second.
    ///
    /// It MUST answer at once, from what it knows; and what was lost MUST be looked for by itself, not only when
    /// somebody publishes: a service that is not ready is asked for nothing.
    fn status(&self) -> Status {
        Status::up()
    }

    /// How much waits in a queue; nothing of it is known, where the transport does not tell. Asked for twice a minute while
    /// somebody [observes](crate::Service::observe) the service.
    ///
    /// It MUST change nothing, and have no failure be noticed elsewhere; who has no connection needs none for it.
    async fn backlog(&self, _queue: &QueuePlan) -> Backlog {
        Backlog::default()
    }
}

/// The consuming end of one queue.
#[async_trait]
pub trait Deliveries: Send {
    /// Waits for at least one delivery and returns at most `room`.
    ///
    /// # Cancel safety
    /// Implementations MUST lose nothing when this future is dropped.
    ///
    /// # Errors
    /// The transport is closed, or has given up on the queue.
    async fn next(&mut self, room: usize) -> Result<Vec<Delivery>, TransportError>;
}
