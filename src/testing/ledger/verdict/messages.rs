//! The lines of a ledger, sorted by message and subscription.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Answer, Checksum, Ended, Entry, read::Filed};

/// Every message, and what the subscriptions promise.
#[derive(Debug, Default)]
pub(super) struct Messages<'a> {
    pub(super) all: BTreeMap<&'a str, Message<'a>>,
    pub(super) ordered: BTreeSet<&'a str>,
    /// Subscriptions that promise one effect per message.
    pub(super) inbox: BTreeSet<&'a str>,
}

/// Everything about one message.
#[derive(Debug, Default)]
pub(super) struct Message<'a> {
    pub(super) publishes: Vec<Publish<'a>>,
    pub(super) answers: Vec<Answer>,
    pub(super) is_bound: bool,
    pub(super) is_committed: bool,
    pub(super) stories: BTreeMap<&'a str, Story<'a>>,
}

/// One begin of a publish.
#[derive(Debug)]
pub(super) struct Publish<'a> {
    pub(super) file: usize,
    pub(super) key: Option<&'a str>,
    pub(super) sequence: u64,
    pub(super) checksum: &'a Checksum,
    pub(super) to: &'a [String],
}

/// Everything about one message at one subscription, in order of time.
#[derive(Debug, Default)]
pub(super) struct Story<'a>(pub(super) Vec<&'a Filed>);

impl<'a> Messages<'a> {
    pub(super) fn of(lines: &'a [Filed]) -> Self {
        let mut messages = Self::default();
        lines.iter().for_each(|filed| messages.add(filed));
        messages
    }

    fn add(&mut self, filed: &'a Filed) {
        match &filed.entry {
            Entry::Ordered { subscription } => drop(self.ordered.insert(subscription)),
            Entry::Inbox { subscription } => drop(self.inbox.insert(subscription)),
            Entry::PublishBegin { id, key, sequence, checksum, to } => {
                let (file, key, sequence) = (filed.file, key.as_deref(), *sequence);
                self.message(id).publishes.push(Publish { file, key, sequence, checksum, to });
            }
            Entry::PublishEnd { id, answer } => self.message(id).answers.push(*answer),
            Entry::Intent { id } => self.message(id).is_bound = true,
            Entry::State { id } => self.message(id).is_committed = true,
            Entry::Effect { id, subscription } => {
                self.inbox.insert(subscription);
                self.tell(id, subscription, filed);
            }
            Entry::RunBegin { id, subscription, .. }
            | Entry::RunEnd { id, subscription, .. }
            | Entry::Dead { id, subscription, .. }
            | Entry::Left { id, subscription, .. } => self.tell(id, subscription, filed),
            Entry::FaultBegin { .. } | Entry::FaultEnd { .. } | Entry::Resources { .. } => {}
        }
    }

    fn message(&mut self, id: &'a str) -> &mut Message<'a> {
        self.all.entry(id).or_default()
    }

    fn tell(&mut self, id: &'a str, subscription: &'a str, filed: &'a Filed) {
        self.message(id).stories.entry(subscription).or_default().0.push(filed);
    }

    /// Every message at every subscription that saw it.
    pub(super) fn stories(&self) -> impl Iterator<Item = (&'a str, &'a str, &Message<'a>, &Story<'a>)> {
        let stories = |(id, message): (&&'a str, _)| (*id, message);
        self.all.iter().map(stories).flat_map(|(id, message): (_, &Message<'a>)| {
            message.stories.iter().map(move |(subscription, story)| (id, *subscription, message, story))
        })
    }
}

impl<'a> Message<'a> {
    /// The message as it was first published.
    pub(super) fn published(&self) -> Option<&Publish<'a>> {
        self.publishes.first()
    }

    pub(super) fn is_ok(&self) -> bool {
        self.answers.contains(&Answer::Ok)
    }

    /// Was every publish of it refused for certain? One that did not come back was not.
    pub(super) fn is_rejected(&self) -> bool {
        let all_ended = self.publishes.len() == self.answers.len();
        all_ended && !self.answers.is_empty() && self.answers.iter().all(|answer| *answer == Answer::Rejected)
    }

    pub(super) fn is_unknown(&self) -> bool {
        !self.publishes.is_empty() && !self.is_ok() && !self.is_rejected()
    }
}

impl Story<'_> {
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.0.iter().map(|filed| &filed.entry)
    }

    fn count(&self, is: impl Fn(&Entry) -> bool) -> usize {
        self.entries().filter(|entry| is(entry)).count()
    }

    pub(super) fn completed(&self) -> usize {
        self.count(|entry| matches!(entry, Entry::RunEnd { ended: Ended::Ok, .. }))
    }

    pub(super) fn effects(&self) -> usize {
        self.count(|entry| matches!(entry, Entry::Effect { .. }))
    }

    pub(super) fn dead(&self) -> usize {
        self.count(|entry| matches!(entry, Entry::Dead { .. }))
    }

    pub(super) fn left(&self) -> usize {
        self.count(|entry| matches!(entry, Entry::Left { .. }))
    }

    pub(super) fn has_run(&self) -> bool {
        self.entries().any(|entry| matches!(entry, Entry::RunBegin { .. }))
    }
}
