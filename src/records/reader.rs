//! The task that has a queue for its consumer: takes it, notes what became of its events, says that it goes on, and gives
//! it up.
//!
//! Any number of readers may be there for one queue; one of them has it, the others wait for their turn.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    Pace,
    desk::Desk,
    queues::{Queues, id_of},
    state::Batch,
};
use crate::{
    error::told,
    failpoint::{self, Point},
    outbox::{DatabaseError, DatabaseErrorKind},
    projection::{self, Astray, Checkpoint, Claim, Held, LONGEST},
    store::{Position, Store, StoreError},
    time::{Dice, Wall, backoff},
};

/// Has one queue, or waits for it.
pub(super) struct Reader<D> {
    pub(super) desk: Arc<Desk>,
    pub(super) database: D,
    pub(super) store: Store,
    pub(super) queue: String,
    /// Who it is among all readers.
    pub(super) id: String,
    pub(super) pace: Pace,
    pub(super) dice: Dice,
    pub(super) wall: Wall,
}

/// What a turn came to.
enum Turn {
    /// The queue is this reader's; it looks again by then, or when something is to be noted.
    Has,
    /// Somebody else has it.
    Waits,
    /// It is this reader's no more.
    Lost,
    /// It is given up.
    End,
}

/// Since when the queue is this reader's.
#[derive(Default)]
struct Hold {
    /// Until when, by its own clock; none, if it is not.
    until: Option<Instant>,
    /// When it looked for what was put back.
    looked: Option<Instant>,
}

impl Hold {
    /// How much longer the queue is this reader's, if it is: those that handle it are told at once when that is over.
    fn left(&self, now: Instant) -> Option<Duration> {
        self.until.map(|until| until.saturating_duration_since(now))
    }
}

impl<D: Queues> Reader<D> {
    /// Works until the transport is closed, or nobody consumes any more and what was handed out is settled.
    pub(super) async fn run(self) {
        // Also where it panics: its consumer then begins anew.
        let _ended = self.desk.ended.clone().drop_guard();
        let (mut hold, mut failures) = (Hold::default(), 0);
        loop {
            let turn = self.turn(&mut hold).await;
            let wait = match turn {
                Ok(Turn::End) => return,
                Ok(turn) => self.went(turn, &mut hold, &mut failures),
                Err(error) => {
                    failures += 1;
                    if self.desk.closed.is_cancelled() {
                        return self.cannot_end(&error);
                    }
                    self.failed(&error, failures)
                }
            };
            let left = hold.left(self.desk.clock.instant());
            self.rest(left.map_or(wait, |left| left.min(wait)), failures == 0).await;
        }
    }

    fn went(&self, turn: Turn, hold: &mut Hold, failures: &mut u32) -> Duration {
        if std::mem::take(failures) > 0 {
            tracing::info!(queue = self.queue, "the queue goes on");
        }
        self.desk.has_trouble(None);
        match turn {
            Turn::Lost => {
                tracing::warn!(queue = self.queue, "somebody else has the queue now; waits for it");
                self.lose(hold);
                self.pace.poll
            }
            _ => self.pace.poll.min(self.pace.hold / 3),
        }
    }

    fn lose(&self, hold: &mut Hold) {
        *hold = Hold::default();
        self.desk.lose();
    }

    fn failed(&self, error: &DatabaseError, failures: u32) -> Duration {
        let (queue, reason, wait) = (&self.queue, told(error), backoff(failures, &self.dice));
        tracing::warn!(queue, reason, ?wait, "cannot go on with the queue; will try again");
        self.desk.has_trouble(Some(format!("queue `{queue}` does not go on: {reason}")));
        wait
    }

    fn cannot_end(&self, error: &DatabaseError) {
        let (queue, error) = (&self.queue, error.with_causes());
        tracing::warn!(queue, error, "the last events may be handled again, and others get the queue after the hold");
    }

    async fn rest(&self, wait: Duration, at_work: bool) {
        tokio::select! {
            biased;
            () = self.desk.closed.cancelled() => {}
            () = self.desk.work.notified(), if at_work => {}
            () = tokio::time::sleep(wait) => {}
        }
    }

