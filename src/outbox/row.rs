//! A message as it is kept in an outbox: as it will be published, byte for byte, and the form in which databases keep it.

use std::{
    borrow::Cow,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{
    codec::Payload,
    envelope::{MessageId, Sealed},
    error::BoxError,
    event::{Attributes, Encoding, Value},
    time::epoch::{after_1970, nanoseconds, since_1970},
    transport::Outgoing,
};

/// A sealed message that waits to be published.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Row {
    /// The transport it goes through; none for the main one.
    pub via: Option<String>,
    /// The message. It is sent with this id, however often.
    pub outgoing: Outgoing,
    /// When it is to be published; none for at once.
    pub due: Option<Due>,
}

/// When a delayed message is to be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Due {
    /// At this time of day.
    At(SystemTime),
    /// So long after it was put into the outbox; that is then, by the clock of whoever put it there. A database that several
    /// machines share goes by its own clock instead.
    In(Duration, SystemTime),
}

/// A row as a database keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Kept {
    /// The message's id.
    pub id: String,
    /// The event's name, for people who look.
    pub event: String,
    /// What must go out in order: the key.
    pub lane: Option<String>,
    /// Everything else about the message, as JSON.
    pub head: String,
    /// The sealed body.
    pub body: Bytes,
    /// The event's bytes before they were sealed, for middleware; none if there are none.
    pub payload: Option<Bytes>,
}

/// What is known of a message and has no place of its own in [`Kept`].
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    via: Option<String>,
    topic: String,
    routing_key: String,
    queue: Option<String>,
    ordered: bool,
    delay_ms: Option<u64>,
    allow_unroutable: bool,
    content_type: String,
    service: Option<String>,
    correlation_id: Option<String>,
    /// Nanoseconds since 1970.
    time: Option<u64>,
    /// Is the payload JSON, rather than protobuf?
    encoding: Option<String>,
    /// Name, kind and value of each.
    attributes: Vec<(String, char, String)>,
}

impl Row {
    /// A message that goes through this transport; through the main one, if there is no name.
    pub fn new(via: Option<String>, outgoing: Outgoing) -> Self {
        Self { via, outgoing, due: None }
    }

    /// The same, to be published then.
    #[must_use]
    pub fn due(self, due: Option<Due>) -> Self {
        Self { due, ..self }
    }

    /// How many bytes it has, about.
    pub fn size(&self) -> usize {
        let payload = self.outgoing.payload.as_ref().map_or(0, |payload| payload.bytes.len());
        self.outgoing.sealed.body.len() + payload
    }

    /// The form in which databases keep it.
    pub fn kept(&self) -> Kept {
        let message = &self.outgoing;
        let attributes = message.sealed.attributes.iter().map(|(name, value)| written(name, value));
        let head = Head {
            via: self.via.clone(),
            topic: message.topic.to_string(),
            routing_key: message.routing_key.to_string(),
            queue: message.queue.clone(),
            ordered: message.ordered,
            delay_ms: message.delay.map(|delay| u64::try_from(delay.as_millis()).unwrap_or(u64::MAX)),
            allow_unroutable: message.allow_unroutable,
            content_type: message.content_type.to_string(),
            service: message.service.as_deref().map(str::to_owned),
            correlation_id: message.correlation_id.as_ref().map(ToString::to_string),
            time: message.time.map(|time| nanoseconds(since_1970(time)).unsigned_abs()),
            encoding: message.payload.as_ref().map(|payload| payload.encoding.name().to_owned()),
            attributes: attributes.collect(),
        };
        Kept {
            id: message.id.to_string(),
            event: message.event.to_string(),
            lane: message.key.clone(),
            head: serde_json::to_string(&head).expect("texts and numbers have a JSON form"),
            body: message.sealed.body.clone(),
            payload: message.payload.as_ref().map(|payload| payload.bytes.clone()),
        }
    }
}

impl Kept {
    /// What was kept.
    pub fn new(
        (id, event, lane): (String, String, Option<String>),
        head: String,
        body: impl Into<Bytes>,
        payload: Option<Bytes>,
    ) -> Self {
        Self { id, event, lane, head, body: body.into(), payload }
    }

