//! Dead letters: copies with the reason beside them, and what is read of them.

use std::time::SystemTime;

use serde::Serialize;

use super::{
    Attribute, Letter, MOST_ATTRIBUTES, Named, Post, SQS_LIMIT,
    mark::{MARK, json},
    open, spelling,
};
use crate::{
    codec::json::{from_slice, strict::Strict},
    transport::{DeadLetter, Reason, ReasonKind},
};

/// The attribute that says why a message was given up on, as JSON.
pub(super) const REASON: &str = "tegami-reason";

/// What stands in the attribute: the reason, and the attributes for which there was no room beside it.
#[derive(Serialize)]
struct Note<'a> {
    #[serde(flatten)]
    reason: &'a Reason,
    #[serde(skip_serializing_if = "Named::is_empty")]
    rest: &'a Named,
}

/// The copy of a message that is given up on, for the dead letters: as it was received, with the reason. Where it leaves
/// too little room for that, the error's text is shortened; where it leaves none, the copy goes without a reason.
pub(crate) fn buried(post: &Post, reason: &Reason) -> Letter {
    let mut letter = back(post);
    let rest = crowded_out(&mut letter.attributes);
    let mut reason = reason.clone();
    loop {
        let note = json(&Note { reason: &reason, rest: &rest });
        letter.attributes.insert(REASON.to_owned(), Attribute::text(note));
        if letter.size() <= SQS_LIMIT {
            return letter;
        }
        if reason.error.is_empty() {
            return back(post);
        }
        let half = reason.error.floor_char_boundary(reason.error.len() / 2);
        reason.error.truncate(half);
    }
}

/// Takes out the attributes that are one too many beside the reason.
fn crowded_out(attributes: &mut Named) -> Named {
    let over = (attributes.len() + 1).saturating_sub(MOST_ATTRIBUTES);
    let names: Vec<_> = attributes.keys().filter(|name| *name != MARK).rev().take(over).cloned().collect();
    names.into_iter().filter_map(|name| attributes.remove_entry(&name)).collect()
}

/// A dead letter as it goes back into its queue: as it was before it was given up on.
pub(crate) fn back(post: &Post) -> Letter {
    post.again(restored(&post.attributes))
}

/// The attributes as they were before there was a reason among them.
pub(super) fn restored(attributes: &Named) -> Named {
    let mut attributes = attributes.clone();
    let Some((_, rest)) = attributes.get(REASON).and_then(told) else { return attributes };
    attributes.remove(REASON);
    for (name, attribute) in rest {
        attributes.entry(name).or_insert(attribute);
    }
    attributes
}

/// What a message among the dead letters of a queue says.
pub(crate) fn dead_letter(post: &Post, queue: &str) -> DeadLetter {
    // A copy of ours was not moved: where the broker has put a message aside, the reason is forged or out of date.
    let written = post.attributes.get(REASON).filter(|_| !post.is_moved).and_then(told);
    let reason = written.map_or_else(|| unwritten(post, queue), |(reason, _)| reason.plain());
    let arrived = open(post);
    DeadLetter::new(arrived.id, arrived.sealed, reason)
}

/// What the attribute says, if it is of ours.
fn told(attribute: &Attribute) -> Option<(Reason, Named)> {
    let text = attribute.as_text()?;
    let (mut rest, mut strict) = (None, Strict::of(text.as_bytes()).ok()?);
    strict
        .object(|name, member| {
            let value = member.skip()?;
            if name == "rest" {
                rest = Some(value);
            }
            Ok(())
        })
        .ok()?;
    strict.end().ok()?;
    Some((from_slice(text.as_bytes()).ok()?, rest.map_or(Some(Named::new()), spelling::read)?))
}

/// Why a message is here that says nothing of it (X6).
fn unwritten(post: &Post, queue: &str) -> Reason {
    let text = "no reason stands beside it: SQS put it aside itself, for nobody lived to say what became of it, or there \
                was no room for one";
    let mut reason = Reason::new(ReasonKind::DeliveryLimit, text, 0, post.sent.unwrap_or(SystemTime::UNIX_EPOCH));
    reason.queue = queue.to_owned();
    reason
}
