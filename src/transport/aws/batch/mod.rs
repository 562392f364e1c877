//! Entries that go ten in a request, as they come together; each has its own outcome (P10).

#[cfg(test)]
mod tests;

use std::{
    collections::{HashSet, VecDeque},
    panic::AssertUnwindSafe,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use super::fault::{Fault, FaultKind, Reach};
use crate::{
    error::panic_text,
    time::{Clock, Dice, backoff, until},
};

/// The most entries of one request, of SNS and of SQS.
pub(super) const MOST: usize = 10;
/// The most requests at once.
const AT_ONCE: usize = 8;

/// What one kind of request is.
pub(super) trait Desk: Send + Sync + 'static {
    /// What a request has up to ten of.
    type Entry: Send + Sync + 'static;

    /// The most bytes of one request.
    const BYTES: usize;

    /// How many bytes of it an entry takes.
    fn bytes(&self, entry: &Self::Entry) -> usize;

    /// Entries with the same name go one after the other.
    fn lane<'a>(&self, _entry: &'a Self::Entry) -> Option<&'a str> {
        None
    }

    /// Until when it is worth to try.
    fn until(&self, entry: &Self::Entry) -> Instant;

    /// Makes the request; one outcome for each entry, in their order.
    fn send(&self, entries: &[&Self::Entry]) -> impl Future<Output = Vec<Result<(), Fault>>> + Send;

    /// Takes an entry's outcome.
    fn settled(&self, entry: Self::Entry, outcome: Result<(), Fault>);
}

/// Gathers entries for one kind of request.
pub(super) struct Batches<D: Desk> {
    desk: D,
    linger: Duration,
    clock: Clock,
    dice: Dice,
    waiting: Mutex<Waiting<D::Entry>>,
    bell: Notify,
}

struct Waiting<E> {
    entries: VecDeque<(Instant, E)>,
    /// Lanes with an entry on its way.
    busy: HashSet<String>,
    hurried: bool,
}

/// What there is to do.
enum Next<E> {
    Send(Vec<E>),
    Wait(Option<Instant>),
}

impl<D: Desk> Batches<D> {
    /// Requests of this kind, of which each waits so long for more entries.
    pub(super) fn new(desk: D, linger: Duration, (clock, dice): (Clock, Dice)) -> Self {
        let waiting = Waiting { entries: VecDeque::new(), busy: HashSet::new(), hurried: false };
        Self { desk, linger, clock, dice, waiting: Mutex::new(waiting), bell: Notify::new() }
    }

    /// Takes in an entry.
    pub(super) fn add(&self, entry: D::Entry) {
        self.waiting().entries.push_back((self.clock.instant(), entry));
        self.bell.notify_one();
    }

    /// Lets nothing wait for more any longer.
    pub(super) fn hurry(&self) {
        self.waiting().hurried = true;
        self.bell.notify_one();
    }

    /// Sends, for ever.
    ///
    /// # Cancel safety
    /// What waits stays; what was on its way is never settled.
    pub(super) async fn run(&self) {
        loop {
            let Err(panic) = AssertUnwindSafe(self.take_and_send()).catch_unwind().await else { return };
            tracing::error!("a request to AWS {}; what was on its way is not settled", panic_text(&*panic));
            self.waiting().busy.clear();
        }
    }

    async fn take_and_send(&self) {
        let mut flying = FuturesUnordered::new();
        loop {
            let wake = match (flying.len() < AT_ONCE).then(|| self.next()) {
                Some(Next::Send(batch)) => {
                    flying.push(self.deliver(batch));
                    continue;
                }
                Some(Next::Wait(wake)) => wake,
                None => None,
            };
            tokio::select! {
                biased;
                Some(()) = flying.next() => {}
                () = self.bell.notified() => {}
                () = until(wake) => {}
            }
        }
    }

