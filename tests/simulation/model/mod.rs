//! What must hold at every step: a reference of queues, deliveries and services, small enough to be read.
//!
//! It is told what happened, never asks the library, and answers with the promise that was broken.

mod books;
mod crew;
mod hold;
mod posts;
mod queue;
mod reads;
mod rows;
mod ticks;

pub use queue::QueueFacts;
pub use rows::RelayFacts;
pub use ticks::ScheduleFacts;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use tegami::transport::Settlement;

use crate::happened::{Answer, Handed, Happened, How, Tag};
use books::Books;
use crew::Crew;
use hold::{Hold, Run};
use posts::Posted;
use queue::Queue;
use rows::Outbox;
use ticks::Ticks;

/// A step's answer: a broken promise, in words.
pub type Checked = Result<(), String>;

/// Breaks a promise unless it holds.
macro_rules! ensure {
    // A macro, because the words are made only when they are needed.
    ($holds:expr, $($words:tt)+) => {
        if !$holds {
            return Err(format!($($words)+));
        }
    };
}
pub(crate) use ensure;

/// What a simulation was worth, in numbers.
pub type Figures = [usize; 7];

/// Everything that is known.
pub struct Model {
    queues: Vec<Queue>,
    posts: BTreeMap<u64, Posted>,
    holds: BTreeMap<u64, Hold>,
    crews: BTreeMap<String, Crew>,
    outbox: Outbox,
    /// The messages whose effect is committed, by the number of their queue.
    effects: BTreeSet<(usize, u64)>,
    ticks: Ticks,
    books: Books,
}

/// What a world has of each kind.
pub struct Facts {
    pub queues: Vec<QueueFacts>,
    pub relays: RelayFacts,
    pub schedules: Vec<ScheduleFacts>,
}

impl Model {
    /// Nothing has happened yet.
    pub fn new(facts: Facts) -> Self {
        Self {
            queues: facts.queues.into_iter().map(Queue::new).collect(),
            posts: BTreeMap::new(),
            holds: BTreeMap::new(),
            crews: BTreeMap::new(),
            outbox: Outbox::new(facts.relays),
            effects: BTreeSet::new(),
            ticks: Ticks::new(facts.schedules),
            books: Books::default(),
        }
    }

    /// Sees a step.
    pub fn see(&mut self, now: Duration, happened: &Happened) -> Checked {
        match happened {
            Happened::Posted(post) => {
                self.post(now, post, false);
                Ok(())
            }
            Happened::Sending { number, by, id } => self.sending(now, *number, (by, id)),
            Happened::Stored { number, copy, spoiled } => self.stored(now, *number, (*copy, *spoiled)),
            Happened::Refused { number } => {
                self.outbox.refused(*number);
                Ok(())
            }
            Happened::Answered { number, answer } => self.answered(now, *number, *answer),
            Happened::Handed(handed) => self.handed(now, handed),
            Happened::Lost { tag, told } => self.lost(now, *tag, *told),
            Happened::Began { tag, attempt } => self.began(now, *tag, *attempt),
            Happened::Ended { tag, how } => self.ended(now, *tag, how),
            Happened::Settling { tag, settlement } => self.settling(now, *tag, settlement),
            Happened::Settled { tag, applied } => self.settled(now, *tag, *applied),
            Happened::Freed { tag } => self.freed(now, *tag),
            Happened::Started { by } => {
                self.crews.insert(by.clone(), Crew::default());
                Ok(())
            }
            Happened::Stopping { by, drain } => self.crew(by)?.stopping(now, *drain),
            Happened::Killed { by } => self.crew(by)?.killed(now),
            Happened::Stopped { by, ended } => {
                let mine: Vec<&Hold> = self.holds.values().filter(|hold| hold.by == *by).collect();
                let crew = self.crews.get_mut(by).ok_or("S1: it stopped before it started")?;
                let run = self.ticks.running(by);
                ensure!(run.is_none(), "S1: {by} has stopped, and a run goes on: {run:?}");
                crew.stopped(now, *ended, &mine)
            }
            Happened::Rows(step) => self.rows(now, step),
            Happened::Ticked(step) => self.ticks.see(now, step),
            Happened::Archived(step) => self.archived(now, step),
            Happened::Fault { .. } => Ok(()),
        }
    }

    /// Looks at what is left once all faults have stopped and everything has had its time; names the message.
    pub fn end(&self) -> Result<(), (String, Option<u64>)> {
        for (number, posted) in self.posts.iter().filter(|(_, posted)| posted.stored) {
            for (queue, known) in self.queues.iter().enumerate() {
                let Some(why) = known.open(*number) else { continue };
                let text = format!("D1: #{number}, answered {:?}, is {why} in queue {queue} at the end", posted.answer);
                return Err((text, Some(*number)));
            }
        }
        if let Some(number) = self.outbox.open() {
            return Err((format!("T2: #{number} is still in the outbox at the end"), Some(number)));
        }
        let is_dead = |number| self.outbox.is_parked(number) || self.queues.iter().any(|queue| queue.is_dead(number));
        if let Some(text) = self.books.open(is_dead) {
            return Err((text, None));
        }
        match self.holds.values().next() {
            None => Ok(()),
            Some(hold) => Err((format!("H2: {} is still in {} at the end", hold.tag, hold.by), Some(hold.tag.number))),
        }
    }

    /// How many messages were stored, completed and given up on, how many of them were in an outbox, how many effects and
    /// runs there were: for a look at what a simulation was worth.
    pub fn figures(&self) -> Figures {
        let stored = self.posts.values().filter(|posted| posted.stored).count();
        let [done, dead] = self.queues.iter().map(Queue::figures).fold([0, 0], |[a, b], [c, d]| [a + c, b + d]);
        [stored, done, dead, self.outbox.len(), self.effects.len(), self.ticks.len(), self.books.len()]
    }

