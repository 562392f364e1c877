//! An event as a row, and back.

use std::time::{Duration, SystemTime};

use rusqlite::{Row, types::Type};
use serde::{Deserialize, Serialize};

use crate::{
    codec::Payload,
    envelope::{Head, Message, MessageId},
    error::BoxError,
    event::{Attributes, Encoding, Value},
    store::{Entry, Position, Recorded, StreamId, Version},
};

/// The columns that [`read`] takes, in its order.
pub(super) const COLUMNS: &str =
    "position, stream, version, id, event, contract_version, time, encoding, payload, head";

/// What is known beside an event and has no column of its own.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Beside {
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    causation_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_field: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attributes: Vec<(String, Typed)>,
}

/// An attribute's value. Numbers are text: they are wider here than in most readers of JSON.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Typed {
    Text(String),
    Integer(String),
    Float(String),
    Bool(bool),
}

impl Typed {
    fn of(value: &Value) -> Self {
        match value {
            Value::Text(text) => Self::Text(text.clone().into_owned()),
            Value::Integer(number) => Self::Integer(number.to_string()),
            Value::Float(number) => Self::Float(number.to_string()),
            Value::Bool(truth) => Self::Bool(*truth),
        }
    }

    fn value(self) -> Result<Value, BoxError> {
        Ok(match self {
            Self::Text(text) => Value::Text(text.into()),
            Self::Integer(number) => Value::Integer(number.parse()?),
            Self::Float(number) => Value::Float(number.parse()?),
            Self::Bool(truth) => Value::Bool(truth),
        })
    }
}

/// What goes into the column `head`.
pub(super) fn beside(entry: &Entry) -> String {
    let head = &entry.message.head;
    let beside = Beside {
        service: head.source.service.clone().map(Into::into),
        instance: head.source.instance.clone().map(Into::into),
        topic: head.topic.clone().map(Into::into),
        correlation_id: head.correlation_id.as_ref().map(ToString::to_string),
        causation_id: head.causation_id.as_ref().map(ToString::to_string),
        key_field: entry.key_field.clone().map(Into::into),
        key: head.key.clone(),
        attributes: head.attributes.iter().map(|(name, value)| (name.to_owned(), Typed::of(value))).collect(),
    };
    serde_json::to_string(&beside).expect("texts and booleans have a JSON form")
}

/// Nanoseconds since 1970; the years 1678 to 2261 have one.
pub(super) fn nanoseconds(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    let nanoseconds = |distance: Duration| i64::try_from(distance.as_nanos()).unwrap_or(i64::MAX);
    since.map_or_else(|before| -nanoseconds(before.duration()), nanoseconds)
}

fn time_of(nanoseconds: i64) -> SystemTime {
    let distance = Duration::from_nanos(nanoseconds.unsigned_abs());
    let epoch = SystemTime::UNIX_EPOCH;
    let time = if nanoseconds < 0 { epoch.checked_sub(distance) } else { epoch.checked_add(distance) };
    time.unwrap_or(epoch)
}

/// The event of a row with [`COLUMNS`].
pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Recorded> {
    let stream: String = row.get(1)?;
    let (id, encoding, beside): (String, String, String) = (row.get(3)?, row.get(7)?, row.get(9)?);
    let encoding = [Encoding::Json, Encoding::Protobuf].into_iter().find(|known| known.name() == encoding);
    let damaged = |column: usize, error: BoxError| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error);
    let encoding = encoding.ok_or_else(|| damaged(7, "it is none of the encodings".into()))?;
    let beside = serde_json::from_str(&beside).map_err(|error| damaged(9, error.into()))?;
    let (head, key_field) = head(beside).map_err(|error| damaged(9, error))?;
    let id = MessageId::parse(id).ok_or_else(|| damaged(3, "it is no message id".into()))?;
    let head = head.id(id).event(row.get::<_, String>(4)?).time(time_of(row.get(6)?));
    let payload = Payload { encoding, bytes: row.get::<_, Vec<u8>>(8)?.into() };
    let entry = Entry::new(Message::new(head, payload), row.get(5)?, key_field.map(Into::into));
    let stream = StreamId::new(stream).map_err(|error| damaged(1, error.into()))?;
    Ok(Recorded::new(position(row.get(0)?), stream, Version::new(row.get::<_, i64>(2)?.unsigned_abs()), entry))
}

fn head(beside: Beside) -> Result<(Head, Option<String>), BoxError> {
    let id = |text: Option<String>| text.map(|text| MessageId::parse(text).ok_or("no message id")).transpose();
    let mut attributes = Attributes::new();
    for (name, value) in beside.attributes {
        attributes.set(name, value.value()?);
    }
    let mut head = Head::new().attributes(attributes);
    head.source.service = beside.service.map(Into::into);
    head.source.instance = beside.instance.map(Into::into);
    head.topic = beside.topic.map(Into::into);
    head.correlation_id = id(beside.correlation_id)?;
    head.causation_id = id(beside.causation_id)?;
    head.key = beside.key;
    Ok((head, beside.key_field))
}

/// The position that SQLite has as this number.
pub(super) fn position(number: i64) -> Position {
    Position::new(number.unsigned_abs())
}
