//! Counts of what has been completed, to wait for.

use std::{collections::BTreeMap, future::Future, sync::Mutex, time::Duration};

use super::trial::held;

/// How long until a condition is looked at again, at first; each time a little longer, for a wait in vain is long.
const LOOK: Duration = Duration::from_millis(1);
/// How long nothing must have begun to call it quiet.
const QUIET: Duration = Duration::from_secs(1);

/// What has been completed so far, by queue and message.
#[derive(Debug, Default)]
pub struct Tally {
    runs: Mutex<BTreeMap<(String, String), Runs>>,
    keys: Mutex<BTreeMap<String, String>>,
}

/// What became of one message in one queue.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Runs {
    /// How often a handler began.
    pub begun: usize,
    /// How often one completed.
    pub completed: usize,
}

impl Tally {
    /// Remembers the key of a message, which a delivery does not say.
    pub(super) fn keyed(&self, id: &str, key: Option<String>) {
        held(&self.keys).extend(key.map(|key| (id.to_owned(), key)));
    }

    pub(super) fn key_of(&self, id: &str) -> Option<String> {
        held(&self.keys).get(id).cloned()
    }

    pub(super) fn begun(&self, queue: &str, id: &str) {
        held(&self.runs).entry((queue.to_owned(), id.to_owned())).or_default().begun += 1;
    }

    pub(super) fn completed(&self, queue: &str, id: &str) {
        held(&self.runs).entry((queue.to_owned(), id.to_owned())).or_default().completed += 1;
    }

    /// What became of each message of a queue.
    pub fn of(&self, queue: &str) -> BTreeMap<String, Runs> {
        let runs = held(&self.runs);
        let of_queue = runs.iter().filter(|((name, _), _)| name == queue);
        of_queue.map(|((_, id), runs)| (id.clone(), *runs)).collect()
    }

    /// How many messages were completed at least once, over all queues.
    pub fn done(&self) -> usize {
        held(&self.runs).values().filter(|runs| runs.completed > 0).count()
    }

    /// How often a handler began, over all messages and queues.
    pub fn attempts(&self) -> usize {
        held(&self.runs).values().map(|runs| runs.begun).sum()
    }

    /// How often a message was completed once more than once.
    pub fn duplicates(&self) -> usize {
        held(&self.runs).values().map(|runs| runs.completed.saturating_sub(1)).sum()
    }

    /// Waits until so many messages were completed; the bound of the case ends the wait.
    pub async fn until_done(&self, count: usize) {
        until(|| self.done() >= count).await;
    }

    /// Waits until no handler has begun for a while: whatever may still come has come, as far as silence can tell. What must
    /// come is waited for by [`Trial::until_settled`](super::Trial::until_settled).
    pub async fn until_quiet(&self) {
        let mut before = None;
        while before != Some(self.attempts()) {
            before = Some(self.attempts());
            tokio::time::sleep(QUIET).await;
        }
    }
}

/// Waits for something that must not take longer.
///
/// # Panics
/// It does.
pub async fn within<T>(time: Duration, what: &str, wait: impl Future<Output = T>) -> T {
    match tokio::time::timeout(time, wait).await {
        Ok(done) => done,
        Err(_) => panic!("waited in vain for {what} for {time:?}"),
    }
}

/// Waits until something holds; the bound of the case ends the wait.
///
/// Each look comes a tenth later than the one before: on a paused clock, a wait in vain has few of them.
pub async fn until(holds: impl Fn() -> bool) {
    let mut look = LOOK;
    while !holds() {
        tokio::time::sleep(look).await;
        look = look.mul_f64(1.1);
    }
}
