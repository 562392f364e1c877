//! The messages of one queue that are hidden from others for our sake, and until when (L1, L2).

#[cfg(test)]
mod walk;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    fault::Fault,
    setup::{Clients, Setup},
};
use crate::time::until;

/// SQS hides a message for 12 hours from its receipt at most; the rest is for the ways.
const LONGEST: Duration = Duration::from_secs(11 * 3600 + 50 * 60);
/// How long a delete is tried after the hold has ended: where nobody else had the message, it still counts.
const AFTERWARDS: Duration = Duration::from_secs(10 * 60);

/// The messages of one queue that we hold.
pub(super) struct Holding {
    pub(super) setup: Arc<Setup>,
    pub(super) queue: String,
    visibility: Duration,
    held: Mutex<Held>,
    bell: Notify,
    fewer: Notify,
}

#[derive(Default)]
struct Held {
    last: u64,
    /// By their numbers: what came first is renewed first.
    messages: BTreeMap<u64, Message>,
}

struct Message {
    receipt: String,
    /// Until then nobody else gets it.
    ends: Instant,
    /// Nobody can hold it for longer.
    latest: Instant,
    lost: CancellationToken,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Held,
    /// More time was asked for.
    Renewing,
    /// It is being deleted, or shown to others again.
    Leaving,
}

/// Something to delete.
pub(super) struct Done {
    pub(super) number: u64,
    pub(super) receipt: String,
}

/// When others may see a message.
pub(super) struct Change {
    pub(super) number: u64,
    pub(super) receipt: String,
    pub(super) after: Duration,
    /// Set, where we go on to hold it: when that was asked for.
    renewed: Option<Instant>,
}

impl Holding {
    pub(super) fn new(setup: Arc<Setup>, queue: String, visibility: Duration) -> Self {
        Self { setup, queue, visibility, held: Mutex::default(), bell: Notify::new(), fewer: Notify::new() }
    }

    /// For how long a message is hidden at first.
    pub(super) fn visibility(&self) -> Duration {
        self.visibility
    }

    /// Holds a message that has just come; its number here, and what is set once it is lost.
    ///
    /// SQS hid it after it was asked, and nobody knows when: a call may wait for a message, and its answer may be late. So
    /// it counts from then, and what came after half of its time is renewed at once, which tells whether it is ours.
    pub(super) fn take(&self, receipt: String, asked: Instant) -> (u64, CancellationToken) {
        let (now, lost) = (self.setup.clock.instant(), self.setup.gone.child_token());
        let gone = now.saturating_duration_since(asked).min(self.visibility / 2);
        let (ends, latest) = (now + self.visibility - gone, now + LONGEST);
        let mut held = self.held();
        held.last += 1;
        let number = held.last;
        held.messages.insert(number, Message { receipt, ends, latest, lost: lost.clone(), phase: Phase::Held });
        drop(held);
        self.bell.notify_one();
        (number, lost)
    }

    /// Is this one held?
    pub(super) fn has(&self, number: u64) -> bool {
        self.held().messages.contains_key(&number)
    }

    /// How many are held.
    pub(super) fn count(&self) -> usize {
        self.held().messages.len()
    }

    /// Waits until fewer are held, or it may be so; for one that waits at a time.
    pub(super) async fn fewer(&self) {
        self.fewer.notified().await;
    }

    /// Waits until nothing is held any more.
    pub(super) async fn emptied(&self) {
        while self.count() > 0 {
            self.fewer().await;
        }
    }

    /// Waits until nothing leaves any more: what is done is deleted, and what was given back is there for others.
    pub(super) async fn settled(&self) {
        while self.held().messages.values().any(|message| message.phase == Phase::Leaving) {
            self.fewer().await;
        }
    }

    /// Begins to delete a message; none, if it is lost.
    pub(super) fn done(&self, number: u64) -> Option<Done> {
        let receipt = self.leave(number)?;
        Some(Done { number, receipt })
    }

