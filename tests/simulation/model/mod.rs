//! What must hold at every step: a reference of queues, deliveries and services, small enough to be read.
//!
//! It is told what happened, never asks the library, and answers with the promise that was broken.

mod crew;
mod hold;
mod queue;

pub use queue::QueueFacts;

use std::{collections::BTreeMap, time::Duration};

use tegami::transport::Settlement;

use crate::happened::{Answer, Handed, Happened, How, Post, Tag};
use crew::Crew;
use hold::{Hold, Run};
use queue::Queue;

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

/// Everything that is known.
pub struct Model {
    queues: Vec<Queue>,
    posts: BTreeMap<u64, Posted>,
    holds: BTreeMap<u64, Hold>,
    crews: BTreeMap<String, Crew>,
}

struct Posted {
    post: Post,
    at: Duration,
    stored: bool,
    answer: Option<Answer>,
}

impl Model {
    /// Nothing has happened yet.
    pub fn new(queues: impl IntoIterator<Item = QueueFacts>) -> Self {
        let queues = queues.into_iter().map(Queue::new).collect();
        Self { queues, posts: BTreeMap::new(), holds: BTreeMap::new(), crews: BTreeMap::new() }
    }

    /// Sees a step.
    pub fn see(&mut self, now: Duration, happened: &Happened) -> Checked {
        match happened {
            Happened::Posted(post) => {
                let posted = Posted { post: post.clone(), at: now, stored: false, answer: None };
                self.posts.insert(post.number, posted);
                Ok(())
            }
            Happened::Stored { number } => self.stored(now, *number),
            Happened::Answered { number, answer } => self.answered(now, *number, *answer),
            Happened::Handed(handed) => self.handed(now, handed),
            Happened::Lost { tag } => self.lost(*tag),
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
                crew.stopped(now, *ended, &mine)
            }
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
        match self.holds.values().next() {
            None => Ok(()),
            Some(hold) => Err((format!("H2: {} is still in {} at the end", hold.tag, hold.by), Some(hold.tag.number))),
        }
    }

    /// How many messages were stored, completed and given up on, for a look at what a run was worth.
    pub fn figures(&self) -> [usize; 3] {
        let stored = self.posts.values().filter(|posted| posted.stored).count();
        let [done, dead] = self.queues.iter().map(Queue::figures).fold([0, 0], |[a, b], [c, d]| [a + c, b + d]);
        [stored, done, dead]
    }

    fn stored(&mut self, now: Duration, number: u64) -> Checked {
        let posted = self.posts.get_mut(&number).ok_or("D5: nobody published it")?;
        ensure!(!posted.stored, "P2: #{number} is stored twice");
        ensure!(posted.answer.is_none(), "P2: #{number} is stored after its answer");
        posted.stored = true;
        let post = posted.post.clone();
        self.in_turn(&post)?;
        self.queues.iter_mut().try_for_each(|queue| queue.store(&post, now))
    }

    /// Where order is kept, one publisher's messages of one key are stored as they were published.
    fn in_turn(&self, post: &Post) -> Checked {
        let mut later = self.posts.range(post.number + 1..).filter(|(_, other)| {
            other.stored && post.ordered && other.post.ordered && other.post.by == post.by && other.post.key == post.key
        });
        later.next().map_or(Ok(()), |(later, _)| Err(format!("O2: #{} is stored after #{later}", post.number)))
    }

    fn answered(&mut self, now: Duration, number: u64, answer: Answer) -> Checked {
        let posted = self.posts.get_mut(&number).ok_or("an answer to nothing")?;
        posted.answer = Some(answer);
        ensure!(answer != Answer::Ok || posted.stored, "P1: #{number} is Ok and was not stored");
        ensure!(answer != Answer::Rejected || !posted.stored, "P2: #{number} is Rejected and was stored");
        let took = now - posted.at;
        ensure!(took <= posted.post.within, "P3: #{number} had no answer for {took:?}");
        Ok(())
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
        self.holds.insert(tag.id, Hold::new(handed));
        Ok(())
    }

    fn lost(&mut self, tag: Tag) -> Checked {
        let hold = self.hold(tag)?;
        hold.lost = true;
        let queue = hold.queue;
        self.queues[queue].come_back(tag);
        Ok(())
    }

    fn began(&mut self, now: Duration, tag: Tag, attempt: u32) -> Checked {
        let hold = self.hold(tag)?;
        hold.began(now, attempt)?;
        let (by, queue) = (hold.by.clone(), hold.queue);
        self.crew(&by)?.may_begin(now)?;
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
        let timeout = self.queues[queue].facts.timeout;
        let hold = self.hold(tag)?;
        hold.ended(now, how, timeout)?;
        if hold.is_done() { self.queues[queue].completed(tag.number) } else { Ok(()) }
    }

    fn settling(&mut self, now: Duration, tag: Tag, settlement: &Settlement) -> Checked {
        let hold = self.holds.get_mut(&tag.id).ok_or_else(|| gone(tag))?;
        let cut = self.crews.get(&hold.by).is_some_and(|crew| crew.cut_before(now));
        hold.settling(now, settlement, &self.queues[hold.queue].facts, cut)
    }

    fn settled(&mut self, now: Duration, tag: Tag, applied: bool) -> Checked {
        let hold = self.hold(tag)?;
        hold.settled = true;
        let (queue, settlement) = (hold.queue, hold.settlement.clone().filter(|_| applied && !hold.lost));
        match settlement {
            Some(settlement) => self.queues[queue].settle(now, tag, &settlement),
            None => {
                self.queues[queue].come_back(tag);
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
