//! How far a projection is, for whoever waits for it.

use std::{fmt, future::Future, sync::Arc, time::Duration};

use tokio::sync::watch;

use super::{
    Checkpoints, Id, ProjectionError, ProjectionErrorKind, astray,
    error::{of_database, of_store},
};
use crate::{
    middleware::BoxFuture,
    outbox::DatabaseError,
    store::{Position, Query, Store},
    time::Wall,
};

/// How often it is looked for what other processes did.
const LOOK: Duration = Duration::from_millis(100);
/// How many events are counted. If more wait, they are told as so many.
const COUNTED: u64 = 100_000;

/// Tells how far a projection is, whichever process runs it. Clones are cheap.
///
/// It is made by [`Projection::progress`](super::Projection::progress), before the service runs.
///
/// # Examples
/// Whoever wrote reads what became of it:
/// ```no_run
/// # mod contracts { tegami::include_contracts!(); }
/// # use contracts::shop::orders::v1::OrderPaid;
/// # use tegami::{error::BoxError, projection::Progress, store::{Append, Store, StreamId}};
/// use std::time::Duration;
///
/// # async fn pay(store: Store, sales: Progress, paid: OrderPaid) -> Result<(), BoxError> {
/// let appended = store.append(Append::to(StreamId::of("order", &paid.order_id)?).event(&paid)?).await?;
/// sales.until(appended.position, Duration::from_secs(2)).await?;
/// // The sale is in the table now.
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Progress {
    id: Id,
    store: Store,
    query: Query,
    checkpoint: Arc<dyn Fn() -> BoxFuture<Result<Position, DatabaseError>> + Send + Sync>,
    moved: watch::Receiver<u64>,
    wall: Wall,
}

/// How far a projection is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lag {
    /// How many of its events are recorded and not handled yet; 100,000 if they are that many or more.
    pub events: u64,
    /// How long ago the first of them was recorded, by the clocks of those who recorded it and of who asks; none, if there
    /// is none.
    pub oldest: Option<Duration>,
}

impl Progress {
    pub(super) fn new<D: Checkpoints>(
        id: Id,
        query: Query,
        store: &Store,
        database: &D,
        moved: &Arc<watch::Sender<u64>>,
    ) -> Self {
        let (database, asked) = (database.clone(), id.clone());
        let checkpoint = move || -> BoxFuture<Result<Position, DatabaseError>> {
            let (database, id) = (database.clone(), asked.clone());
            Box::pin(async move { Ok(database.checkpoint(&id).await?.map_or(Position::START, |known| known.position)) })
        };
        let (store, moved) = (store.clone(), moved.subscribe());
        Self { id, store, query, checkpoint: Arc::new(checkpoint), moved, wall: Wall::system() }
    }

    /// By this wall clock it is told how old events are.
    #[must_use]
    pub fn wall(self, wall: Wall) -> Self {
        Self { wall, ..self }
    }

    /// Which projection it is.
    pub fn id(&self) -> &Id {
        &self.id
    }

    /// The checkpoint: all of its events up to here are handled. One that has never been run is at the start.
    ///
    /// # Errors
    /// `Astray`: the store was brought back to an earlier state. Otherwise the database cannot be asked.
    pub async fn position(&self) -> Result<Position, ProjectionError> {
        let position = (self.checkpoint)().await.map_err(of_database)?;
        astray::found(position).map_or(Ok(position), |was| Err(astray::mistake(&self.id, was)))
    }

    /// Are all of its events up to this position handled? It need not handle the one that is there.
    ///
    /// # Errors
    /// `Astray`: the store was brought back to an earlier state. Otherwise database or store cannot be asked.
    pub async fn has_reached(&self, position: Position) -> Result<bool, ProjectionError> {
        let checkpoint = self.position().await?;
        if checkpoint >= position {
            return Ok(true);
        }
        let page = self.store.inner().read_all(&self.query, checkpoint, 1).await.map_err(of_store)?;
        Ok(match page.events.first() {
            Some(next) => next.position > position,
            None => page.next >= position,
        })
    }

    /// Waits until all of its events up to this position are handled, at most so long.
    ///
    /// # Errors
    /// `Late`: it has not come so far. `Astray`: the store was brought back to an earlier state. Otherwise database or store cannot be asked.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn until(&self, position: Position, longest: Duration) -> Result<(), ProjectionError> {
        let far = format!("position {position}");
        self.wait(longest, &far, || self.has_reached(position)).await
    }

    /// Has it handled all of its events that can be read?
    ///
    /// # Errors
    /// `Astray`: the store was brought back to an earlier state. Otherwise database or store cannot be asked.
    pub async fn is_caught_up(&self) -> Result<bool, ProjectionError> {
        let checkpoint = self.position().await?;
        let page = self.store.inner().read_all(&self.query, checkpoint, 1).await.map_err(of_store)?;
        Ok(page.events.is_empty())
    }

    /// Waits until it has handled all of its events that can be read, at most so long. Where events come all the time, that
    /// is so for a moment.
    ///
    /// # Errors
    /// `Late`: it has not come so far. `Astray`: the store was brought back to an earlier state. Otherwise database or store cannot be asked.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn until_caught_up(&self, longest: Duration) -> Result<(), ProjectionError> {
        self.wait(longest, "the last event", || self.is_caught_up()).await
    }

    /// How far it is behind.
    ///
    /// # Errors
    /// `Astray`: the store was brought back to an earlier state. Otherwise database or store cannot be asked.
    pub async fn lag(&self) -> Result<Lag, ProjectionError> {
        let checkpoint = self.position().await?;
        let store = self.store.inner();
        let page = store.read_all(&self.query, checkpoint, 1).await.map_err(of_store)?;
        let Some(first) = page.events.first() else { return Ok(Lag { events: 0, oldest: None }) };
        let events = store.count(&self.query, checkpoint, COUNTED).await.map_err(of_store)?;
        let since = first.entry.message.head.time.map(|time| self.wall.now().duration_since(time).unwrap_or_default());
        Ok(Lag { events, oldest: Some(since.unwrap_or_default()) })
    }

    async fn wait<Fut: Future<Output = Result<bool, ProjectionError>>>(
        &self,
        longest: Duration,
        far: &str,
        is_there: impl Fn() -> Fut,
    ) -> Result<(), ProjectionError> {
        let mut moved = self.moved.clone();
        let waiting = async {
            loop {
                moved.borrow_and_update();
                if is_there().await? {
                    return Ok(());
                }
                // It moves here, or elsewhere; or its projection is gone, and it moves elsewhere alone.
                if let Ok(Err(_)) = tokio::time::timeout(LOOK, moved.changed()).await {
                    tokio::time::sleep(LOOK).await;
                }
            }
        };
        tokio::time::timeout(longest, waiting).await.unwrap_or_else(|_| {
            let text = format!("projection `{}` has not come to {far} within {longest:?}", self.id);
            Err(ProjectionError::new(ProjectionErrorKind::Late, text))
        })
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress").field("id", &self.id).finish_non_exhaustive()
    }
}
