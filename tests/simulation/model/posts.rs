//! Messages on their way in: by a publisher, or by an outbox and a relay.

use std::time::Duration;

use super::{Checked, Model, ensure, hold::Run, queue::Queue, reads::Noted};
use crate::{
    happened::{Answer, Archived, Kept, Post, Rows, Tag},
    reading::RECORDED,
};

/// A message that somebody published.
pub struct Posted {
    pub post: Post,
    at: Duration,
    /// It goes by the outbox.
    kept: bool,
    pub stored: bool,
    pub answer: Option<Answer>,
}

impl Model {
    pub(super) fn post(&mut self, now: Duration, post: &Post, kept: bool) {
        let posted = Posted { post: post.clone(), at: now, kept, stored: false, answer: None };
        self.posts.insert(post.number, posted);
    }

    pub(super) fn sending(&mut self, now: Duration, number: u64, (by, id): (&str, &str)) -> Checked {
        let posted = self.posts.get(&number).ok_or_else(|| format!("T1: #{number} is sent and was not committed"))?;
        if posted.kept {
            self.crew(by)?.may_send(now)?;
        }
        self.outbox.sending(now, number, (by, id))
    }

    pub(super) fn stored(&mut self, now: Duration, number: u64, (copy, spoiled): (u64, bool)) -> Checked {
        let posted = self.posts.get_mut(&number).ok_or("D5: nobody published it")?;
        ensure!(posted.kept || !posted.stored, "P2: #{number} is stored twice");
        ensure!(posted.answer.is_none(), "P2: #{number} is stored after its answer");
        posted.stored = true;
        let (post, kept) = (posted.post.clone(), posted.kept);
        if kept {
            self.outbox.stored(number)?
        } else {
            self.in_turn(&post)?
        }
        let fed = self.queues.iter_mut().filter(|queue| !queue.facts.is_read);
        fed.for_each(|queue| queue.store(&post, (copy, spoiled), now));
        Ok(())
    }

    /// Something becomes of recorded events, or of what is made of them.
    pub(super) fn archived(&mut self, now: Duration, step: &Archived) -> Checked {
        self.books.see(now, step)?;
        match step {
            Archived::Recorded { position, key, ordered, .. } => {
                self.recorded(now, RECORDED + position, (key, *ordered));
                Ok(())
            }
            Archived::Held { what, by } => {
                self.taken(now, what, by);
                Ok(())
            }
            Archived::Noted { queue, by, done, kept, dead, to } => {
                let Some(queue) = self.read(queue) else { return Ok(()) };
                self.queues[queue].noted(by, &Noted { done, kept, dead, to: *to })
            }
            Archived::Timed { gone, .. } => {
                self.outbox.gone(gone);
                Ok(())
            }
            Archived::Projected { .. } | Archived::Rewound { .. } => Ok(()),
        }
    }

    fn recorded(&mut self, now: Duration, number: u64, (key, ordered): (&str, bool)) {
        let (by, key, delay, within) = ("the store".to_owned(), key.to_owned(), Duration::ZERO, Duration::MAX);
        let post = Post { number, by, key, ordered, delay, within };
        let reading = self.queues.iter_mut().filter(|queue| queue.facts.is_read);
        reading.for_each(|queue| queue.store(&post, (number, false), now));
        let posted = Posted { post, at: now, kept: true, stored: true, answer: None };
        self.posts.insert(number, posted);
    }

    /// Somebody takes a queue: whoever had it must know by now.
    fn taken(&mut self, now: Duration, what: &str, by: &str) {
        let Some(queue) = self.read(what) else { return };
        if !self.queues[queue].is_taken(by) {
            return;
        }
        for hold in self.holds.values_mut().filter(|hold| hold.queue == queue && hold.by != by) {
            hold.lost = true;
            // Nobody tells what is left of a process that is gone.
            let lives = self.crews.get(&hold.by).is_some_and(|crew| !crew.killed);
            if lives && matches!(hold.run, Run::Going(_)) {
                hold.taken = Some(now);
            }
        }
    }

    /// The queue of this name that is fed from the store: there is one for each kind of letter.
    fn read(&self, name: &str) -> Option<usize> {
        let ordered = name.contains("Filed");
        let is_it = |queue: &Queue| queue.facts.is_read && queue.facts.ordered == ordered;
        self.queues.iter().position(is_it).filter(|_| name.contains("reading"))
    }

    pub(super) fn rows(&mut self, now: Duration, step: &Rows) -> Checked {
        match step {
            Rows::Committed { kept, effect, .. } => {
                for Kept { post, .. } in kept {
                    self.post(now, post, true);
                }
                kept.iter().for_each(|kept| self.outbox.committed(kept));
                effect.map_or(Ok(()), |tag| self.effect(tag))
            }
            Rows::Taken { by, numbers } => {
                self.outbox.taken(now, by, numbers);
                Ok(())
            }
            Rows::Told { number, fate, .. } => self.outbox.told(*number, fate),
        }
    }

    /// What a handler did in its transaction is committed.
    pub(super) fn effect(&mut self, tag: Tag) -> Checked {
        let hold = self.hold(tag)?;
        let (queue, done) = (hold.queue, hold.is_done());
        ensure!(done, "T1: the effect of {tag} is committed, and its handler has not succeeded");
        ensure!(self.effects.insert((queue, tag.number)), "I1: the effect of {tag} is there twice");
        self.queues[queue].completed(tag)
    }

    /// Where order is kept, one publisher's messages of one key are stored as they were published.
    pub(super) fn in_turn(&self, post: &Post) -> Checked {
        let mut later = self.posts.range(post.number + 1..).filter(|(_, other)| {
            let both = post.ordered && other.post.ordered && !other.kept;
            other.stored && both && other.post.by == post.by && other.post.key == post.key
        });
        later.next().map_or(Ok(()), |(later, _)| Err(format!("O2: #{} is stored after #{later}", post.number)))
    }

    pub(super) fn answered(&mut self, now: Duration, number: u64, answer: Answer) -> Checked {
        let posted = self.posts.get_mut(&number).ok_or("an answer to nothing")?;
        posted.answer = Some(answer);
        ensure!(answer != Answer::Ok || posted.stored, "P1: #{number} is Ok and was not stored");
        ensure!(answer != Answer::Rejected || !posted.stored, "P2: #{number} is Rejected and was stored");
        let took = now - posted.at;
        ensure!(took <= posted.post.within, "P3: #{number} had no answer for {took:?}");
        Ok(())
    }
}
