//! Dead letters: copies with the reason beside them, and what is read of them.
//!
//! SQS hands out ten of a group at most while these are hidden, and nothing of the group is seen behind them. So a copy of an
//! ordered message is in a group of its own among the dead letters, and its note says which it goes back to.

use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::{
    Attribute, Letter, MOST_ATTRIBUTES, Named, Post, SQS_LIMIT,
    mark::{MARK, json},
    open, spelling,
};
use crate::{
    codec::json::{from_slice, strict::Strict},
    envelope::MessageId,
    time::epoch::{after_1970, since_1970},
    transport::{DeadLetter, Reason, ReasonKind},
};

/// The attribute that says why a message was given up on, as JSON.
pub(super) const REASON: &str = "tegami-reason";

/// What stands in the attribute: the reason, the attributes for which there was no room beside it, and the place.
#[derive(Serialize)]
struct Note<'a> {
    #[serde(flatten)]
    reason: &'a Reason,
    #[serde(skip_serializing_if = "Named::is_empty")]
    rest: &'a Named,
    #[serde(flatten)]
    place: &'a Place,
}

/// Where a message belongs that is in a group of its own among the dead letters.
#[derive(Debug, Default, Serialize)]
struct Place {
    /// The group that it goes back to.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    /// Since when it is dead, in milliseconds since 1970, where it has shared a group with others since then.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<u64>,
    /// Its number in that group.
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence: Option<String>,
}

/// The copy of a message that is given up on, for the dead letters: as it was received, with the reason, and where it is
/// ordered in a group of its own. Where it leaves too little room for that, the error's text is shortened; where it leaves
/// none, the copy goes without a reason, and in the group where it was.
pub(crate) fn buried(post: &Post, reason: &Reason) -> Letter {
    let place = Place { group: key(post).filter(|_| post.is_fifo()), ..Place::default() };
    noted(post, reason, &place).unwrap_or_else(|| back(post))
}

/// A dead letter that shares a group, for one of its own; none, if there is no room for saying which it goes back to.
pub(crate) fn apart(post: &Post, queue: &str) -> Option<Letter> {
    let since = post.sent.map(|sent| since_1970(sent).as_millis().try_into().unwrap_or(u64::MAX));
    let place = Place { group: key(post), since, sequence: post.sequence.clone() };
    noted(post, &reason(post, queue), &place)
}

/// The group that a dead letter shares with others, which are not seen while it is hidden.
pub(crate) fn shared_group(post: &Post) -> Option<&str> {
    let is_alone = post.group == post.deduplication && !post.is_moved;
    post.group.as_deref().filter(|_| post.is_fifo() && !is_alone)
}

/// What a message stays in order with: its group, or that of the one it is a copy of.
pub(crate) fn key(post: &Post) -> Option<String> {
    let noted = post.attributes.get(REASON).and_then(told).and_then(|told| told.place.group);
    // Anyone can write one; what is no group's name would never go back.
    noted.filter(|group| MessageId::parse(group).is_some()).or_else(|| post.group.clone())
}

/// Since when a message is dead.
pub(crate) fn dead_since(post: &Post) -> Option<SystemTime> {
    let since = written(post).and_then(|told| told.place.since);
    since.and_then(|since| after_1970(Duration::from_millis(since))).or(post.sent)
}

/// What dead letters are sorted by, oldest first: when they died; in one millisecond, how SQS has numbered them.
pub(crate) fn age(post: &Post) -> impl Ord + use<> {
    let sequence = written(post).and_then(|told| told.place.sequence).or_else(|| post.sequence.clone());
    let sequence = sequence.map(|number| (number.len(), number));
    (dead_since(post), sequence)
}

/// The copy with a note, in a group of its own; none, if there is no room for one.
fn noted(post: &Post, reason: &Reason, place: &Place) -> Option<Letter> {
    let mut letter = post.again(restored(&post.attributes), post.id.clone());
    let rest = crowded_out(&mut letter.attributes);
    let mut reason = reason.clone();
    loop {
        let note = json(&Note { reason: &reason, rest: &rest, place });
        letter.attributes.insert(REASON.to_owned(), Attribute::text(note));
        if letter.size() <= SQS_LIMIT {
            return Some(letter);
        }
        if reason.error.is_empty() {
            return None;
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
    post.again(restored(&post.attributes), key(post))
}

/// The attributes as they were before there was a reason among them.
pub(super) fn restored(attributes: &Named) -> Named {
    let mut attributes = attributes.clone();
    let Some(told) = attributes.get(REASON).and_then(told) else { return attributes };
    attributes.remove(REASON);
    for (name, attribute) in told.rest {
        attributes.entry(name).or_insert(attribute);
    }
    attributes
}

/// What a message among the dead letters of a queue says.
pub(crate) fn dead_letter(post: &Post, queue: &str) -> DeadLetter {
    let arrived = open(post);
    DeadLetter::new(arrived.id, arrived.sealed, reason(post, queue))
}

fn reason(post: &Post, queue: &str) -> Reason {
    written(post).map_or_else(|| unwritten(post, queue), |told| told.reason.plain())
}

/// What was written when it was given up on. A copy of ours was not moved: where the broker has put a message aside, what
/// stands there is forged or out of date.
fn written(post: &Post) -> Option<Told> {
    post.attributes.get(REASON).filter(|_| !post.is_moved).and_then(told)
}

/// A note that was read.
struct Told {
    reason: Reason,
    rest: Named,
    place: Place,
}

/// What the attribute says, if it is of ours.
fn told(attribute: &Attribute) -> Option<Told> {
    let text = attribute.as_text()?;
    let (mut rest, mut place, mut strict) = (None, Place::default(), Strict::of(text.as_bytes()).ok()?);
    strict
        .object(|name, member| {
            match name {
                "rest" => rest = Some(member.skip()?),
                "group" => place.group = member.text()?.map(Into::into),
                // The cast stops at the bounds of the type, and a time is bounded again where it is used.
                "since" => place.since = member.float()?.map(|millis| millis as u64),
                "sequence" => place.sequence = member.text()?.map(Into::into),
                _ => drop(member.skip()?),
            }
            Ok(())
        })
        .ok()?;
    strict.end().ok()?;
    let rest = rest.map_or(Some(Named::new()), spelling::read)?;
    Some(Told { reason: from_slice(text.as_bytes()).ok()?, rest, place })
}

/// Why a message is here that says nothing of it (X6).
fn unwritten(post: &Post, queue: &str) -> Reason {
    let text = "no reason stands beside it: SQS put it aside itself, for nobody lived to say what became of it, or there \
                was no room for one";
    let mut reason = Reason::new(ReasonKind::DeliveryLimit, text, 0, post.sent.unwrap_or(SystemTime::UNIX_EPOCH));
    reason.queue = queue.to_owned();
    reason
}