    async fn turn(&self, hold: &mut Hold) -> Result<Turn, DatabaseError> {
        let ends = self.desk.closed.is_cancelled() || self.desk.left.is_cancelled() && !self.desk.state().is_out();
        let Some(until) = hold.until else {
            return if ends { Ok(Turn::End) } else { self.take(hold).await };
        };
        let now = self.desk.clock.instant();
        if now >= until {
            return Ok(Turn::Lost);
        }
        let noting = tokio::time::timeout_at(until, self.note(hold, ends));
        let Ok(noted) = noting.await else { return Ok(Turn::Lost) };
        let turn = noted?;
        if let Turn::Has = turn
            && hold.looked.is_none_or(|looked| looked + self.pace.poll <= now)
        {
            let until = hold.until.unwrap_or(until);
            let Ok(looked) = tokio::time::timeout_at(until, self.look_for_those_that_are_back()).await else {
                return Ok(Turn::Lost);
            };
            looked?;
            hold.looked = Some(now);
        }
        Ok(turn)
    }

    /// Takes the queue, unless somebody else has it.
    async fn take(&self, hold: &mut Hold) -> Result<Turn, DatabaseError> {
        let known = self.database.checkpoint(&id_of(&self.queue)).await?;
        let now = self.wall.now();
        let is_anothers = |known: &Checkpoint| {
            let is_held = known.held_until > now && known.held_until <= now + LONGEST;
            is_held && known.projector.as_ref().is_some_and(|other| *other != self.id)
        };
        if known.as_ref().is_some_and(is_anothers) {
            return Ok(Turn::Waits);
        }
        // Whoever has a transaction asks on no other connection: all who have one would wait for each other.
        let mark = place(known.as_ref());
        if let Some(found) = projection::look(mark, &self.store).await.map_err(of_store)? {
            return self.stand_still(mark, found).await;
        }
        let said = self.desk.clock.instant();
        let mut tx = self.database.begin().await?;
        // As it was until then, and cannot change any more before the commit.
        let before = self.database.checkpoint_in(&mut tx, &id_of(&self.queue)).await?;
        let is_known = known.is_some() == before.is_some() && place(before.as_ref()) == mark;
        if !is_known || self.database.hold(&mut tx, &self.claim()).await? != Held::Here(mark) {
            return Ok(Turn::Waits);
        }
        self.database.commit(tx).await?;
        hold.until = Some(self.begin(said, mark, before).await?);
        self.desk.ready.notify_one();
        Ok(Turn::Has)
    }

    /// The queue is this reader's from then on, and was as it was before; until when it is.
    async fn begin(&self, said: Instant, mark: Position, before: Option<Checkpoint>) -> Result<Instant, DatabaseError> {
        // One that was not given up was being read when its reader ended.
        let seen_before = match before.and_then(|before| before.projector) {
            Some(_) => projection::end(&self.store).await.map_err(of_store)?,
            None => Position::START,
        };
        let kept = self.database.kept(&self.queue).await?;
        let queue = &self.queue;
        tracing::info!(queue, position = %mark, kept = kept.len(), "reads the queue");
        let until = said + self.pace.hold;
        let suspects = {
            let mut state = self.desk.state();
            state.begin(until, (mark, seen_before), kept);
            state.suspects()
        };
        if suspects > 0 {
            tracing::warn!(
                queue,
                suspects,
                "whoever had these events ended: each is tried alone, and counted as an attempt"
            );
        }
        Ok(until)
    }

    /// A mark that is not one of the store as it is now is noted as that.
    async fn stand_still(&self, mark: Position, found: Astray) -> Result<Turn, DatabaseError> {
        if let Some(to) = found.mark {
            let (claim, mut tx) = (self.claim(), self.database.begin().await?);
            if self.database.hold(&mut tx, &claim).await? != Held::Here(mark)
                || !self.database.advance(&mut tx, &claim, mark, to).await?
            {
                return Ok(Turn::Waits);
            }
            self.database.release(&mut tx, &claim).await?;
            self.database.commit(tx).await?;
        }
        Err(mistake(&self.queue, found.was))
    }

