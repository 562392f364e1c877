//! One message handed to us once, and the single answer it takes.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::{SettleError, rfc3339};
use crate::{
    envelope::{MessageId, Sealed},
    event::Attributes,
};

/// One envelope handed to us once, not yet settled. Dropped unsettled, it comes back, uncounted.
pub struct Delivery {
    /// The body and its attributes.
    pub sealed: Sealed,
    /// Number of this delivery, from 1.
    pub attempt: u32,
    /// May someone have seen the message before?
    pub redelivered: bool,
    /// The id the transport knows the message by, if it does.
    pub id: Option<MessageId>,
    /// When this queue first handed the message out, if the transport knows.
    pub first_delivered: Option<SystemTime>,
    lease: Box<dyn Lease>,
}

impl Delivery {
    /// A delivery of this message, settled through the lease.
    pub fn new(sealed: Sealed, attempt: u32, lease: impl Lease + 'static) -> Self {
        let lease = Box::new(lease);
        Self { sealed, attempt, redelivered: attempt > 1, id: None, first_delivered: None, lease }
    }

    /// Waits until the hold on the message is lost (L2); for ever, where the transport cannot know.
    ///
    /// # Cancel safety
    /// Nothing is lost when this future is dropped.
    pub async fn lost(&self) {
        match self.loss() {
            Some(lost) => lost.cancelled().await,
            None => std::future::pending().await,
        }
    }

    /// What is set once the hold is lost, where the transport can know.
    pub(crate) fn loss(&self) -> Option<&CancellationToken> {
        self.lease.lost()
    }

    /// Settles so.
    ///
    /// # Errors
    /// As the method of that settlement.
    pub async fn settle(self, settlement: Settlement) -> Result<(), SettleError> {
        self.lease.settle(settlement).await
    }

    /// Settles as done.
    ///
    /// # Errors
    /// The transport no longer holds the delivery for us; it may come back.
    pub async fn ack(self) -> Result<(), SettleError> {
        self.settle(Settlement::Ack).await
    }

    /// Settles as failed, to be delivered again after a while.
    ///
    /// # Errors
    /// As [`ack`](Self::ack).
    pub async fn retry(self, after: Duration) -> Result<(), SettleError> {
        self.settle(Settlement::Retry { after }).await
    }

    /// Gives the delivery back untouched: the attempt does not count.
    ///
    /// # Errors
    /// As [`ack`](Self::ack).
    pub async fn release(self) -> Result<(), SettleError> {
        self.settle(Settlement::Release).await
    }

    /// Gives up on the message and keeps it, bytes unchanged, with the reason.
    ///
    /// # Errors
    /// As [`ack`](Self::ack), and when the dead-letter queue did not take it; the original then stays.
    pub async fn dead_letter(self, reason: Reason) -> Result<(), SettleError> {
        self.settle(Settlement::DeadLetter(reason)).await
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("id", &self.id)
            .field("attempt", &self.attempt)
            .field("bytes", &self.sealed.body.len())
            .finish_non_exhaustive()
    }
}

/// The transport's side of a delivery.
///
/// Dropping it unsettled MUST give the message back with the same attempt count.
#[async_trait]
pub trait Lease: Send + Sync {
    /// Tells the broker the outcome.
    ///
    /// # Errors
    /// The broker no longer holds the delivery for us, or did not take the copy.
    async fn settle(self: Box<Self>, settlement: Settlement) -> Result<(), SettleError>;

    /// Set once somebody else may have the message, where the transport can know (L2). Default: never.
    fn lost(&self) -> Option<&CancellationToken> {
        None
    }
}

/// What becomes of a delivery.
#[derive(Debug, Clone)]
pub enum Settlement {
    /// Done; forget it.
    Ack,
    /// Failed; deliver it again after a while, as the next attempt.
    Retry {
        /// The least time until then.
        after: Duration,
    },
    /// Not tried; deliver it again as the same attempt.
    Release,
    /// Given up; keep it with the reason.
    DeadLetter(Reason),
}

/// The most bytes of each text of a reason.
#[cfg(any(feature = "amqp", feature = "aws"))]
const LONGEST: usize = 1024;

/// Why a message was given up on (X2). Transports without room for structure carry it as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reason {
    /// The cause.
    pub kind: ReasonKind,
    /// The error and its causes, at most 1 KiB, without control characters or payload.
    pub error: String,
    /// The event whose handler gave up, if it came that far.
    pub event: Option<String>,
    /// The service that gave up.
    pub service: String,
    /// The queue the message was in.
    pub queue: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was first delivered.
    #[serde(with = "rfc3339")]
    pub first: SystemTime,
    /// When it was given up on.
    #[serde(with = "rfc3339")]
    pub last: SystemTime,
}

impl Reason {
    /// A reason with what is always known; the other fields start empty.
    pub fn new(kind: ReasonKind, error: impl Into<String>, attempts: u32, at: SystemTime) -> Self {
        let (service, queue) = (String::new(), String::new());
        Self { kind, error: error.into(), event: None, service, queue, attempts, first: at, last: at }
    }

