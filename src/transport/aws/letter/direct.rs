//! Writing: a message as tomodachi sends it directly to a queue.

use std::time::SystemTime;

use serde::Serialize;

use super::{
    Letter, Named, SQS_LIMIT,
    mark::{MARK, json},
    seal,
};
use crate::{
    codec::json::timestamp,
    transport::{Outgoing, PublishError},
};

/// The body, with its members in tomodachi's order.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'a> {
    r#type: &'static str,
    queue_url: &'a str,
    version: &'static str,
    message: &'a str,
    timestamp: String,
    message_attributes: &'a Named,
}

/// A message as tomodachi's `sqs_send_message` writes it. The attributes stand in the body and beside it; the mark is
/// only in the body, for beside it would say that the body is not to be looked into.
///
/// # Errors
/// `TooLarge`: with all that stands around it, it is more than SQS takes (P7).
pub(crate) fn direct(message: &Outgoing, queue_url: &str, now: SystemTime) -> Result<Letter, PublishError> {
    let mut letter = seal::write(message, now);
    letter.body = json(&Body {
        r#type: "Message",
        queue_url,
        version: "0",
        message: &letter.body,
        timestamp: moment(now),
        message_attributes: &letter.attributes,
    });
    letter.attributes.remove(MARK);
    letter.within(SQS_LIMIT, message)
}

/// Always with three decimals.
fn moment(time: SystemTime) -> String {
    let time = prost_types::Timestamp::from(time);
    let whole = timestamp::to_text(prost_types::Timestamp { nanos: 0, ..time }).unwrap_or_default();
    format!("{}.{:03}Z", whole.trim_end_matches('Z'), time.nanos / 1_000_000)
}