    fn handed(&mut self, now: Duration, handed: &Handed) -> Checked {
        let Handed { tag, by, queue, .. } = handed;
        self.crew(by)?.may_take(now)?;
        let answer = self.posts.get(&tag.number).and_then(|posted| posted.answer);
        ensure!(answer != Some(Answer::Rejected), "P2: #{} was Rejected and is delivered", tag.number);
        let there = self.holds.values().filter(|hold| hold.by == *by && hold.queue == *queue).count();
        let known = &mut self.queues[*queue];
        let slots = known.facts.concurrency;
        known.hand_out(now, handed)?;
        ensure!(there < slots, "B1: {by} takes one more of queue {queue} than it has slots ({slots})");
        let spoiled = known.is_spoiled(*tag);
        self.holds.insert(tag.id, Hold::new(handed, spoiled));
        Ok(())
    }

    fn lost(&mut self, now: Duration, tag: Tag, told: bool) -> Checked {
        let hold = self.hold(tag)?;
        (hold.lost, hold.told) = (true, told.then_some(now));
        hold.in_time(now)?;
        let queue = hold.queue;
        self.queues[queue].come_back(tag);
        Ok(())
    }

    fn began(&mut self, now: Duration, tag: Tag, attempt: u32) -> Checked {
        let hold = self.hold(tag)?;
        hold.began(now, attempt)?;
        let (by, queue) = (hold.by.clone(), hold.queue);
        // A transactional handler begins once its transaction has begun.
        if !self.queues[queue].facts.inbox {
            self.crew(&by)?.may_begin(now)?;
        }
        let facts = &self.queues[queue].facts;
        let (most, slots) = (facts.retry.attempts(), facts.concurrency);
        ensure!(attempt <= most, "D4: {tag} is tried {attempt} times, the plan has {most}");
        ensure!(facts.wants(tag.number), "D5: {tag} is handled, and the subscription does not want it");
        let running = self.holds.values().filter(|hold| hold.queue == queue && matches!(hold.run, Run::Going(_)));
        let here = running.filter(|hold| hold.by == by).count();
        ensure!(here <= slots, "B1: {here} handlers of queue {queue} run in {by}, {slots} may");
        if facts.ordered { self.alone(tag, queue) } else { Ok(()) }
    }

    /// No other handler of its key runs. (One whose delivery the broker has taken back may: nothing here hinders it.)
    fn alone(&self, tag: Tag, queue: usize) -> Checked {
        let key = |tag: Tag| self.posts.get(&tag.number).map(|posted| &posted.post.key);
        let is_held = |hold: &&Hold| hold.queue == queue && !hold.lost;
        let mut held = self.holds.values().filter(is_held);
        if !held.clone().any(|hold| hold.tag == tag) {
            return Ok(());
        }
        let beside =
            held.find(|hold| hold.tag != tag && matches!(hold.run, Run::Going(_)) && key(hold.tag) == key(tag));
        beside.map_or(Ok(()), |other| Err(format!("O2: {tag} runs beside {} of its key", other.tag)))
    }

    fn ended(&mut self, now: Duration, tag: Tag, how: &How) -> Checked {
        let queue = self.hold(tag)?.queue;
        let QueueFacts { timeout, inbox, .. } = self.queues[queue].facts;
        let hold = self.hold(tag)?;
        hold.ended(now, how, timeout)?;
        // In a transaction, nothing is done before its commit.
        if hold.is_done() && !inbox { self.queues[queue].completed(tag) } else { Ok(()) }
    }

    fn settling(&mut self, now: Duration, tag: Tag, settlement: &Settlement) -> Checked {
        let hold = self.holds.get_mut(&tag.id).ok_or_else(|| gone(tag))?;
        let cut = self.crews.get(&hold.by).is_some_and(|crew| crew.cut_before(now));
        let queue = &mut self.queues[hold.queue];
        let known = queue.facts.inbox && self.effects.contains(&(hold.queue, tag.number));
        if known {
            queue.is_known(tag);
        }
        if let Settlement::Retry { after } = settlement {
            queue.put_off(tag, now + *after);
        }
        hold.settling(now, settlement, &queue.facts, (cut, known))?;
        // Fed from the store, the next attempt may come before the last one's end is written down.
        if queue.facts.is_read {
            queue.come_back(tag);
        }
        Ok(())
    }

    fn settled(&mut self, now: Duration, tag: Tag, applied: bool) -> Checked {
        let hold = self.hold(tag)?;
        hold.settled = true;
        let (queue, settlement) = (hold.queue, hold.settlement.clone().filter(|_| applied && !hold.lost));
        match settlement {
            Some(settlement) => self.queues[queue].settle(now, tag, &settlement),
            None => {
                self.queues[queue].come_back(tag);
                self.queues[queue].is_not_put_off(tag);
                Ok(())
            }
        }
    }

    fn freed(&mut self, now: Duration, tag: Tag) -> Checked {
        let hold = self.holds.remove(&tag.id).ok_or("freed twice")?;
        if !hold.settled {
            self.queues[hold.queue].come_back(tag);
        }
        hold.freed(now)
    }

    fn hold(&mut self, tag: Tag) -> Result<&mut Hold, String> {
        self.holds.get_mut(&tag.id).ok_or_else(|| gone(tag))
    }

    fn crew(&mut self, by: &str) -> Result<&mut Crew, String> {
        self.crews.get_mut(by).ok_or_else(|| format!("D5: {by} has not started"))
    }
}

fn gone(tag: Tag) -> String {
    format!("D2: {tag} is no longer in the service")
}