    /// The reason without what could forge a line where it is printed, or fill a page: anyone can put a message into any
    /// queue.
    #[cfg(any(feature = "amqp", feature = "aws"))]
    pub(crate) fn plain(mut self) -> Self {
        let texts = [&mut self.error, &mut self.service, &mut self.queue];
        for text in texts.into_iter().chain(&mut self.event) {
            text.truncate(text.floor_char_boundary(LONGEST));
            *text = text.replace(char::is_control, " ");
        }
        self
    }
}

/// The causes of a dead letter, with the names they carry on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ReasonKind {
    /// Not the envelope, or not the event.
    Undecodable,
    /// An event that nobody here handles.
    UnknownType,
    /// An envelope of another version.
    VersionMismatch,
    /// The event breaks its contract.
    Invalid,
    /// Too large, as received or once decompressed.
    TooLarge,
    /// The handler's error, once too often.
    HandlerError,
    /// The handler's panic, once too often.
    HandlerPanic,
    /// The handler's timeout, once too often.
    HandlerTimeout,
    /// The handler rejected it.
    Permanent,
    /// Its sender could not be verified.
    Unverified,
    /// The broker's own limit: it was handed out again and again, and nobody lived to answer (X6).
    DeliveryLimit,
}

impl ReasonKind {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Undecodable => "undecodable",
            Self::UnknownType => "unknown-type",
            Self::VersionMismatch => "version-mismatch",
            Self::Invalid => "invalid",
            Self::TooLarge => "too-large",
            Self::HandlerError => "handler-error",
            Self::HandlerPanic => "handler-panic",
            Self::HandlerTimeout => "handler-timeout",
            Self::Permanent => "permanent",
            Self::Unverified => "unverified",
            Self::DeliveryLimit => "delivery-limit",
        }
    }
}

impl fmt::Display for ReasonKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A message given up on, kept with its reason.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadLetter {
    pub(crate) id: Option<MessageId>,
    pub(crate) sealed: Sealed,
    pub(crate) reason: Reason,
}

impl DeadLetter {
    /// A dead letter, as a transport found it.
    pub fn new(id: Option<MessageId>, sealed: Sealed, reason: Reason) -> Self {
        Self { id, sealed, reason }
    }

    /// The message's id, if it had one.
    pub fn id(&self) -> Option<&MessageId> {
        self.id.as_ref()
    }

    /// Why it was given up on.
    pub fn reason(&self) -> ReasonKind {
        self.reason.kind
    }

    /// The last error and its causes.
    pub fn error(&self) -> &str {
        &self.reason.error
    }

    /// How often it was tried.
    pub fn attempts(&self) -> u32 {
        self.reason.attempts
    }

    /// The body, byte for byte as it was received.
    pub fn payload(&self) -> &Bytes {
        &self.sealed.body
    }

    /// The attributes as they were received.
    pub fn attributes(&self) -> &Attributes {
        &self.sealed.attributes
    }

    /// Everything known about the giving up.
    pub fn details(&self) -> &Reason {
        &self.reason
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(any(feature = "amqp", feature = "aws"))]
    #[test]
    fn x2_a_forged_reason_is_one_line_and_not_a_long_one() {
        let told = "a\nb\u{9b}".to_owned() + &"é".repeat(1_000);
        let event = Some(told.clone());
        let (service, queue) = (told.clone(), told.clone());
        let reason =
            Reason { event, service, queue, ..Reason::new(ReasonKind::Invalid, told, 1, SystemTime::UNIX_EPOCH) };
        let plain = reason.plain();
        for text in [&plain.error, &plain.service, &plain.queue].into_iter().chain(&plain.event) {
            assert!(text.starts_with("a b é") && text.len() <= LONGEST, "{text}");
        }
    }

    #[test]
    fn reason_survives_the_way_through_json() {
        let first = SystemTime::UNIX_EPOCH + Duration::new(1_764_000_000, 123_456_789);
        let last = first + Duration::from_secs(3_600);
        let event = Some("shop.orders.v1.OrderPaid".to_owned());
        let (service, queue) = ("billing".to_owned(), "billing-orders".to_owned());
        let reason =
            Reason { event, service, queue, last, ..Reason::new(ReasonKind::HandlerError, "no \"ink\"", 6, first) };
        let text = serde_json::to_string(&reason).unwrap();
        assert!(text.contains(r#""first":"2025-11-24T16:00:00.123456789Z""#), "{text}");
        assert_eq!(serde_json::from_str::<Reason>(&text).unwrap(), reason);
    }

    #[test]
    fn every_reason_has_one_name() {
        let kinds = [
            ReasonKind::Undecodable,
            ReasonKind::UnknownType,
            ReasonKind::VersionMismatch,
            ReasonKind::Invalid,
            ReasonKind::TooLarge,
            ReasonKind::HandlerError,
            ReasonKind::HandlerPanic,
            ReasonKind::HandlerTimeout,
            ReasonKind::Permanent,
            ReasonKind::Unverified,
            ReasonKind::DeliveryLimit,
        ];
        for kind in kinds {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }
}
