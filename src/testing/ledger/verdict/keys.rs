//! What a subscription that promises order does with the messages of one key.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry as Place};

use super::{
    super::{
        Ended, Entry,
        read::{Filed, Lines},
    },
    Offence,
    messages::Messages,
};

/// First completed after a later message of the same publisher and key.
pub(super) fn order(lines: &Lines, messages: &Messages<'_>) -> Vec<Offence> {
    let (mut found, mut completed, mut furthest) = (Vec::new(), BTreeSet::new(), BTreeMap::new());
    for filed in &lines.all {
        let Entry::RunEnd { id, subscription, ended: Ended::Ok, .. } = &filed.entry else { continue };
        let publish = messages.all.get(id.as_str()).and_then(|message| message.published());
        let Some(publish) = publish.filter(|_| messages.ordered.contains(subscription.as_str())) else { continue };
        let Some(key) = publish.key.filter(|_| completed.insert((id, subscription))) else { continue };
        match furthest.entry((publish.file, key, subscription)) {
            Place::Vacant(place) => drop(place.insert((publish.sequence, id))),
            Place::Occupied(mut place) if place.get().0 <= publish.sequence => {
                place.insert((publish.sequence, id));
            }
            Place::Occupied(place) => {
                found.push(Offence::at(id, subscription, format!("completed after {}", place.get().1)))
            }
        }
    }
    found
}

/// A run that has begun and not ended.
struct Open<'a> {
    file: usize,
    id: &'a str,
    subscription: &'a str,
    attempt: u32,
    key: &'a str,
}

/// Begun while another run of the same key had not ended.
///
/// A run that never ends is over with the last line of its process: nobody knows when that was killed.
pub(super) fn overlap(lines: &Lines, messages: &Messages<'_>) -> Vec<Offence> {
    let (mut found, mut open) = (Vec::new(), Vec::<Open<'_>>::new());
    let last = last_lines(lines);
    for (place, filed) in lines.all.iter().enumerate() {
        match &filed.entry {
            Entry::RunBegin { id, subscription, attempt, key: Some(key), .. }
                if messages.ordered.contains(subscription.as_str()) =>
            {
                let other = open.iter().find(|run| run.subscription == subscription && run.key == key);
                found.extend(other.map(|run| Offence::at(id, subscription, format!("begun while {} ran", run.id))));
                open.push(Open { file: filed.file, id, subscription, attempt: *attempt, key });
            }
            Entry::RunEnd { .. } => end(&mut open, filed),
            _ => {}
        }
        if last[filed.file] == place {
            open.retain(|run| run.file != filed.file);
        }
    }
    found
}

fn end(open: &mut Vec<Open<'_>>, filed: &Filed) {
    let Entry::RunEnd { id, subscription, attempt, .. } = &filed.entry else { return };
    let is_it = |run: &Open<'_>| {
        (run.file, run.id, run.subscription, run.attempt) == (filed.file, id.as_str(), subscription.as_str(), *attempt)
    };
    if let Some(place) = open.iter().position(is_it) {
        open.swap_remove(place);
    }
}

/// Where the last line of each file stands.
fn last_lines(lines: &Lines) -> Vec<usize> {
    let mut last = vec![0; lines.processes.len()];
    for (place, filed) in lines.all.iter().enumerate() {
        last[filed.file] = place;
    }
    last
}
