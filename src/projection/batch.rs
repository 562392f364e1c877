//! Events that are handled in one transaction, with the checkpoint behind them.

use std::{error::Error, iter, panic::AssertUnwindSafe};

use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;

use super::{Checkpoints, Claim, Held, Projection, ProjectionError, ProjectionErrorKind, ProjectionOptions};
use crate::{
    error::{BoxError, panic_text},
    failpoint::{self, Point},
    outbox::{DatabaseError, DatabaseErrorKind as Kind},
    store::{Position, Recorded, Store, StoreError, StoreErrorKind as StoreKind},
    time::Clock,
};

/// What one transaction takes.
pub(super) struct Batch<'a, D: Checkpoints> {
    pub(super) projection: &'a Projection<D::Tx>,
    pub(super) database: &'a D,
    pub(super) store: &'a Store,
    pub(super) options: &'a ProjectionOptions,
    pub(super) clock: &'a Clock,
    pub(super) draining: &'a CancellationToken,
    pub(super) claim: Claim,
}

/// Where a transaction has brought the projection.
pub(super) enum Moved {
    To(Position),
    /// It is elsewhere than was thought, or somebody else's.
    Lost,
}

/// Why a transaction was undone.
pub(super) enum Trouble {
    /// Its event of this place could not be handled.
    Event { index: usize, error: BoxError },
    /// Something else, which says nothing about the events.
    Away(BoxError),
    /// The checkpoint is not one of this store as it is now.
    Astray(ProjectionError),
}

impl<D: Checkpoints> Batch<'_, D> {
    /// Takes the projection, if nobody else has it: where it is.
    pub(super) async fn take(&self) -> Result<Held, DatabaseError> {
        let mut tx = self.database.begin().await?;
        let held = self.database.hold(&mut tx, &self.claim).await?;
        if held != Held::Elsewhere {
            self.database.commit(tx).await?;
        }
        Ok(held)
    }

    /// Gives the projection up.
    pub(super) async fn give_up(&self) -> Result<(), DatabaseError> {
        let mut tx = self.database.begin().await?;
        self.database.release(&mut tx, &self.claim).await?;
        self.database.commit(tx).await
    }

    /// Moves the checkpoint, if it is still there and nobody else has it.
    pub(super) async fn mark(&self, from: Position, to: Position) -> Result<(), DatabaseError> {
        let mut tx = self.database.begin().await?;
        if self.database.hold(&mut tx, &self.claim).await? == Held::Here(from)
            && self.database.advance(&mut tx, &self.claim, from, to).await?
        {
            self.database.release(&mut tx, &self.claim).await?;
            self.database.commit(tx).await?;
        }
        Ok(())
    }

    /// Handles events that come after the checkpoint, as many as one transaction takes, and moves it behind them; behind all,
    /// it is moved to `end`.
    pub(super) async fn transact(&self, from: Position, events: &[Recorded], end: Position) -> Result<Moved, Trouble> {
        let mut tx = self.database.begin().await?;
        if self.database.hold(&mut tx, &self.claim).await? != Held::Here(from) {
            return Ok(Moved::Lost);
        }
        passed(Point::ProjectionHeld)?;
        let handled = self.handle(events, &mut tx).await?;
        let to = if handled == events.len() { end } else { events[handled - 1].position };
        if to != from && !self.database.advance(&mut tx, &self.claim, from, to).await? {
            return Ok(Moved::Lost);
        }
        passed(Point::ProjectionBeforeCommit)?;
        self.database.commit(tx).await?;
        passed(Point::ProjectionAfterCommit)?;
        Ok(Moved::To(to))
    }

    /// Handles one after the other; how many, before the time was up or the service began to drain.
    async fn handle(&self, events: &[Recorded], tx: &mut D::Tx) -> Result<usize, Trouble> {
        let until = self.clock.instant() + self.options.open_for;
        for (index, event) in events.iter().enumerate() {
            if index > 0 && (self.draining.is_cancelled() || until <= self.clock.instant()) {
                return Ok(index);
            }
            self.handle_one(event, tx).await.map_err(|error| self.trouble(index, error))?;
            passed(Point::ProjectionAfterEffect)?;
        }
        Ok(events.len())
    }

    async fn handle_one(&self, event: &Recorded, tx: &mut D::Tx) -> Result<(), BoxError> {
        let route = self.store.way_for(event.entry.name(), &self.projection.routes, |route| route.contract);
        let route = route.ok_or_else(|| format!("nothing handles event `{}`", event.entry.name()))?;
        let handling = AssertUnwindSafe(route.run(self.store, event.clone(), tx)).catch_unwind();
        let limit = self.options.timeout;
        match tokio::time::timeout(limit, handling).await {
            Ok(Ok(handled)) => handled,
            Ok(Err(panic)) => Err(panic_text(&*panic).into()),
            Err(_) => Err(format!("its handler took longer than {limit:?}").into()),
        }
    }

    /// A handler says what the database said; that it is away says nothing about the event.
    fn trouble(&self, index: usize, error: BoxError) -> Trouble {
        let first: &(dyn Error + 'static) = &*error;
        let mut causes = iter::successors(Some(first), |error| (**error).source());
        if causes.any(|cause| is_away(cause) || self.database.is_away(cause)) {
            Trouble::Away(error)
        } else {
            Trouble::Event { index, error }
        }
    }
}

impl Trouble {
    /// With the event that it is about, if it is about one.
    pub(super) fn at(self, Recorded { position, stream, version, entry }: &Recorded) -> Self {
        let Self::Event { index, error } = self else { return self };
        let name = entry.name();
        let text =
            format!("event `{name}`, version {version} of stream `{stream}` at position {position}, was not handled");
        let error = ProjectionError::new(ProjectionErrorKind::Refused, text).caused_by(error);
        Self::Event { index, error: error.into() }
    }
}

impl From<DatabaseError> for Trouble {
    fn from(error: DatabaseError) -> Self {
        Self::Away(error.into())
    }
}

/// Do tegami's own words say that a database or a store is away, has no room, or others are in the way?
fn is_away(error: &(dyn Error + 'static)) -> bool {
    let database = |error: &DatabaseError| matches!(error.kind(), Kind::Busy | Kind::Full | Kind::Unreachable);
    let store = |error: &StoreError| matches!(error.kind(), StoreKind::Busy | StoreKind::Full | StoreKind::Unreachable);
    error.downcast_ref().is_some_and(database) || error.downcast_ref().is_some_and(store)
}

/// A failure at this point looks as if the database had not answered.
pub(super) fn passed(point: Point) -> Result<(), Trouble> {
    failpoint::hit(point).map_err(|struck| {
        let text = "the projector was cut short";
        Trouble::Away(DatabaseError::new(Kind::Unreachable, text).caused_by(struck).into())
    })
}
