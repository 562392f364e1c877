//! Writing: a message as a letter to a topic.

use std::{borrow::Cow, str, time::SystemTime};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::{
    Letter, MOST_ATTRIBUTES, Named, Order, SNS_LIMIT,
    attribute::{is_carried, is_certain, is_text},
    dead::REASON,
    mark::{Form, MARK, Mark},
};
use crate::{
    envelope::MessageId,
    event::{Attributes, EVENT_ATTRIBUTE, is_plain_name},
    time::epoch::milliseconds_of,
    transport::{Outgoing, PublishError},
};

/// What stands for an empty body: one character, for SNS and SQS take none.
const NOTHING: &str = "-";

/// A message as SNS takes it.
///
/// # Errors
/// `TooLarge`: as SNS counts, which is with the mark and after base64, it is over the limit (P7).
pub(crate) fn seal(message: &Outgoing, now: SystemTime) -> Result<Letter, PublishError> {
    write(message, now).within(SNS_LIMIT, message)
}

/// A message of any size.
pub(super) fn write(message: &Outgoing, now: SystemTime) -> Letter {
    let mut mark = Mark::new(message.id.clone());
    let body = body(&message.sealed.body);
    mark.form = body.1;
    mark.not_before = message.delay.filter(|delay| !delay.is_zero()).map(|delay| millis(now + delay));
    let order = message.ordered.then(|| order(message));
    let mut attributes = attributes(&message.sealed.attributes, &mut mark.rest);
    attributes.insert(MARK.to_owned(), mark.to_attribute());
    Letter { body: body.0.into_owned(), attributes, order }
}

fn body(bytes: &Bytes) -> (Cow<'_, str>, Form) {
    match str::from_utf8(bytes) {
        Ok("") => (NOTHING.into(), Form::Empty),
        Ok(text) if is_text(text) => (text.into(), Form::Plain),
        _ => (STANDARD.encode(bytes).into(), Form::Base64),
    }
}

/// A key is the group, where AWS takes its characters, which are those of message ids; else its hash is. Without a key
/// nothing is promised: such a message is a group of its own, for which no other waits.
fn order(message: &Outgoing) -> Order {
    let id = message.id.to_string();
    let group = match &message.key {
        None => id.clone(),
        Some(key) => MessageId::parse(key).map_or_else(|| hash(key), |key| key.to_string()),
    };
    Order { group, deduplication: id }
}

fn hash(key: &str) -> String {
    Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The attributes that travel as themselves; what does not, or may not come back as it was, goes into the rest.
fn attributes(all: &Attributes, rest: &mut Named) -> Named {
    let mut carried = Named::new();
    // Filters ask for the event's name: it must not be the one for which there is no room.
    let (first, others): (Vec<_>, Vec<_>) = all.iter().partition(|(name, _)| *name == EVENT_ATTRIBUTE);
    for (name, value) in first.into_iter().chain(others) {
        let room = carried.len() + 1 < MOST_ATTRIBUTES;
        let travels = room && is_plain_name(name) && ![MARK, REASON].contains(&name) && is_carried(value);
        if !travels || !is_certain(value) {
            rest.insert(name.to_owned(), value.into());
        }
        if travels {
            carried.insert(name.to_owned(), value.into());
        }
    }
    carried
}

fn millis(time: SystemTime) -> u64 {
    milliseconds_of(time).unsigned_abs()
}
