//! Attributes and ids as AMQP properties, and back.

use std::time::{Duration, SystemTime};

use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable, ShortString},
};

use super::names::{self, ATTEMPT, FIRST, INTEGER, KEY, NOT_BEFORE, is_kept};
use crate::{
    envelope::MessageId,
    event::{Attributes, Value},
    time::epoch::{after_1970, milliseconds_of, since_1970},
    transport::{Outgoing, PublishError, PublishErrorKind},
};

/// Written to disk before it is confirmed (AMQP 0-9-1, basic class).
const PERSISTENT: u8 = 2;
/// The most attempts that a message can claim to have had.
const MOST_ATTEMPTS: u32 = 1_000;

/// The properties of a message on its way out.
pub(super) fn of(message: &Outgoing) -> Result<BasicProperties, PublishError> {
    let mut headers = FieldTable::default();
    for (name, value) in message.sealed.attributes.iter() {
        if is_kept(name) {
            let text = format!("attribute `{name}` is a header that RabbitMQ or tegami writes");
            return Err(PublishError::new(PublishErrorKind::Refused, text));
        }
        headers.insert(short(name), header(value));
    }
    if let Some(key) = message.key.as_ref().filter(|_| message.ordered) {
        headers.insert(KEY.into(), AMQPValue::LongString(key.as_str().into()));
    }
    let properties = BasicProperties::default()
        .with_content_type((&*message.content_type).into())
        .with_delivery_mode(PERSISTENT)
        .with_message_id(short(message.id.as_str()))
        .with_type(short(&message.event))
        .with_headers(headers);
    let properties = match message.time {
        Some(time) => properties.with_timestamp(since_1970(time).as_secs()),
        None => properties,
    };
    let properties = match &message.service {
        Some(service) => properties.with_app_id(short(service)),
        None => properties,
    };
    Ok(match &message.correlation_id {
        Some(id) => properties.with_correlation_id(short(id.as_str())),
        None => properties,
    })
}

/// AMQP's short strings end at 255 bytes; what is longer is cut, for people still read it.
pub(super) fn short(text: &str) -> ShortString {
    cut(text).into()
}

/// What of a text is in a short string.
pub(super) fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(255)]
}

fn header(value: &Value) -> AMQPValue {
    match value {
        Value::Text(text) => AMQPValue::LongString(text.as_ref().into()),
        Value::Integer(number) => i64::try_from(*number).map_or_else(|_| long_integer(*number), AMQPValue::LongLongInt),
        Value::Float(number) => AMQPValue::Double(*number),
        Value::Bool(truth) => AMQPValue::Boolean(*truth),
    }
}

/// AMQP has no field for it that every client can read: those of Python die of a timestamp beyond the year 9999.
fn long_integer(number: i128) -> AMQPValue {
    let mut table = FieldTable::default();
    table.insert(INTEGER.into(), AMQPValue::LongString(number.to_string().into()));
    AMQPValue::FieldTable(table)
}

/// The attributes of a message that came in; headers that cannot be one are left out.
pub(super) fn attributes(properties: &BasicProperties) -> Attributes {
    let mut attributes = Attributes::new();
    for (name, value) in headers(properties).filter(|(name, _)| !is_kept(name)) {
        if let Some(value) = attribute(value) {
            attributes.set(name.to_owned(), value);
        }
    }
    attributes
}

fn attribute(value: &AMQPValue) -> Option<Value> {
    Some(match value {
        AMQPValue::LongString(text) => Value::from(std::str::from_utf8(text.as_bytes()).ok()?),
        AMQPValue::ShortString(text) => Value::from(text.as_str()),
        AMQPValue::Boolean(truth) => Value::Bool(*truth),
        AMQPValue::Float(number) => Value::from(*number),
        AMQPValue::Double(number) => Value::from(*number),
        _ => Value::Integer(integer(value)?),
    })
}