    /// Begins to show a message to others after a while; none, if it is lost.
    pub(super) fn shown(&self, number: u64, after: Duration) -> Option<Change> {
        let latest = self.held().messages.get(&number)?.latest;
        let left = latest.saturating_duration_since(self.setup.clock.instant());
        let receipt = self.leave(number)?;
        Some(Change { number, receipt, after: after.min(left), renewed: None })
    }

    fn leave(&self, number: u64) -> Option<String> {
        let mut held = self.held();
        let message = held.messages.get_mut(&number).filter(|message| !message.lost.is_cancelled())?;
        message.phase = Phase::Leaving;
        Some(message.receipt.clone())
    }

    /// Until when it is worth to take a message out.
    pub(super) fn until(&self, number: u64) -> Instant {
        let ends = self.held().messages.get(&number).map(|message| message.ends + AFTERWARDS);
        ends.unwrap_or_else(|| self.setup.clock.instant())
    }

    /// Until when it is worth to ask for a change; none for a renewal of what is about to leave.
    pub(super) fn until_changed(&self, change: &Change) -> Option<Instant> {
        if change.renewed.is_none() {
            return Some(self.until(change.number));
        }
        let held = self.held();
        held.messages.get(&change.number).filter(|message| message.phase == Phase::Renewing).map(|message| message.ends)
    }

    /// Takes what became of a delete.
    pub(super) fn deleted(&self, done: Done, outcome: Result<(), Fault>) {
        self.held().messages.remove(&done.number);
        self.fewer.notify_one();
        if let Err(fault) = outcome {
            tracing::warn!(queue = self.queue, %fault, "a message that is done was not deleted; it comes again");
        }
    }

    /// Takes what became of a change.
    pub(super) fn changed(&self, change: Change, outcome: Result<(), Fault>) {
        match change.renewed {
            Some(asked) => self.renewed(&change, asked, outcome),
            None => self.given_back(&change, outcome),
        }
        self.bell.notify_one();
        self.fewer.notify_one();
    }

    /// Of what leaves meanwhile it says nothing: the delete may have come first.
    fn renewed(&self, change: &Change, asked: Instant, outcome: Result<(), Fault>) {
        let (mut held, queue) = (self.held(), &self.queue);
        let renewing = held.messages.get_mut(&change.number).filter(|message| message.phase == Phase::Renewing);
        let Some(message) = renewing else { return };
        match outcome {
            Ok(()) => {
                message.ends = asked + change.after;
                message.phase = Phase::Held;
            }
            Err(fault) => {
                message.lost.cancel();
                held.messages.remove(&change.number);
                tracing::warn!(queue, %fault, "the hold on a message was not renewed; others may have it");
            }
        }
    }

    fn given_back(&self, change: &Change, outcome: Result<(), Fault>) {
        self.held().messages.remove(&change.number);
        if let Err(fault) = outcome {
            tracing::warn!(queue = self.queue, %fault, "a message was not given back; it comes when its time is over");
        }
    }

    /// Renews what is held at half of its time, and tells of what was lost; for ever.
    pub(super) async fn watch(&self, renew: impl Fn(Change)) {
        loop {
            let next = self.look(&renew);
            tokio::select! {
                biased;
                () = self.bell.notified() => {}
                () = until(next) => {}
            }
        }
    }

