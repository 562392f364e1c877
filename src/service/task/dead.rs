//! Messages and dead letters as data: what they hold, and why they are dead.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, de::Error};
use serde_json::value::RawValue;

use super::{Parts, Station};
use crate::service::Contracts;
use crate::{
    codec::{DecodeError, DecodeErrorKind, Persons},
    envelope::{Envelope, Head, MessageId, Payload, Sealed},
    error::told,
    pipeline::{Addressed, Routes},
    transport::{DeadLetter, Delivery, Reason, Transport},
};

/// The most of one queue that are told.
pub(super) const MOST: usize = 10_000;

/// A message, and what the service would make of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DescribedMessage {
    /// The message's id, if it has one.
    pub id: Option<String>,
    /// The event that it says it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// Its body, in bytes.
    pub size: usize,
    /// What must stay in order together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The event as its handler would get it, in canonical JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Box<RawValue>>,
    /// Why nobody here would get it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
}

/// A dead letter, and what the service would make of it today; as JSON, the message with two fields more.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct DescribedDeadLetter {
    /// The message as its handler would get it today, or why none would.
    #[serde(flatten)]
    pub message: DescribedMessage,
    /// The queue whose dead letter it is.
    pub queue: String,
    /// Why it was given up on.
    pub reason: Reason,
}

/// What a dead letter has beside its message.
#[derive(Deserialize)]
struct Given {
    queue: String,
    reason: Reason,
}

// serde's own `flatten` cannot read a `RawValue`.
impl<'de> Deserialize<'de> for DescribedDeadLetter {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let whole = Box::<RawValue>::deserialize(from)?;
        let message = serde_json::from_str(whole.get()).map_err(D::Error::custom)?;
        let Given { queue, reason } = serde_json::from_str(whole.get()).map_err(D::Error::custom)?;
        Ok(Self { message, queue, reason })
    }
}

/// Reads messages as the handlers of one queue would; without a queue, as anyone who knows their contracts.
pub(super) struct Reader {
    queue: String,
    envelope: Arc<dyn Envelope>,
    contracts: Contracts,
    routes: Option<Routes>,
    persons: Persons,
}

/// A message that could be read.
struct Opened {
    head: Head,
    json: Box<RawValue>,
    wanted: bool,
}

impl Reader {
    pub(super) fn of(parts: &Parts, station: &Station, on: &dyn Transport, persons: Persons) -> Self {
        let routes = Some(station.routing(&parts.upcasts));
        let envelope = on.envelope().unwrap_or_else(|| parts.envelope.clone());
        Self { queue: station.queue.name.clone(), envelope, routes, ..Self::of_published(parts, persons) }
    }

    /// For events that nobody here handles.
    pub(super) fn of_published(parts: &Parts, persons: Persons) -> Self {
        let (envelope, contracts) = (parts.envelope.clone(), parts.contracts.clone());
        Self { queue: String::new(), envelope, contracts, routes: None, persons }
    }

    /// Would a handler get it?
    pub(super) fn can_read(&self, letter: &DeadLetter) -> bool {
        self.open(&letter.sealed).is_ok()
    }

    pub(super) fn dead_letter(&self, letter: &DeadLetter) -> DescribedDeadLetter {
        let message = self.told(letter.id.as_ref(), &letter.sealed, self.open(&letter.sealed));
        DescribedDeadLetter { message, queue: self.queue.clone(), reason: letter.reason.clone() }
    }

    /// The message; none, if the handlers' filters leave it out.
    pub(super) fn message(&self, delivery: &Delivery) -> Option<DescribedMessage> {
        let opened = self.open(&delivery.sealed);
        let unwanted = opened.as_ref().is_ok_and(|opened| !opened.wanted);
        (!unwanted).then(|| self.told(delivery.id.as_ref(), &delivery.sealed, opened))
    }

    fn told(&self, id: Option<&MessageId>, sealed: &Sealed, opened: Result<Opened, DecodeError>) -> DescribedMessage {
        let (opened, unreadable) = match opened {
            Ok(opened) => (Some(opened), None),
            Err(error) => (None, Some(told(&error))),
        };
        let (head, payload) = opened.map(|opened| (opened.head, opened.json)).unzip();
        let (event, key) = head.map(|head| (head.event, head.key)).unwrap_or_default();
        let event = event.map(Into::into);
        DescribedMessage { id: id.map(ToString::to_string), event, size: sealed.body.len(), key, payload, unreadable }
    }

    fn open(&self, sealed: &Sealed) -> Result<Opened, DecodeError> {
        let Some(routes) = &self.routes else { return self.open_published(sealed) };
        let Addressed { route, message, wanted, .. } = routes.open(sealed, &self.envelope)?;
        let json = raw(&route.handler.shown(&message.content, self.persons)?)?;
        Ok(Opened { head: message.head, json, wanted })
    }

    fn open_published(&self, sealed: &Sealed) -> Result<Opened, DecodeError> {
        let message = self.envelope.open(sealed)?;
        let event = message.head.event.as_deref().unwrap_or_default();
        let (_, contract) = self.contracts.get(event).ok_or_else(|| {
            DecodeError::new(DecodeErrorKind::UnknownEvent, format!("event `{event}` is not known here"))
        })?;
        let json = raw(&(contract.shown)(&message.content, self.persons)?)?;
        Ok(Opened { head: message.head, json, wanted: true })
    }
}

pub(super) fn raw(payload: &Payload) -> Result<Box<RawValue>, DecodeError> {
    let json = String::from_utf8(payload.bytes.to_vec()).ok().and_then(|text| RawValue::from_string(text).ok());
    json.ok_or_else(|| DecodeError::new(DecodeErrorKind::Undecodable, "it has no JSON form"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_letter_as_json_is_its_message_with_queue_and_reason() {
        let text = r#"{"id":"m-1","event":"e","size":9,"payload":{"b":1.0,"a":18446744073709551616},"queue":"q","reason":{"kind":"permanent","error":"no room","event":"e","service":"billing","queue":"q","attempts":2,"first":"2024-05-01T12:00:00Z","last":"2024-05-01T12:00:01Z"}}"#;
        let letter: DescribedDeadLetter = serde_json::from_str(text).unwrap();
        assert_eq!((letter.message.id.as_deref(), &*letter.queue, letter.reason.attempts), (Some("m-1"), "q", 2));
        assert_eq!(serde_json::to_string(&letter).unwrap(), text);
    }
}