    /// What can go now, or when something can.
    fn next(&self) -> Next<D::Entry> {
        let mut waiting = self.waiting();
        let (mut lanes, mut chosen, mut bytes) = (HashSet::new(), Vec::new(), 0);
        for (place, (_, entry)) in waiting.entries.iter().enumerate() {
            let lane = self.desk.lane(entry);
            if lane.is_some_and(|lane| waiting.busy.contains(lane) || !lanes.insert(lane)) {
                continue;
            }
            bytes += self.desk.bytes(entry);
            if bytes > D::BYTES && !chosen.is_empty() {
                break;
            }
            chosen.push(place);
            if chosen.len() == MOST {
                break;
            }
        }
        let Some(first) = chosen.first() else { return Next::Wait(None) };
        let due = waiting.entries[*first].0 + self.linger;
        let full = chosen.len() == MOST || bytes >= D::BYTES;
        if !full && !waiting.hurried && self.clock.instant() < due {
            return Next::Wait(Some(due));
        }
        // From behind, for what is taken out moves those after it.
        let mut batch: Vec<D::Entry> = chosen
            .into_iter()
            .rev()
            .filter_map(|place| waiting.entries.remove(place))
            .map(|(_, entry)| entry)
            .collect();
        batch.reverse();
        let lanes: Vec<String> = batch.iter().filter_map(|entry| self.desk.lane(entry)).map(str::to_owned).collect();
        waiting.busy.extend(lanes);
        Next::Send(batch)
    }

    /// Sends until every entry has its outcome: again what may succeed later, and only that.
    async fn deliver(&self, batch: Vec<D::Entry>) {
        let (mut failures, mut batch) = (0, batch.into_iter().map(|entry| (entry, Reach::Not)).collect::<Vec<_>>());
        loop {
            let outcomes = self.desk.send(&batch.iter().map(|(entry, _)| entry).collect::<Vec<_>>()).await;
            failures += 1;
            let again = self.clock.instant() + backoff(failures, &self.dice);
            let mut rest = Vec::new();
            for ((entry, reach), outcome) in batch.into_iter().zip(outcomes) {
                let outcome = outcome.map_err(|fault| fault.reaching(reach));
                let lasting = outcome.as_ref().is_err_and(Fault::is_transient) && again < self.desk.until(&entry);
                match outcome {
                    Err(fault) if lasting => rest.push((entry, fault.reach)),
                    outcome => self.settle(entry, outcome),
                }
            }
            if rest.is_empty() {
                return;
            }
            batch = rest;
            sleep_until(again).await;
        }
    }

    fn settle(&self, entry: D::Entry, outcome: Result<(), Fault>) {
        if let Some(lane) = self.desk.lane(&entry) {
            self.waiting().busy.remove(lane);
            self.bell.notify_one();
        }
        self.desk.settled(entry, outcome);
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting<D::Entry>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The outcomes of a request: all failed with the same fault.
pub(super) fn all_failed(entries: usize, fault: &Fault) -> Vec<Result<(), Fault>> {
    (0..entries).map(|_| Err(fault.again())).collect()
}

/// The outcomes of a request that was answered: for each entry, named by its place, what the answer says of it. Of an
/// entry that it does not name nobody knows what became.
pub(super) fn outcomes(
    entries: usize,
    done: impl IntoIterator<Item = String>,
    failed: impl IntoIterator<Item = (String, Fault)>,
) -> Vec<Result<(), Fault>> {
    let unnamed = || Err(Fault::new(FaultKind::Away, Reach::Maybe, "the answer does not say what became of it"));
    let mut outcomes: Vec<Result<(), Fault>> = (0..entries).map(|_| unnamed()).collect();
    let done = done.into_iter().map(|place| (place, Ok(())));
    for (place, outcome) in done.chain(failed.into_iter().map(|(place, fault)| (place, Err(fault)))) {
        if let Some(said) = place.parse().ok().and_then(|place: usize| outcomes.get_mut(place)) {
            *said = outcome;
        }
    }
    outcomes
}
