//! The database's side of projections and queues.

use std::time::SystemTime;

use async_trait::async_trait;
use tegami::{
    outbox::{DatabaseError, DatabaseErrorKind},
    projection::{Checkpoint, Checkpoints, Claim, Held, Id},
    records::{Counts, Kept, Queues, Sorting, Standing},
    store::Position,
};
use tokio::time::Instant;

use super::{Counter, LOOK, PATIENCE, Tx, fault};

impl Counter {
    /// Waits until no other transaction has it.
    async fn lock(&self, tx: &mut Tx, id: &Id) -> Result<(), DatabaseError> {
        let until = Instant::now() + PATIENCE;
        while !tx.lock(id) {
            if Instant::now() >= until {
                return Err(fault(DatabaseErrorKind::Busy));
            }
            self.world().sleep(1..LOOK).await;
        }
        Ok(())
    }

    async fn asked<T>(&self, answer: impl FnOnce() -> T) -> Result<T, DatabaseError> {
        self.ask().await?;
        let answer = answer();
        self.answer(answer, DatabaseErrorKind::Unreachable).await
    }
}

#[async_trait]
impl Checkpoints for Counter {
    async fn checkpoint(&self, id: &Id) -> Result<Option<Checkpoint>, DatabaseError> {
        self.asked(|| self.office.desk().shelves.checkpoint(id, &self.world().clock)).await
    }

    async fn checkpoint_in(&self, tx: &mut Tx, id: &Id) -> Result<Option<Checkpoint>, DatabaseError> {
        self.ask().await?;
        self.lock(tx, id).await?;
        let known = self.office.desk().shelves.checkpoint(id, &self.world().clock);
        self.answer(known, DatabaseErrorKind::Unreachable).await
    }

    async fn checkpoints(&self) -> Result<Vec<Checkpoint>, DatabaseError> {
        self.asked(|| self.office.desk().shelves.checkpoints(&self.world().clock)).await
    }

    async fn hold(&self, tx: &mut Tx, claim: &Claim) -> Result<Held, DatabaseError> {
        self.ask().await?;
        self.lock(tx, &claim.id).await?;
        let held = tx.hold(claim, Instant::now());
        self.answer(held, DatabaseErrorKind::Unreachable).await
    }

    async fn advance(&self, tx: &mut Tx, claim: &Claim, from: Position, to: Position) -> Result<bool, DatabaseError> {
        self.ask().await?;
        self.lock(tx, &claim.id).await?;
        let moved = tx.advance(claim, from, to);
        self.answer(moved, DatabaseErrorKind::Unreachable).await
    }

    async fn release(&self, tx: &mut Tx, claim: &Claim) -> Result<(), DatabaseError> {
        self.ask().await?;
        self.lock(tx, &claim.id).await?;
        tx.release(claim);
        self.answer((), DatabaseErrorKind::Unreachable).await
    }

    async fn rewind(&self, tx: &mut Tx, id: &Id) -> Result<(), DatabaseError> {
        self.ask().await?;
        self.lock(tx, id).await?;
        tx.rewind(id);
        self.answer((), DatabaseErrorKind::Unreachable).await
    }

    async fn remove_checkpoint(&self, _: &mut Tx, _: &Id) -> Result<bool, DatabaseError> {
        unreachable!("nobody here removes a checkpoint")
    }
}

#[async_trait]
impl Queues for Counter {
    async fn note(&self, tx: &mut Tx, queue: &str, done: &[Position], kept: &[Kept]) -> Result<(), DatabaseError> {
        self.ask().await?;
        tx.note(queue, done, kept);
        self.answer((), DatabaseErrorKind::Unreachable).await
    }

    async fn kept(&self, queue: &str) -> Result<Vec<Kept>, DatabaseError> {
        let waits = |kept: &&Kept| matches!(kept.standing, Standing::Waits | Standing::Begun);
        self.asked(|| self.office.desk().shelves.kept(queue).filter(waits).cloned().collect()).await
    }

    async fn back(&self, _: &str, _: usize) -> Result<Vec<Kept>, DatabaseError> {
        self.asked(Vec::new).await
    }

    async fn dead(&self, queue: &str, most: usize) -> Result<Vec<(u64, Kept)>, DatabaseError> {
        let dead = |kept: &&Kept| matches!(kept.standing, Standing::Dead(_));
        let numbered = |kept: &Kept| (kept.position.number(), kept.clone());
        self.asked(|| self.office.desk().shelves.kept(queue).filter(dead).take(most).map(numbered).collect()).await
    }

    async fn counts(&self, _: &str, _: SystemTime) -> Result<Counts, DatabaseError> {
        unreachable!("nobody here counts")
    }

    async fn last_dead(&self, _: &str) -> Result<u64, DatabaseError> {
        unreachable!("nobody here sorts")
    }

    async fn take_dead(
        &self,
        _: &mut Tx,
        _: &Sorting,
        _: (u64, u64),
        _: usize,
    ) -> Result<Vec<(u64, Kept)>, DatabaseError> {
        unreachable!("nobody here sorts")
    }

    async fn put_back(&self, _: &mut Tx, _: &Sorting, _: u64) -> Result<bool, DatabaseError> {
        unreachable!("nobody here sorts")
    }

    async fn drop_dead(&self, _: &mut Tx, _: &Sorting, _: u64) -> Result<bool, DatabaseError> {
        unreachable!("nobody here sorts")
    }

    async fn let_go(&self, _: &mut Tx, _: &Sorting) -> Result<(), DatabaseError> {
        unreachable!("nobody here sorts")
    }

    async fn delete_after(&self, _: &mut Tx, _: &str, _: Position) -> Result<u64, DatabaseError> {
        unreachable!("nobody here moves a queue")
    }
}
