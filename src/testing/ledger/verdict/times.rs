//! How soon it went on after a fault, and where it stood still without one.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{
    super::{Answer, Ended, Entry, read::Lines},
    measure::{Recovery, Stall},
    messages::Messages,
};

/// Each fault that ended, with the time to the next completion.
pub(super) fn recovery(lines: &Lines) -> Vec<Recovery> {
    let (mut found, mut ended) = (Vec::<Recovery>::new(), Vec::new());
    for filed in &lines.all {
        match &filed.entry {
            Entry::FaultEnd { name } => {
                ended.push((found.len(), filed.at));
                found.push(Recovery { fault: name.clone(), after: None });
            }
            Entry::RunEnd { ended: Ended::Ok, .. } => {
                for (place, at) in ended.drain(..) {
                    found[place].after = Some(Duration::from_nanos(filed.at - at));
                }
            }
            _ => {}
        }
    }
    found
}

/// The longest stall of all subscriptions.
pub(super) fn stall(lines: &Lines, messages: &Messages<'_>) -> Option<Stall> {
    let mut watch = Watch { messages, faults: BTreeSet::new(), lanes: BTreeMap::new(), longest: None };
    lines.all.iter().for_each(|filed| watch.see(filed.at, &filed.entry));
    watch.longest
}

struct Watch<'a> {
    messages: &'a Messages<'a>,
    faults: BTreeSet<&'a str>,
    lanes: BTreeMap<&'a str, Lane<'a>>,
    longest: Option<Stall>,
}

/// One subscription: who waits, who does no longer, and since when it has been standing still.
#[derive(Default)]
struct Lane<'a> {
    waiting: BTreeSet<&'a str>,
    begun: BTreeSet<&'a str>,
    still_since: Option<u64>,
}

impl<'a> Watch<'a> {
    fn see(&mut self, at: u64, entry: &'a Entry) {
        match entry {
            Entry::FaultBegin { name } => drop(self.faults.insert(name)),
            Entry::FaultEnd { name } => drop(self.faults.remove(name.as_str())),
            Entry::PublishEnd { id, answer: Answer::Ok } => return self.wait(at, id),
            Entry::RunBegin { id, subscription, .. } => {
                let lane = self.lanes.entry(subscription).or_default();
                lane.begun.insert(id);
                lane.waiting.remove(id.as_str());
                return self.look(at, subscription);
            }
            Entry::RunEnd { subscription, ended: Ended::Ok, .. } => {
                self.end(at, subscription);
                return self.look(at, subscription);
            }
            _ => return,
        }
        let all: Vec<_> = self.lanes.keys().copied().collect();
        all.into_iter().for_each(|subscription| self.look(at, subscription));
    }

    /// The message waits wherever a run of it will begin. Where none does, it is lost, dead or left over.
    fn wait(&mut self, at: u64, id: &'a str) {
        let Some(message) = self.messages.all.get(id) else { return };
        for (subscription, _) in message.stories.iter().filter(|(_, story)| story.has_run()) {
            let lane = self.lanes.entry(subscription).or_default();
            if !lane.begun.contains(id) {
                lane.waiting.insert(id);
            }
            self.look(at, subscription);
        }
    }

    /// Does the subscription stand still from here on, or no longer?
    fn look(&mut self, at: u64, subscription: &'a str) {
        let lane = self.lanes.entry(subscription).or_default();
        if lane.waiting.is_empty() || !self.faults.is_empty() {
            return self.end(at, subscription);
        }
        lane.still_since.get_or_insert(at);
    }

    fn end(&mut self, at: u64, subscription: &str) {
        let Some(began) = self.lanes.get_mut(subscription).and_then(|lane| lane.still_since.take()) else { return };
        let lasted = Duration::from_nanos(at - began);
        if self.longest.as_ref().is_none_or(|longest| longest.lasted < lasted) {
            self.longest = Some(Stall { subscription: subscription.to_owned(), lasted, began });
        }
    }
}