    /// Notes what became of events, and says that it goes on, or that it ends.
    async fn note(&self, hold: &mut Hold, ends: bool) -> Result<Turn, DatabaseError> {
        let said = self.desk.clock.instant();
        let is_due = hold.until.is_none_or(|until| said + self.pace.hold * 2 / 3 >= until);
        if !ends && !is_due && !self.desk.state().is_dirty() {
            return Ok(Turn::Has);
        }
        let (batch, mark) = {
            let mut state = self.desk.state();
            let mark = state.mark;
            (state.batch(ends), mark)
        };
        let pending = Pending { desk: &self.desk, batch: Some(batch) };
        let Some(noted) = self.transact(pending, mark, ends).await? else { return Ok(Turn::Lost) };
        let until = said + self.pace.hold;
        self.desk.noted(&noted, until);
        hold.until = Some(until);
        if ends {
            self.desk.lose();
            return Ok(Turn::End);
        }
        Ok(Turn::Has)
    }

    /// One transaction: hold, what became of events, mark. None, if the queue is not this reader's, or was moved.
    async fn transact(
        &self,
        mut pending: Pending<'_>,
        mark: Position,
        ends: bool,
    ) -> Result<Option<Batch>, DatabaseError> {
        let (database, claim) = (&self.database, self.claim());
        let Some(batch) = &pending.batch else { return Ok(None) };
        let mut tx = database.begin().await?;
        // Of one whose outcome was unknown, the mark may have moved on.
        let at = match database.hold(&mut tx, &claim).await? {
            Held::Here(at) if at >= mark && at <= batch.to => at,
            _ => return Ok(None),
        };
        passed(Point::RecordsHeld)?;
        database.note(&mut tx, &self.queue, &batch.done, &batch.kept).await?;
        passed(Point::RecordsNoted)?;
        if batch.to > at && !database.advance(&mut tx, &claim, at, batch.to).await? {
            return Ok(None);
        }
        if ends {
            self.give_up(&mut tx, &claim).await?;
        }
        passed(Point::RecordsBeforeCommit)?;
        database.commit(tx).await?;
        passed(Point::RecordsAfterCommit)?;
        Ok(pending.batch.take())
    }

    /// The next may have the queue at once. Where somebody has seen what this one has not come to, it finds the queue as one
    /// that was never given up: nothing else tells it that these may come again.
    async fn give_up(&self, tx: &mut D::Tx, claim: &Claim) -> Result<(), DatabaseError> {
        if self.desk.state().knows_of_more() {
            let ended = Claim { hold: Duration::ZERO, ..claim.clone() };
            return self.database.hold(tx, &ended).await.map(drop);
        }
        self.database.release(tx, claim).await
    }

    /// Dead letters that somebody put back, here or elsewhere.
    async fn look_for_those_that_are_back(&self) -> Result<(), DatabaseError> {
        let room = self.desk.state().room();
        let back = self.database.back(&self.queue, room).await?;
        if !back.is_empty() {
            self.desk.state().come_back(back);
            self.desk.work.notify_one();
            self.desk.ready.notify_one();
        }
        Ok(())
    }

    fn claim(&self) -> Claim {
        Claim::new(id_of(&self.queue), &*self.id, self.pace.hold, self.wall.now())
    }
}

/// What a transaction is to note: if it fails, or is dropped, the next one is to.
struct Pending<'a> {
    desk: &'a Desk,
    batch: Option<Batch>,
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if let Some(batch) = self.batch.take() {
            self.desk.state().not_noted(batch);
        }
    }
}

/// Where a queue is; one that is not there is at the start.
fn place(known: Option<&Checkpoint>) -> Position {
    known.map_or(Position::START, |known| known.position)
}

/// Why nothing of the queue is handled.
fn mistake(queue: &str, was: Position) -> DatabaseError {
    let text = format!(
        "queue `{queue}` had come to {was} when its store ended before that: the store was brought back to an earlier state, \
         or is another one. Nothing is handled, for what is recorded up to there since would be left out: tell it by \
         `Records::go_on_after` where to go on, or remove it"
    );
    DatabaseError::new(DatabaseErrorKind::Damaged, text)
}

pub(super) fn of_store(error: StoreError) -> DatabaseError {
    let kind = if error.is_transient() { DatabaseErrorKind::Unreachable } else { DatabaseErrorKind::Damaged };
    error.of_kind(kind)
}

/// A failure at this point looks as if the database had not answered.
fn passed(point: Point) -> Result<(), DatabaseError> {
    failpoint::hit(point).map_err(|struck| {
        DatabaseError::new(DatabaseErrorKind::Unreachable, "the reader was cut short").caused_by(struck)
    })
}
