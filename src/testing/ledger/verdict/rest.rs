//! What a run has not come to the end of: messages that must still come somewhere, and such as may.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::{
    super::{Entry, LedgerErrorKind, read::Lines},
    LedgerError, fates,
    messages::{Message, Messages},
};

/// How far a run has come, for those who must not end it too soon.
#[derive(Debug, Default)]
pub(crate) struct Rest {
    missing: BTreeMap<String, BTreeSet<String>>,
    welcome: BTreeMap<String, BTreeSet<String>>,
    unknown: BTreeSet<String>,
}

impl Rest {
    /// Reads every ledger in the folder. Where `by_time`, a message that is held for too long comes again, whatever became
    /// of it.
    ///
    /// # Errors
    /// As [`Verdict::of`](super::Verdict::of), but that nothing needs to have been published.
    pub(crate) fn of(folder: &Path, by_time: bool) -> Result<Self, LedgerError> {
        match Lines::read(folder) {
            Ok(lines) => Ok(Self::over(&lines, by_time)),
            Err(error) if error.kind() == LedgerErrorKind::Empty => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    fn over(lines: &Lines, by_time: bool) -> Self {
        let (messages, mut rest) = (Messages::of(&lines.all), Self::default());
        for offence in fates::lost(&messages) {
            let at = offence.subscription.unwrap_or_default();
            rest.missing.entry(at).or_default().insert(offence.id);
        }
        let unknown = messages.all.iter().filter(|(_, message)| message.is_unknown());
        rest.unknown = unknown.map(|(id, _)| (*id).to_owned()).collect();
        let repeats = by_time || lines.processes.len() > 1 || lines.all.iter().any(is_fault);
        let completed = messages.stories().filter(|(.., story)| story.completed() > 0);
        for (id, at, ..) in completed.filter(|(_, _, message, _)| repeats || is_repeated(message)) {
            rest.welcome.entry(at.to_owned()).or_default().insert(id.to_owned());
        }
        rest
    }

    /// What was taken, and is neither completed nor dead nor left there, by subscription.
    pub(crate) fn missing(&self) -> &BTreeMap<String, BTreeSet<String>> {
        &self.missing
    }

    /// May the message come there though nobody waits for it? It may if nobody knows whether it was taken; and if it was
    /// completed there, and sent more than once, or a fault or the end of a process came between handler and ack.
    pub(crate) fn may_come(&self, subscription: &str, id: &str) -> bool {
        self.unknown.contains(id) || self.welcome.get(subscription).is_some_and(|ids| ids.contains(id))
    }
}

fn is_repeated(message: &Message<'_>) -> bool {
    message.publishes.len() > 1
}

fn is_fault(line: &super::super::read::Filed) -> bool {
    matches!(line.entry, Entry::FaultBegin { .. })
}
