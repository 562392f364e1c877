//! One delivery while a service has it: what its handler did, and which settlement follows from that.

use std::time::Duration;

use tegami::transport::{ReasonKind, Settlement};

use super::{Checked, QueueFacts, ensure};
use crate::happened::{Handed, How, Shown, Tag};

/// Until a handler is dropped that was told to end.
const CUT_OFF_TIME: Duration = Duration::from_secs(5);
/// The longest a settlement may go without an answer (N3).
const SETTLE_TIME: Duration = Duration::from_secs(10);
/// What the timers of tokio round up to.
const TICK: Duration = Duration::from_millis(2);

/// A delivery in a service.
pub struct Hold {
    pub tag: Tag,
    pub by: String,
    pub queue: usize,
    pub run: Run,
    /// The broker has taken it back.
    pub lost: bool,
    /// When the service was told so.
    pub told: Option<Duration>,
    /// When somebody else took the queue, by when it must have been.
    pub taken: Option<Duration>,
    spoiled: bool,
    pub settlement: Option<Settlement>,
    /// The broker has taken the answer, or has not.
    pub settled: bool,
    attempt: u32,
    settling: Duration,
}

/// What became of its handler.
#[derive(Debug, PartialEq, Eq)]
pub enum Run {
    NotBegun,
    /// Since then.
    Going(Duration),
    /// So, after so long.
    Over(How, Duration),
}

impl Hold {
    pub fn new(handed: &Handed, spoiled: bool) -> Self {
        let Handed { tag, by, queue, attempt, .. } = handed.clone();
        let (run, settling) = (Run::NotBegun, Duration::ZERO);
        let (lost, told, taken, settlement, settled) = (false, None, None, None, false);
        Self { tag, by, queue, run, lost, told, taken, spoiled, settlement, settled, attempt, settling }
    }

    pub fn began(&mut self, now: Duration, attempt: u32) -> Checked {
        ensure!(!self.spoiled, "X3: {} cannot be read and is handled", self.tag);
        ensure!(self.run == Run::NotBegun, "D4: {} is handled twice in one delivery", self.tag);
        ensure!(self.settlement.is_none(), "D2: {} is settled before its handler", self.tag);
        ensure!(self.attempt == attempt, "D4: {} says attempt {attempt}, is {}", self.tag, self.attempt);
        self.run = Run::Going(now);
        Ok(())
    }

    pub fn ended(&mut self, now: Duration, how: &How, timeout: Duration) -> Checked {
        let Run::Going(since) = self.run else { return Err(format!("{} ends without a beginning", self.tag)) };
        let took = now - since;
        ensure!(took <= timeout + TICK, "L4: the handler of {} ran for {took:?}, may for {timeout:?}", self.tag);
        self.in_time(now)?;
        let lost = self.told.map(|told| now.saturating_sub(told));
        let in_time = lost.is_none_or(|lost| lost <= CUT_OFF_TIME + TICK);
        ensure!(in_time, "L2: the handler of {} runs on for {lost:?}, and its delivery is lost", self.tag);
        self.run = Run::Over(how.clone(), took);
        Ok(())
    }

    /// Was it told before somebody else took its queue?
    pub fn in_time(&self, now: Duration) -> Checked {
        let late = self.taken.filter(|taken| self.told.unwrap_or(now) > *taken + TICK);
        ensure!(late.is_none(), "L2: the handler of {} was not told when another took its queue", self.tag);
        Ok(())
    }

    pub fn is_done(&self) -> bool {
        matches!(self.run, Run::Over(How::Done, _))
    }

    /// Is this the settlement that follows from the run? `cut`: the service's handlers have been let go of; `known`: the
    /// message's effect is committed.
    pub fn settling(
        &mut self,
        now: Duration,
        settlement: &Settlement,
        facts: &QueueFacts,
        (cut, known): (bool, bool),
    ) -> Checked {
        let (tag, run) = (self.tag, &self.run);
        ensure!(self.settlement.is_none(), "D2: {tag} is settled twice");
        let gone = cut || self.told.is_some_and(|told| now >= told + CUT_OFF_TIME);
        let released = gone && matches!(settlement, Settlement::Release);
        let follows = match run {
            Run::Going(_) => false,
            _ if self.spoiled => is_dead(settlement, ReasonKind::Undecodable, self.attempt),
            Run::NotBegun if !facts.wants(tag.number) => matches!(settlement, Settlement::Ack),
            Run::NotBegun | Run::Over(How::Done, _) if facts.inbox => {
                let done = known && matches!(settlement, Settlement::Ack);
                done || released || self.is_without_answer(settlement, facts)
            }
            Run::NotBegun => released,
            Run::Over(How::Done, _) => matches!(settlement, Settlement::Ack),
            Run::Over(How::Refused, _) => is_dead(settlement, ReasonKind::Permanent, self.attempt),
            Run::Over(How::Failed(after), _) => self.is_failed(settlement, facts, (ReasonKind::HandlerError, *after)),
            Run::Over(How::Panicked, _) => self.is_failed(settlement, facts, (ReasonKind::HandlerPanic, None)),
            Run::Over(How::Dropped, took) => {
                let late = facts.inbox || *took >= facts.timeout;
                released || (late && self.is_failed(settlement, facts, (ReasonKind::HandlerTimeout, None)))
            }
        };
        ensure!(follows, "R1: {tag} ({run:?}, attempt {}) is settled as: {}", self.attempt, Shown(settlement));
        (self.settlement, self.settling) = (Some(settlement.clone()), now);
        Ok(())
    }

    /// The database did not answer, or not in time.
    fn is_without_answer(&self, settlement: &Settlement, facts: &QueueFacts) -> bool {
        let causes = [ReasonKind::HandlerError, ReasonKind::HandlerTimeout];
        causes.into_iter().any(|cause| self.is_failed(settlement, facts, (cause, None)))
    }

    /// A failed attempt leads to the plan's retry, or after the last to a dead letter for this cause.
    fn is_failed(&self, settlement: &Settlement, facts: &QueueFacts, why: (ReasonKind, Option<Duration>)) -> bool {
        let delays = facts.retry.delays();
        let Some(delay) = delays.get(self.attempt as usize - 1) else {
            return is_dead(settlement, why.0, self.attempt);
        };
        let least = why.1.unwrap_or(*delay);
        // R2: jitter only lengthens, by a quarter at most.
        matches!(settlement, Settlement::Retry { after } if (least..=least.mul_f64(1.25)).contains(after))
    }

    /// May it leave the service so?
    pub fn freed(self, now: Duration) -> Checked {
        let (tag, took) = (self.tag, now.saturating_sub(self.settling));
        ensure!(!matches!(self.run, Run::Going(_)), "B1: {tag} leaves while its handler runs");
        let Some(_) = self.settlement else {
            let begun = self.run != Run::NotBegun;
            ensure!(!begun, "D2: {tag} ({:?}) leaves without being settled", self.run);
            return Ok(());
        };
        ensure!(took <= SETTLE_TIME + TICK, "N3: {tag} waits {took:?} for the answer to its settlement");
        ensure!(self.settled || took >= SETTLE_TIME, "N3: {tag} leaves after {took:?} without an answer");
        Ok(())
    }
}

fn is_dead(settlement: &Settlement, why: ReasonKind, attempt: u32) -> bool {
    matches!(settlement, Settlement::DeadLetter(reason) if reason.kind == why && reason.attempts == attempt)
}