fn integer(value: &AMQPValue) -> Option<i128> {
    Some(match value {
        AMQPValue::ShortShortInt(number) => (*number).into(),
        AMQPValue::ShortShortUInt(number) => (*number).into(),
        AMQPValue::ShortInt(number) => (*number).into(),
        AMQPValue::ShortUInt(number) => (*number).into(),
        AMQPValue::LongInt(number) => (*number).into(),
        AMQPValue::LongUInt(number) => (*number).into(),
        AMQPValue::LongLongInt(number) => (*number).into(),
        AMQPValue::Timestamp(number) => (*number).into(),
        AMQPValue::FieldTable(table) => table.inner().get(INTEGER)?.as_long_string()?.to_string().parse().ok()?,
        _ => return None,
    })
}

fn headers(properties: &BasicProperties) -> impl Iterator<Item = (&str, &AMQPValue)> {
    let table = properties.headers().as_ref();
    table.into_iter().flat_map(|table| table.inner()).map(|(name, value)| (name.as_str(), value))
}

/// A header of this name.
pub(super) fn get<'a>(properties: &'a BasicProperties, name: &str) -> Option<&'a AMQPValue> {
    properties.headers().as_ref()?.inner().get(name)
}

/// A header of this name, where it is text.
pub(super) fn text(properties: &BasicProperties, name: &str) -> Option<String> {
    match attribute(get(properties, name)?)? {
        Value::Text(text) => Some(text.into_owned()),
        _ => None,
    }
}

/// The message's id, if it has one that we can take.
pub(super) fn id(properties: &BasicProperties) -> Option<MessageId> {
    MessageId::parse(properties.message_id().as_ref()?.as_str()).filter(|id| !id.as_str().starts_with(NAMELESS))
}

/// Begins the ids of copies whose originals had none.
pub(super) const NAMELESS: &str = "tegami-nameless-";

/// Where a message stands on its way through its attempts. It is told by headers that anyone can write: what they say
/// is brought within bounds (R5).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Progress {
    /// Number of this delivery, from 1.
    pub(super) attempt: u32,
    /// When the queue first handed it out.
    pub(super) first: Option<SystemTime>,
    /// When it may be handled.
    pub(super) not_before: Option<SystemTime>,
}

impl Progress {
    /// What the headers say.
    pub(super) fn of(properties: &BasicProperties) -> Self {
        let number = |name| get(properties, name).and_then(integer);
        let attempt = number(ATTEMPT).map_or(1, |attempt| attempt.clamp(1, MOST_ATTEMPTS.into()));
        let attempt = u32::try_from(attempt).expect("it was brought within bounds");
        let moment = |name| {
            let millis = u64::try_from(number(name)?).ok()?;
            after_1970(Duration::from_millis(millis))
        };
        Self { attempt, first: moment(FIRST), not_before: moment(NOT_BEFORE) }
    }

    /// Writes it into the headers of a copy.
    pub(super) fn write(self, headers: &mut FieldTable) {
        headers.insert(ATTEMPT.into(), AMQPValue::LongLongInt(self.attempt.into()));
        for (name, moment) in [(FIRST, self.first), (NOT_BEFORE, self.not_before)] {
            if let Some(moment) = moment {
                headers.insert(name.into(), AMQPValue::LongLongInt(milliseconds_of(moment)));
            }
        }
    }
}

/// The most bytes of headers that a copy takes over: they go in one frame with what it says itself.
const COPIED: usize = 120 * 1024;

/// The properties of a copy: those of the original, without its headers that the broker or tegami acts on, and
/// without its expiry (R5); always persistent.
pub(super) fn copied(original: &BasicProperties) -> (BasicProperties, FieldTable) {
    let mut kept = FieldTable::default();
    for (name, value) in headers(original).filter(|(name, _)| !is_kept(name) || *name == names::KEY) {
        kept.insert(name.into(), value.clone());
    }
    if size(&kept) > COPIED {
        kept = FieldTable::default();
        kept.insert(names::REFUSED.into(), AMQPValue::LongString("too many bytes of headers for a copy".into()));
    }
    let mut copy = BasicProperties::default().with_delivery_mode(PERSISTENT);
    // A user id is checked against the one who publishes, and an expiry would make the copy vanish: both stay behind.
    macro_rules! keep {
        // One line for each property: they have types and names of their own.
        ($($get:ident $with:ident)*) => {$(
            if let Some(value) = original.$get() {
                copy = copy.$with(value.clone());
            }
        )*};
    }
    keep!(content_type with_content_type content_encoding with_content_encoding correlation_id with_correlation_id
          reply_to with_reply_to message_id with_message_id timestamp with_timestamp kind with_type app_id with_app_id
          priority with_priority);
    (copy, kept)
}