    /// When to look again.
    fn look(&self, renew: &impl Fn(Change)) -> Option<Instant> {
        let (now, half) = (self.setup.clock.instant(), self.visibility / 2);
        let mut held = self.held();
        held.messages.retain(|_, message| {
            let over = message.phase != Phase::Leaving && message.ends <= now;
            if over {
                message.lost.cancel();
                tracing::warn!(queue = self.queue, "the hold on a message has run out; others may have it");
            }
            !over
        });
        self.fewer.notify_one();
        let (mut next, mut renewals) = (None, Vec::new());
        for (number, message) in held.messages.iter_mut().filter(|(_, message)| message.phase != Phase::Leaving) {
            let due = message.ends - half;
            if message.phase == Phase::Held && due <= now && message.ends < message.latest {
                message.phase = Phase::Renewing;
                let (receipt, left) = (message.receipt.clone(), message.latest - now);
                let after = self.visibility.min(left);
                renewals.push(Change { number: *number, receipt, after, renewed: Some(now) });
            }
            let look = if message.phase == Phase::Held && due > now { due } else { message.ends };
            next = Some(next.map_or(look, |next: Instant| next.min(look)));
        }
        drop(held);
        renewals.into_iter().for_each(renew);
        next
    }

    /// The ways to SQS, and the queue there.
    pub(super) async fn way(&self) -> Result<(&Clients, String), Fault> {
        let clients = self.setup.clients().await.map_err(Fault::of_setup)?;
        Ok((clients, self.setup.directory.queue(&self.queue, clients).await?))
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        time::Clock,
        transport::aws::{
            fault::{FaultKind, Reach},
            queues::whole_seconds,
        },
    };

    fn holding() -> Holding {
        Holding::new(Arc::new(Setup::new("aws:eu-west-1")), "post".to_owned(), Duration::from_secs(30))
    }

    /// Holds a message whose answer took no time.
    fn take(holding: &Holding) -> (u64, CancellationToken) {
        holding.take("receipt".to_owned(), holding.setup.clock.instant())
    }

    fn fault(kind: FaultKind) -> Fault {
        Fault::new(kind, Reach::Not, "refused")
    }

