//! Each copy of a message at each subscription: unchanged, one effect, no retry too soon, dead with a reason.

use std::{collections::BTreeMap, time::Duration};

use super::{
    super::{Checksum, Entry},
    Offence,
    messages::{Messages, Publish, Story},
};

/// A copy, or another publish of the same id, that differs from the message as it was first published.
pub(super) fn corrupt(messages: &Messages<'_>) -> Vec<Offence> {
    let mut found = Vec::new();
    for (id, message) in &messages.all {
        let Some(first) = message.published() else { continue };
        if message.publishes.iter().any(|publish| publish.checksum != first.checksum) {
            found.push(Offence::of(id, "published again with another content"));
        }
        for (subscription, story) in &message.stories {
            let words = story.entries().filter_map(|entry| difference(first, entry));
            found.extend(words.map(|words| Offence::at(id, subscription, words)));
        }
    }
    found
}

fn difference(published: &Publish<'_>, copy: &Entry) -> Option<String> {
    let changed = |checksum: &Checksum| checksum != published.checksum;
    match copy {
        Entry::RunBegin { attempt, checksum, .. } if changed(checksum) => Some(format!("changed in attempt {attempt}")),
        Entry::RunBegin { attempt, key, .. } if key.as_deref() != published.key => {
            Some(format!("another key in attempt {attempt}"))
        }
        Entry::Dead { checksum, .. } if changed(checksum) => Some("changed in the dead-letter queue".into()),
        Entry::Left { checksum, .. } if changed(checksum) => Some("changed in its queue".into()),
        _ => None,
    }
}

/// Dead without a reason, or changed.
pub(super) fn dead(messages: &Messages<'_>) -> Vec<Offence> {
    let mut found = Vec::new();
    for (id, subscription, message, story) in messages.stories() {
        for entry in story.entries() {
            let Entry::Dead { reason, checksum, .. } = entry else { continue };
            if reason.as_deref().unwrap_or_default().is_empty() {
                found.push(Offence::at(id, subscription, "dead without a reason"));
            }
            if message.published().is_some_and(|publish| publish.checksum != checksum) {
                found.push(Offence::at(id, subscription, "dead with another content"));
            }
        }
    }
    found
}

/// Completed with no effect, or more than one effect, where one per message is promised.
pub(super) fn effects(messages: &Messages<'_>) -> Vec<Offence> {
    let mut found = Vec::new();
    for (id, subscription, _, story) in messages.stories() {
        let (effects, is_completed) = (story.effects(), story.completed() > 0);
        let is_right = effects == 1 || (effects == 0 && !is_completed);
        if messages.inbox.contains(subscription) && !is_right {
            found.push(Offence::at(id, subscription, format!("{effects} effects")));
        }
    }
    found
}

/// A run that began before the delay after an earlier attempt was over.
pub(super) fn early(messages: &Messages<'_>) -> Vec<Offence> {
    let stories = messages.stories();
    stories
        .flat_map(|(id, subscription, _, story)| {
            let words = too_soon(story).into_iter();
            words.map(move |words| Offence::at(id, subscription, words))
        })
        .collect()
}

/// Where two copies of one message fail the same attempt, the first delay counts: nobody can tell whose retry comes.
fn too_soon(story: &Story<'_>) -> Vec<String> {
    let (mut found, mut due) = (Vec::new(), BTreeMap::<u32, u64>::new());
    for filed in &story.0 {
        match &filed.entry {
            Entry::RunEnd { attempt, retry_after: Some(delay), .. } => {
                let delay = u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX);
                due.entry(*attempt).or_insert(filed.at.saturating_add(delay));
            }
            Entry::RunBegin { attempt, .. } => {
                let due = due.range(..attempt).next_back().map_or(0, |(_, due)| *due);
                let early = Duration::from_nanos(due.saturating_sub(filed.at));
                if !early.is_zero() {
                    found.push(format!("attempt {attempt} came {early:?} too soon"));
                }
            }
            _ => {}
        }
    }
    found
}