/// How many bytes a table takes in a frame, at most. (The guard has seen to it that it is not deep.)
fn size(table: &FieldTable) -> usize {
    table.inner().iter().map(|(name, value)| name.as_str().len() + 1 + size_of_value(value)).sum()
}

fn size_of_value(value: &AMQPValue) -> usize {
    /// The type, and a length or the longest number.
    const AROUND: usize = 9;
    AROUND
        + match value {
            AMQPValue::LongString(text) => text.as_bytes().len(),
            AMQPValue::ShortString(text) => text.as_str().len(),
            AMQPValue::ByteArray(bytes) => bytes.as_slice().len(),
            AMQPValue::FieldArray(values) => values.as_slice().iter().map(size_of_value).sum(),
            AMQPValue::FieldTable(table) => size(table),
            _ => 0,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x1_a_copy_fits_into_a_frame_whatever_its_original_said() {
        let with = |bytes: usize| {
            let mut headers = FieldTable::default();
            headers.insert("long".into(), AMQPValue::LongString("x".repeat(bytes).into()));
            copied(&BasicProperties::default().with_headers(headers)).1
        };
        assert!(with(COPIED - 14).inner().contains_key("long"));
        let over = with(COPIED - 13);
        assert!(!over.inner().contains_key("long") && over.inner().contains_key(names::REFUSED));
    }

    #[test]
    fn p9_whole_numbers_come_back_from_headers() {
        for number in [0, i64::MIN.into(), i64::MAX.into(), i128::from(i64::MAX) + 1, u64::MAX.into(), i128::MIN] {
            let value = Value::Integer(number);
            let header = header(&value);
            assert!(!matches!(header, AMQPValue::Timestamp(_)), "clients of Python die of a late one");
            assert_eq!(attribute(&header), Some(value));
        }
    }

    #[test]
    fn r5_a_copy_goes_to_one_place_and_stays_there() {
        let mut forged = FieldTable::default();
        for name in ["CC", "BCC", "x-death", "x-delivery-count", "x-first-death-queue", ATTEMPT, NOT_BEFORE, "mine"] {
            forged.insert(name.into(), AMQPValue::LongString("elsewhere".into()));
        }
        let original = BasicProperties::default().with_expiration("1".into()).with_user_id("guest".into());
        let (copy, headers) = copied(&original.with_delivery_mode(1).with_headers(forged));
        assert_eq!((copy.expiration(), copy.user_id(), copy.delivery_mode()), (&None, &None, &Some(PERSISTENT)));
        assert_eq!(headers.inner().keys().map(ShortString::as_str).collect::<Vec<_>>(), ["mine"]);
    }

    #[test]
    fn r5_whatever_a_message_says_attempts_are_within_bounds() {
        for (said, taken) in [(-1, 1), (0, 1), (7, 7), (1_001, MOST_ATTEMPTS), (i64::MAX, MOST_ATTEMPTS)] {
            let mut headers = FieldTable::default();
            headers.insert(ATTEMPT.into(), AMQPValue::LongLongInt(said));
            headers.insert(FIRST.into(), AMQPValue::LongLongInt(-1));
            headers.insert(NOT_BEFORE.into(), AMQPValue::LongString("soon".into()));
            let progress = Progress::of(&BasicProperties::default().with_headers(headers));
            assert_eq!((progress.attempt, progress.first, progress.not_before), (taken, None, None));
        }
    }
}
