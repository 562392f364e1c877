//! A checkpoint that lies behind the end of its store, because the store was brought back to an earlier state: what is
//! recorded from then on up to there would never be handled. And the way to move one.

use super::{
    Checkpoints, Claim, Held, Id, ProjectionError, ProjectionErrorKind, ProjectionOptions, error::of_database,
};
use crate::{
    store::{Criterion, Position, Query, Store, StoreError},
    time::Wall,
};

/// A name that no event has.
const NOTHING: &str = "";
/// No epoch has this bit. A checkpoint that has it was found behind the end of its store, and stays so for whoever looks: the
/// store may have grown beyond it since.
const ASTRAY: u64 = 1 << 62;

/// A checkpoint that is not one of its store as it is now.
pub(crate) struct Astray {
    /// Where it was.
    pub(crate) was: Position,
    /// What it is to be from now on, so that it is known as that; none, if it is so already.
    pub(crate) mark: Option<Position>,
}

/// Is this checkpoint astray?
///
/// # Errors
/// The store cannot be asked.
pub(crate) async fn look(checkpoint: Position, store: &Store) -> Result<Option<Astray>, StoreError> {
    if let Some(was) = found(checkpoint) {
        return Ok(Some(Astray { was, mark: None }));
    }
    let is_behind = checkpoint != Position::START && end(store).await? < checkpoint;
    let mark = Position::in_epoch(checkpoint.epoch() | ASTRAY, checkpoint.number());
    Ok(is_behind.then_some(Astray { was: checkpoint, mark: Some(mark) }))
}

/// The end of what can be read of a store yet.
///
/// # Errors
/// The store cannot be asked.
pub(crate) async fn end(store: &Store) -> Result<Position, StoreError> {
    let nothing = Query::from(Criterion::any().named(NOTHING));
    Ok(store.inner().read_all(&nothing, Position::START, 1).await?.next)
}

/// Where the checkpoint was, if it was found to be astray.
pub(crate) fn found(checkpoint: Position) -> Option<Position> {
    let is_astray = checkpoint.epoch() & ASTRAY != 0;
    is_astray.then(|| Position::in_epoch(checkpoint.epoch() & !ASTRAY, checkpoint.number()))
}

/// Why nothing is handled from there on.
pub(super) fn mistake(id: &Id, was: Position) -> ProjectionError {
    let text = format!(
        "projection `{id}` had come to {was} when its store ended before that: the store was brought back to an earlier state, \
         or is another one. Nothing is handled, for what is recorded up to there since would be left out: reset the projection, \
         or move its checkpoint"
    );
    ProjectionError::new(ProjectionErrorKind::Astray, text)
}

/// Has a projection that nobody runs go on behind this position of its store: as if all up to there had been handled, and
/// nothing after it. What it has made stays as it is.
///
/// That is for what publishes, after the store was brought back to an earlier state: what is in it was published before. And
/// for what should begin with what comes now.
///
/// # Examples
/// ```no_run
/// # use tegami::{projection::{self, Id}, sqlite::Database, store::Position};
/// # async fn mend(db: &Database) -> Result<(), tegami::error::BoxError> {
/// let end: Position = "640".parse()?; // as the log tells it
/// projection::move_checkpoint(db, &Id::new("orders", 1), end).await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// `Held`: somebody runs it, or did until it was killed a moment ago. `Unknown`: it may have been done. Otherwise the
/// database could not be asked.
pub async fn move_checkpoint<D: Checkpoints>(database: &D, id: &Id, to: Position) -> Result<(), ProjectionError> {
    let mut tx = database.begin().await.map_err(of_database)?;
    let claim = nobody(id);
    let Held::Here(from) = database.hold(&mut tx, &claim).await.map_err(of_database)? else { return Err(held(id)) };
    if from != to && !database.advance(&mut tx, &claim, from, to).await.map_err(of_database)? {
        return Err(held(id));
    }
    database.release(&mut tx, &claim).await.map_err(of_database)?;
    database.commit(tx).await.map_err(of_database)
}

/// The claim of who does something with a projection that nobody runs.
pub(super) fn nobody(id: &Id) -> Claim {
    Claim::new(id.clone(), "nobody", ProjectionOptions::default().hold, Wall::system().now())
}

pub(super) fn held(id: &Id) -> ProjectionError {
    let text = format!("projection `{id}` is run by somebody: stop that service first");
    ProjectionError::new(ProjectionErrorKind::Held, text)
}