    #[tokio::test(start_paused = true)]
    async fn l1_a_hold_is_renewed_at_half_of_its_time_for_as_long_as_it_is_kept() {
        let (holding, began) = (holding(), Clock::system().instant());
        let (number, lost) = take(&holding);
        let renewals = Mutex::new(Vec::new());
        let watching = holding.watch(|change| {
            renewals.lock().unwrap().push(began.elapsed().as_secs());
            holding.changed(change, Ok(()));
        });
        assert!(tokio::time::timeout(Duration::from_secs(100), watching).await.is_err());
        assert_eq!(*renewals.lock().unwrap(), [15, 30, 45, 60, 75, 90]);
        assert!(!lost.is_cancelled() && holding.done(number).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn l1_a_hold_counts_from_when_it_was_asked_and_what_came_late_is_renewed_at_once() {
        for (late, renewed, ends) in [(0, 15, 30), (6, 15, 30), (14, 15, 30), (15, 15, 30), (29, 29, 44)] {
            let (holding, asked) = (holding(), Clock::system().instant());
            tokio::time::advance(Duration::from_secs(late)).await;
            let (_, lost) = holding.take("receipt".to_owned(), asked);
            let renewals = Mutex::new(Vec::new());
            let watching = holding.watch(|_| renewals.lock().unwrap().push(asked.elapsed().as_secs()));
            tokio::select! {
                biased;
                () = lost.cancelled() => {}
                () = watching => {}
            }
            assert_eq!(*renewals.lock().unwrap(), [renewed], "{late} s late");
            assert_eq!(asked.elapsed().as_secs(), ends, "{late} s late, and nobody answers the renewal");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn l1_no_hold_is_renewed_for_longer_than_sqs_allows() {
        let (holding, began) = (holding(), Clock::system().instant());
        let (_, lost) = take(&holding);
        let watching = holding.watch(|change| holding.changed(change, Ok(())));
        tokio::select! {
            biased;
            () = lost.cancelled() => {}
            () = watching => {}
        }
        let held = began.elapsed();
        assert!(LONGEST <= held && held < Duration::from_secs(12 * 3600), "{held:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn l2_a_renewal_that_is_refused_or_never_answered_is_a_loss() {
        for answer in [Some(FaultKind::Lost), None] {
            let (holding, began) = (holding(), Clock::system().instant());
            let (number, lost) = take(&holding);
            let watching = holding.watch(|change| {
                if let Some(kind) = answer {
                    holding.changed(change, Err(fault(kind)));
                }
            });
            tokio::select! {
                biased;
                () = lost.cancelled() => {}
                () = watching => {}
            }
            assert_eq!(began.elapsed().as_secs(), if answer.is_some() { 15 } else { 30 });
            assert!(holding.done(number).is_none() && holding.shown(number, Duration::ZERO).is_none());
            holding.emptied().await;
        }
    }

    /// A message whose renewal is under way.
    async fn renewed(holding: &Holding) -> (u64, CancellationToken, Change) {
        let (number, lost) = take(holding);
        let asked = Mutex::new(None);
        let watching = holding.watch(|change| *asked.lock().unwrap() = Some(change));
        assert!(tokio::time::timeout(Duration::from_secs(16), watching).await.is_err());
        (number, lost, asked.into_inner().unwrap().expect("it is due"))
    }

    #[tokio::test(start_paused = true)]
    async fn r3_a_renewal_hides_nothing_that_was_given_back_meanwhile() {
        let holding = holding();
        let (number, _, renewal) = renewed(&holding).await;
        assert!(holding.until_changed(&renewal).is_some());
        let shown = holding.shown(number, Duration::from_secs(600)).unwrap();
        assert_eq!(holding.until_changed(&renewal), None);
        assert!(holding.until_changed(&shown) > Some(holding.setup.clock.instant()));
    }

    #[tokio::test(start_paused = true)]
    async fn d2_a_renewal_that_fails_after_the_handler_has_ended_stops_no_delete() {
        let holding = holding();
        let (number, lost, renewal) = renewed(&holding).await;
        let done = holding.done(number).unwrap();
        holding.changed(renewal, Err(fault(FaultKind::Lost)));
        assert!(!lost.is_cancelled() && holding.until(number) > holding.setup.clock.instant(), "still tried");
        holding.deleted(done, Ok(()));
        assert_eq!(holding.count(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn l1_a_hold_of_hours_is_renewed_within_what_sqs_allows() {
        for hours in [1, 6, 12] {
            let visibility = Duration::from_secs(hours * 3600);
            let holding = Holding::new(Arc::new(Setup::new("aws:eu-west-1")), "post".to_owned(), visibility);
            let began = Clock::system().instant();
            let (_, lost) = take(&holding);
            let watching = holding.watch(|change| {
                let hidden = began.elapsed() + change.after;
                assert!(hidden <= Duration::from_secs(12 * 3600), "{hidden:?}");
                holding.changed(change, Ok(()));
            });
            tokio::select! {
                biased;
                () = lost.cancelled() => {}
                () = watching => {}
            }
            assert!(began.elapsed() >= LONGEST, "{hours} h: {:?}", began.elapsed());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn d2_what_is_being_deleted_is_not_lost_by_a_delete_that_takes_long() {
        let holding = holding();
        let (number, lost) = take(&holding);
        let done = holding.done(number).unwrap();
        assert!(
            tokio::time::timeout(Duration::from_secs(60), holding.watch(|_| panic!("nothing to renew"))).await.is_err()
        );
        assert!(!lost.is_cancelled() && holding.until(number) > holding.setup.clock.instant(), "still tried");
        holding.deleted(done, Ok(()));
        assert_eq!(holding.count(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn r3_a_message_is_shown_to_others_no_sooner_than_asked_and_within_what_sqs_allows() {
        let holding = holding();
        let seconds = |after| {
            let (number, _) = take(&holding);
            whole_seconds(holding.shown(number, after).unwrap().after)
        };
        assert_eq!(seconds(Duration::ZERO), 0);
        assert_eq!(seconds(Duration::from_millis(1)), 1);
        assert_eq!(seconds(Duration::from_millis(1_001)), 2);
        assert_eq!(seconds(Duration::from_secs(86_400)), 42_600);
    }
}
