//! Reading: what a message says, of whatever kind its body is.

use std::{
    borrow::Cow,
    time::{Duration, SystemTime},
};

use bytes::Bytes;

use super::{
    Named, Post,
    body::carried,
    dead::restored,
    mark::{MARK, Mark},
};
use crate::{
    envelope::{MessageId, Sealed},
    event::{Attributes, Value},
};

/// The longest that a message may wait for its time, counted from when it was sent: anyone can write until when (R5).
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// A message that has come, opened.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Arrived {
    /// The body and its attributes, as they were given to whoever sent it.
    pub(crate) sealed: Sealed,
    /// The publisher's id for it, or the one that SNS gave it, or SQS.
    pub(crate) id: Option<MessageId>,
    /// Nobody handles it before then.
    pub(crate) not_before: Option<SystemTime>,
}

/// Opens a message. A message with our mark is ours, whatever its body looks like; else the body may be a notification
/// or a direct send, with the mark inside it; everything else is a stranger's, and is handed on as it came.
pub(crate) fn open(post: &Post) -> Arrived {
    let outer = restored(&post.attributes);
    if let Some((mark, body)) = marked(&post.body, &outer) {
        return ours(post, mark, body, outer);
    }
    let Some(carried) = carried(post.text()) else {
        return strangers(post, post.body.clone(), outer, None);
    };
    let body = match carried.message {
        Cow::Borrowed(text) => post.body.slice_ref(text.as_bytes()),
        Cow::Owned(text) => text.into(),
    };
    let found = marked(&body, &carried.attributes);
    let mut attributes = carried.attributes;
    attributes.extend(outer);
    match found {
        Some((mark, body)) => ours(post, mark, body, attributes),
        None => strangers(post, body, attributes, carried.id.as_deref()),
    }
}

/// The mark among these attributes, and the body that it speaks of.
fn marked(body: &Bytes, attributes: &Named) -> Option<(Mark, Bytes)> {
    let mark = Mark::of(attributes)?;
    let body = mark.form.read(body.clone())?;
    Some((mark, body))
}

fn ours(post: &Post, mark: Mark, body: Bytes, mut attributes: Named) -> Arrived {
    let not_before = mark.not_before().and_then(|time| bounded(time, post));
    attributes.remove(MARK);
    attributes.extend(mark.rest);
    Arrived { sealed: sealed(body, attributes), id: Some(mark.id), not_before }
}

fn strangers(post: &Post, body: Bytes, attributes: Named, id: Option<&str>) -> Arrived {
    let id = id.or(post.id.as_deref()).and_then(MessageId::parse);
    Arrived { sealed: sealed(body, attributes), id, not_before: None }
}

fn bounded(time: SystemTime, post: &Post) -> Option<SystemTime> {
    let latest = post.sent.or(post.first)?.checked_add(LONGEST_WAIT)?;
    Some(time.min(latest))
}

fn sealed(body: Bytes, named: Named) -> Sealed {
    let mut attributes = Attributes::new();
    for (name, attribute) in named {
        attributes.set(name, Value::from(attribute));
    }
    Sealed { body, attributes }
}