    /// The row that is kept so.
    ///
    /// # Errors
    /// It is none: something else has written it.
    pub fn row(self) -> Result<Row, BoxError> {
        let head: Head = serde_json::from_str(&self.head)?;
        let id = |text: String| MessageId::parse(text).ok_or("it has no message id");
        let encoding = |name: &str| Encoding::named(name).ok_or("its encoding is none");
        let encoding = head.encoding.as_deref().map(encoding).transpose()?;
        let mut attributes = Attributes::new();
        for (name, kind, text) in head.attributes {
            attributes.set(name, read(kind, text)?);
        }
        let sealed = Sealed { body: self.body, attributes };
        let outgoing = Outgoing::new(id(self.id)?, self.event, head.topic, sealed);
        let outgoing = Outgoing {
            routing_key: head.routing_key.into(),
            queue: head.queue,
            key: self.lane,
            ordered: head.ordered,
            delay: head.delay_ms.map(Duration::from_millis),
            allow_unroutable: head.allow_unroutable,
            content_type: Cow::Owned(head.content_type),
            service: head.service.map(Into::into),
            correlation_id: head.correlation_id.map(id).transpose()?,
            time: head.time.and_then(|since| after_1970(Duration::from_nanos(since))),
            payload: encoding.zip(self.payload).map(|(encoding, bytes)| Payload { encoding, bytes }),
            ..outgoing
        };
        Ok(Row::new(head.via, outgoing))
    }
}

fn written(name: &str, value: &Value) -> (String, char, String) {
    let kind = match value {
        Value::Text(_) => 't',
        Value::Integer(_) => 'i',
        Value::Float(_) => 'f',
        Value::Bool(_) => 'b',
    };
    (name.to_owned(), kind, value.to_string())
}

fn read(kind: char, text: String) -> Result<Value, BoxError> {
    Ok(match kind {
        't' => Value::Text(text.into()),
        'i' => Value::Integer(text.parse()?),
        'f' => Value::Float(text.parse()?),
        'b' => Value::Bool(text.parse()?),
        other => return Err(format!("it has an attribute of an unknown kind `{other}`").into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Dice;

    #[test]
    fn t2_a_row_comes_back_as_it_was_given() {
        let mut attributes = Attributes::new();
        attributes.set("currency", "EUR");
        attributes.set("amount", i64::MAX);
        attributes.set("share", 0.1 + 0.2);
        attributes.set("paid", true);
        let sealed = Sealed { body: Bytes::from_static(&[0, 255, 13, 10]), attributes };
        let ids = [0, 1].map(|seed| MessageId::draw(&Dice::seeded(seed)));
        let full = Outgoing {
            routing_key: "staging-key".into(),
            queue: Some("straight".into()),
            key: Some("o-1".into()),
            ordered: true,
            delay: Some(Duration::from_millis(1500)),
            allow_unroutable: true,
            content_type: "application/x-own".into(),
            service: Some("billing".into()),
            correlation_id: Some(ids[1].clone()),
            time: Some(SystemTime::UNIX_EPOCH + Duration::from_nanos(1_700_000_000_123_456_789)),
            payload: Some(Payload { encoding: Encoding::Protobuf, bytes: Bytes::from_static(b"\0") }),
            ..Outgoing::new(ids[0].clone(), "shop.orders.v1.OrderPaid", "staging-shop", sealed.clone())
        };
        let bare = Outgoing::new(ids[0].clone(), "e", "t", Sealed::default());
        for row in [Row::new(Some("second".into()), full), Row::new(None, bare)] {
            let back = row.kept().row().expect("it is a row");
            assert_eq!(format!("{back:?}"), format!("{row:?}"));
        }
    }

    #[test]
    fn what_something_else_has_written_is_an_error() {
        let row = Row::new(None, Outgoing::new(MessageId::draw(&Dice::seeded(0)), "e", "t", Sealed::default()));
        let kept = row.kept();
        for (wrong, id) in
            [("{}", "good"), (&*kept.head, ""), (&*kept.head.replace('[', "[[\"a\",\"x\",\"1\"]"), "good")]
        {
            let kept = Kept { head: wrong.to_owned(), id: id.to_owned(), ..kept.clone() };
            assert!(kept.row().is_err(), "{wrong}");
        }
    }
}
