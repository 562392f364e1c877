//! Ways in for `fuzz/`: a message as SQS hands it out, opened, given up on and put back.

use std::time::SystemTime;

use aws_sdk_sqs::types::{Message, MessageAttributeValue};
use aws_smithy_types::Blob;

use super::letter::{self, Post, SQS_LIMIT};
use crate::{
    envelope::{MessageId, Sealed},
    transport::{DeadLetter, Reason, ReasonKind},
};

/// What a message comes to.
#[derive(Debug)]
pub struct Read {
    /// What is handed on.
    pub sealed: Sealed,
    /// Its id.
    pub id: Option<MessageId>,
    /// When it may be handled.
    pub not_before: Option<SystemTime>,
    /// What it says as a dead letter.
    pub dead: DeadLetter,
}

/// Reads a message with this body, and attributes with these names, types and values.
pub fn read(body: &str, attributes: &[(&str, &str, &str)]) -> Read {
    of(&post(body, attributes))
}

/// Gives the same message up, for this error. Reads its copy among the dead letters, and what goes back from there; tells
/// how many attributes the copy has.
pub fn buried(body: &str, attributes: &[(&str, &str, &str)], error: &str) -> ([Read; 2], usize) {
    let reason = Reason::new(ReasonKind::HandlerError, error, 3, SystemTime::UNIX_EPOCH);
    let copy = letter::buried(&post(body, attributes), &reason);
    assert!(copy.size() <= SQS_LIMIT, "a message that came in has room for its reason");
    let many = copy.attributes.len();
    let dead = Post { body: copy.body.into(), attributes: copy.attributes, ..post("", &[]) };
    let back = letter::back(&dead);
    let back = Post { body: back.body.into(), attributes: back.attributes, ..post("", &[]) };
    ([of(&dead), of(&back)], many)
}

fn post(body: &str, attributes: &[(&str, &str, &str)]) -> Post {
    let message =
        attributes.iter().fold(Message::builder().message_id("sqs-1").body(body), |message, (name, kind, text)| {
            let value = MessageAttributeValue::builder().data_type(*kind);
            let value = match kind.starts_with("Binary") {
                true => value.binary_value(Blob::new(text.as_bytes())),
                false => value.string_value(*text),
            };
            message.message_attributes(*name, value.build().expect("its type is told"))
        });
    message.build().into()
}

fn of(post: &Post) -> Read {
    let arrived = letter::open(post);
    let dead = letter::dead_letter(post, "queue");
    Read { sealed: arrived.sealed, id: arrived.id, not_before: arrived.not_before, dead }
}
