//! Events that queues gave up on: looked at, put back, deleted.

use std::time::Duration;

use super::{
    intake::recorded,
    opening::sealed,
    queues::{Kept, Queues, Sorting, Standing},
    reader::of_store,
};
use crate::{
    outbox::DatabaseError,
    store::Store,
    time::Wall,
    transport::{DeadLetter, Fate, Reason, ReasonKind, Sorter},
};

/// How many are looked at in one go.
const AT_ONCE: usize = 100;
/// How long nobody else gets what one sorter has taken: longer than it takes to decide on them.
const HOLD: Duration = Duration::from_secs(5 * 60);

/// The dead letters of a queue.
pub(super) struct Dead<'a, D> {
    pub(super) database: &'a D,
    pub(super) store: &'a Store,
    pub(super) queue: &'a str,
    pub(super) sorter: String,
    pub(super) wall: &'a Wall,
}

impl<D: Queues> Dead<'_, D> {
    /// Those of now, oldest first, at most so many.
    pub(super) async fn look(&self, most: usize) -> Result<Vec<DeadLetter>, DatabaseError> {
        let mut letters = Vec::new();
        for (_, kept) in self.database.dead(self.queue, most).await? {
            letters.push(self.letter(kept).await?);
        }
        Ok(letters)
    }

    /// Does with each of now what the sorter says.
    pub(super) async fn sort(&self, sorter: &mut dyn Sorter) -> Result<(), DatabaseError> {
        let last = self.database.last_dead(self.queue).await?;
        let sorted = self.sort_until(last, sorter).await;
        let mut tx = self.database.begin().await?;
        self.database.let_go(&mut tx, &self.sorting()).await?;
        self.database.commit(tx).await?;
        sorted
    }

    async fn sort_until(&self, last: u64, sorter: &mut dyn Sorter) -> Result<(), DatabaseError> {
        let mut seen = 0;
        loop {
            let room = sorter.room().await.min(AT_ONCE);
            if room == 0 {
                return Ok(());
            }
            let mut tx = self.database.begin().await?;
            let taken = self.database.take_dead(&mut tx, &self.sorting(), (seen, last), room).await?;
            self.database.commit(tx).await?;
            let Some((number, _)) = taken.last() else { return Ok(()) };
            seen = *number;
            for (number, kept) in taken {
                let fate = sorter.fate(&self.letter(kept).await?);
                if fate != Fate::Stay && self.leaves(number, fate).await? {
                    sorter.left(fate);
                }
            }
        }
    }

    async fn leaves(&self, number: u64, fate: Fate) -> Result<bool, DatabaseError> {
        let mut tx = self.database.begin().await?;
        let left = match fate {
            Fate::Back => self.database.put_back(&mut tx, &self.sorting(), number).await?,
            _ => self.database.drop_dead(&mut tx, &self.sorting(), number).await?,
        };
        self.database.commit(tx).await?;
        Ok(left)
    }

    async fn letter(&self, kept: Kept) -> Result<DeadLetter, DatabaseError> {
        let event = recorded(self.store, kept.position).await.map_err(of_store)?;
        let id = event.as_ref().and_then(|event| event.entry.message.head.id.clone());
        let at = kept.first.unwrap_or_else(|| self.wall.now());
        let unknown = || Reason::new(ReasonKind::HandlerError, "the reason was not kept", kept.attempt, at);
        let reason = match &kept.standing {
            Standing::Dead(reason) => serde_json::from_str(reason).unwrap_or_else(|_| unknown()),
            Standing::Waits | Standing::Begun | Standing::Back => unknown(),
        };
        Ok(DeadLetter::new(id, event.map(sealed).unwrap_or_default(), reason))
    }

    fn sorting(&self) -> Sorting {
        let now = self.wall.now();
        Sorting::new(self.queue, &*self.sorter, now, now + HOLD)
    }
}
