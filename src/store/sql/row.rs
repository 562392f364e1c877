//! An event as a row, and back.

use std::{
    borrow::Cow,
    ops::Deref,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::names::Names;
use crate::{
    codec::Payload,
    envelope::{Head, Message, MessageId},
    error::BoxError,
    event::{Encoding, Value},
    store::{Entry, Position, Recorded, Version},
    time::epoch,
};

/// The columns of a [`Row`], in its order.
pub(in crate::store) const COLUMNS: &str =
    "stream, version, id, event, contract_version, time, encoding, payload, head";

/// An event, but for its position, as databases have it.
pub(in crate::store) struct Row<'a> {
    pub(in crate::store) stream: &'a str,
    pub(in crate::store) version: i64,
    pub(in crate::store) id: &'a str,
    pub(in crate::store) event: &'a str,
    pub(in crate::store) contract_version: i64,
    /// Nanoseconds since 1970.
    pub(in crate::store) time: i64,
    pub(in crate::store) encoding: &'a str,
    pub(in crate::store) payload: &'a [u8],
    /// What else is known, as JSON.
    pub(in crate::store) head: &'a str,
}

impl Row<'_> {
    /// The event at this position.
    ///
    /// # Errors
    /// The row is none that was written by a store; the text names the column.
    pub(in crate::store) fn recorded(self, position: Position, names: &mut Names) -> Result<Recorded, BoxError> {
        let named = |column: &str, error: BoxError| BoxError::from(format!("column `{column}`: {error}"));
        let encoding =
            Encoding::named(self.encoding).ok_or_else(|| named("encoding", "it is none of the encodings".into()))?;
        let beside: Beside<Text> = serde_json::from_str(self.head).map_err(|error| named("head", error.into()))?;
        let key_field = beside.key_field.as_ref().map(|field| names.name(field));
        let mut head = head(beside, names).map_err(|error| named("head", error))?;
        head.id = Some(MessageId::parse(self.id).ok_or_else(|| named("id", "it is no message id".into()))?);
        head.event = Some(names.name(self.event));
        head.time = Some(time_of(self.time));
        let contract = u32::try_from(self.contract_version).map_err(|error| named("contract_version", error.into()))?;
        let stream = names.stream(self.stream).map_err(|error| named("stream", error.into()))?;
        let payload = Payload { encoding, bytes: Bytes::copy_from_slice(self.payload) };
        let entry = Entry::new(Message::new(head, payload), contract, key_field);
        Ok(Recorded::new(position, stream, Version::new(self.version.unsigned_abs()), entry))
    }
}

/// A text of the column `head`, which is copied only where it is escaped.
#[derive(Debug, Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// What is known beside an event and has no column of its own.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
struct Beside<T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    causation_id: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_field: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<T>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    attributes: Vec<(T, Typed<T>)>,
}

/// An attribute's value. Numbers are text: they are wider here than in most readers of JSON.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Typed<T> {
    Text(T),
    Integer(String),
    Float(String),
    Bool(bool),
}

impl<'a> Typed<&'a str> {
    fn of(value: &'a Value) -> Self {
        match value {
            Value::Text(text) => Self::Text(text),
            Value::Integer(number) => Self::Integer(number.to_string()),
            Value::Float(number) => Self::Float(number.to_string()),
            Value::Bool(truth) => Self::Bool(*truth),
        }
    }
}

impl Typed<Text<'_>> {
    fn value(self) -> Result<Value, BoxError> {
        Ok(match self {
            Self::Text(text) => Value::Text(text.0.into_owned().into()),
            Self::Integer(number) => Value::Integer(number.parse()?),
            Self::Float(number) => Value::Float(number.parse()?),
            Self::Bool(truth) => Value::Bool(truth),
        })
    }
}

/// What goes into the column `head`.
pub(in crate::store) fn beside(entry: &Entry) -> String {
    let head = &entry.message.head;
    let beside = Beside {
        service: head.source.service.as_deref(),
        instance: head.source.instance.as_deref(),
        topic: head.topic.as_deref(),
        correlation_id: head.correlation_id.as_ref().map(MessageId::as_str),
        causation_id: head.causation_id.as_ref().map(MessageId::as_str),
        key_field: entry.key_field.as_deref(),
        key: head.key.as_deref(),
        attributes: head.attributes.iter().map(|(name, value)| (name, Typed::of(value))).collect(),
    };
    serde_json::to_string(&beside).expect("texts and booleans have a JSON form")
}

/// Nanoseconds since 1970; the years 1678 to 2261 have one.
pub(in crate::store) fn nanoseconds(time: SystemTime) -> i64 {
    epoch::number(time, epoch::nanoseconds)
}

fn time_of(nanoseconds: i64) -> SystemTime {
    epoch::time(nanoseconds, Duration::from_nanos)
}

fn head(beside: Beside<Text<'_>>, names: &mut Names) -> Result<Head, BoxError> {
    let id = |text: Option<Text<'_>>| text.map(|text| MessageId::parse(&*text).ok_or("no message id")).transpose();
    let mut head = Head::new();
    for (name, value) in beside.attributes {
        head.attributes.set(names.name(&name), value.value()?);
    }
    head.source.service = beside.service.map(|service| names.name(&service));
    // It is another one each time that the service starts.
    head.source.instance = beside.instance.map(|instance| instance.0.into_owned().into());
    head.topic = beside.topic.map(|topic| names.name(&topic));
    head.correlation_id = id(beside.correlation_id)?;
    head.causation_id = id(beside.causation_id)?;
    head.key = beside.key.map(|key| key.0.into_owned());
    Ok(head)
}
