//! What became of each message: lost, left over, phantom, ghost, not of one mind with its state change.

use super::{Offence, messages::Messages};

/// Published ok, and neither completed nor dead-lettered where it must be. What is left over is not yet lost.
pub(super) fn lost(messages: &Messages<'_>) -> Vec<Offence> {
    let mut found = Vec::new();
    for (id, message) in messages.all.iter().filter(|(_, message)| message.is_ok()) {
        let to = message.published().map_or(&[][..], |publish| publish.to);
        for subscription in to {
            let story = message.stories.get(subscription.as_str());
            let fate = story.map_or(0, |story| story.completed() + story.dead() + story.left());
            if fate == 0 {
                let runs =
                    if story.is_some_and(|story| story.has_run()) { "begun, never completed" } else { "never seen" };
                found.push(Offence::at(id, subscription, format!("published ok, {runs}")));
            }
        }
    }
    found
}

/// Still in a queue: the drain did not finish, so nothing can be said of it.
pub(super) fn left_over(messages: &Messages<'_>) -> Vec<Offence> {
    let left = messages.stories().filter(|(_, _, _, story)| story.left() > 0);
    left.map(|(id, subscription, _, _)| Offence::at(id, subscription, "still in its queue")).collect()
}

/// Seen, and never published, or not for this subscription.
pub(super) fn phantom(messages: &Messages<'_>) -> Vec<Offence> {
    let unbegun =
        messages.all.iter().filter(|(_, message)| message.published().is_none() && !message.answers.is_empty());
    let mut found: Vec<_> = unbegun.map(|(id, _)| Offence::of(id, "answered, never published")).collect();
    for (id, subscription, message, _) in messages.stories() {
        match message.published() {
            None => found.push(Offence::at(id, subscription, "never published")),
            Some(publish) if !publish.to.iter().any(|to| to == subscription) => {
                found.push(Offence::at(id, subscription, "published for others"));
            }
            Some(_) => {}
        }
    }
    found
}

/// Seen, though every publish of it was rejected.
pub(super) fn ghost(messages: &Messages<'_>) -> Vec<Offence> {
    let rejected = messages.stories().filter(|(_, _, message, _)| message.is_rejected());
    rejected.map(|(id, subscription, _, _)| Offence::at(id, subscription, "rejected, yet delivered")).collect()
}

/// Out without its state change, or the state change without it. Out is: published ok, or seen anywhere.
pub(super) fn atomicity(messages: &Messages<'_>) -> Vec<Offence> {
    let mut found = Vec::new();
    for (id, message) in &messages.all {
        let is_out = message.is_ok() || !message.stories.is_empty();
        match (message.is_committed, message.is_bound, is_out) {
            (true, _, false) => found.push(Offence::of(id, "committed, never went out")),
            (false, true, true) => found.push(Offence::of(id, "went out, never committed")),
            _ => {}
        }
    }
    found
}
