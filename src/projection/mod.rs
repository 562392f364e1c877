//! Read state made from stored events: what a handler makes of an event, and that it was handled, are one commit.
//!
//! [`Projection`] has the handlers; a projector, which is a component of a service, runs it; [`Progress`] tells how far it
//! is. What a database must be able to do for it is [`Checkpoints`]. The guide is `docs::projections`.

mod astray;
mod batch;
mod checkpoints;
mod error;
mod handler;
mod options;
mod pages;
#[cfg(feature = "postgres")]
mod postgres;
mod progress;
mod projector;
mod publishing;
mod route;
mod sign;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use astray::move_checkpoint;
pub(crate) use astray::{Astray, end, found, look};
pub use checkpoints::{Checkpoint, Checkpoints, Claim, Held, Id, LONGEST};
pub use error::{ProjectionError, ProjectionErrorKind};
pub use handler::{Clear, Handler};
pub use options::ProjectionOptions;
pub use progress::{Lag, Progress};
pub(crate) use projector::{Crew, Projector};
pub use publishing::Publishing;
pub(crate) use sign::Sign;

use std::{collections::BTreeSet, fmt, sync::Arc};

use tokio::sync::watch;

use self::{
    astray::{held, nobody},
    error::of_database,
    publishing::Outlet,
    route::Route,
};
use crate::{
    event::Event,
    store::{Criterion, Query, Store},
};

/// The longest name, in bytes.
const NAME: usize = 128;

/// How read state is made from events: a name, a version, and a handler for each type of event that matters.
///
/// `T` is the transaction of the database that the read state is in.
///
/// # Examples
/// ```
/// # mod contracts { tegami::include_contracts!(); }
/// # use contracts::shop::orders::v1::OrderPaid;
/// use tegami::{Service, projection::Projection, sqlite::{Database, Tx}, store::{Store, Stored}};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tegami::error::BoxError> {
/// # let path = std::env::temp_dir().join(format!("tegami-projection-{}.db", std::process::id()));
/// let db = Database::connect(&path).await?;
/// let store = Store::new(db.store());
/// let sales = Projection::new("sales", 1).on::<OrderPaid>(async |paid: Stored<OrderPaid>, tx: &mut Tx| {
///     let sql = "INSERT INTO sales VALUES (?1, ?2) ON CONFLICT DO UPDATE SET amount = amount + ?2";
///     let row = (paid.event.currency, paid.event.amount_minor);
///     tx.run(move |file| file.execute(sql, row)).await?;
///     Ok(())
/// });
/// let service = Service::new("shop").projection(&db, &store, sales);
/// # drop(service);
/// # db.close().await;
/// # std::fs::remove_file(path)?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a projection does nothing until a service runs it"]
pub struct Projection<T> {
    id: Id,
    criterion: Criterion,
    routes: Vec<Route<T>>,
    /// Where events go that are published, and not handled.
    outlets: Vec<Outlet>,
    /// Counts its commits in this process.
    moved: Arc<watch::Sender<u64>>,
}

impl<T: Send + 'static> Projection<T> {
    /// A projection of this name, in this version, that handles nothing yet. The name is 1 to 128 printable ASCII
    /// characters.
    ///
    /// Another version begins with the first event, beside this one: count it up when handlers change what they make.
    pub fn new(name: impl Into<String>, version: u32) -> Self {
        let moved = Arc::new(watch::Sender::new(0));
        let (routes, outlets) = (Vec::new(), Vec::new());
        Self { id: Id::new(name, version), criterion: Criterion::any(), routes, outlets, moved }
    }

    /// Handles events of type `E`, in the order of the store. No events are read but those that are handled.
    pub fn on<E: Event>(mut self, handler: impl Handler<E, T>) -> Self {
        self.criterion = self.criterion.or::<E>();
        self.routes.push(Route::new::<E>(handler));
        self
    }

    /// Which one it is.
    pub fn id(&self) -> &Id {
        &self.id
    }

    /// Tells how far this projection is, in this process and in others.
    pub fn progress<D: Checkpoints<Tx = T>>(&self, database: &D, store: &Store) -> Progress {
        Progress::new(self.id.clone(), self.query(store), store, database, &self.moved)
    }

    /// Has it begin again with the first event: clears what it has made, in the transaction in which its checkpoint goes
    /// back. A projector that runs it, here or elsewhere, notices.
    ///
    /// # Errors
    /// `Refused`: it could not be cleared. `Unknown`: it may have been done. Otherwise the database could not be asked.
    pub async fn reset<D: Checkpoints<Tx = T>>(
        &self,
        database: &D,
        clear: impl Clear<T>,
    ) -> Result<(), ProjectionError> {
        let mut tx = database.begin().await.map_err(of_database)?;
        database.rewind(&mut tx, &self.id).await.map_err(of_database)?;
        cleared(&self.id, &mut tx, clear).await?;
        database.commit(tx).await.map_err(of_database)?;
        self.moved.send_modify(|moved| *moved += 1);
        Ok(())
    }

    /// What is wrong with it, if something is.
    pub(crate) fn mistake(&self) -> Option<String> {
        let Id { name, .. } = &self.id;
        if name.is_empty() || name.len() > NAME || !name.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            let name = name.escape_debug();
            return Some(format!("projection `{name}` has no good name: it is 1 to {NAME} printable ASCII characters"));
        }
        let contracts = self.routes.iter().map(|route| route.contract);
        let contracts: Vec<_> = contracts.chain(self.outlets.iter().map(|outlet| outlet.contract)).collect();
        if contracts.is_empty() {
            return Some(format!("projection `{}` handles no event: add `on`, or `event`", self.id));
        }
        let mut names = BTreeSet::new();
        let twice = contracts.into_iter().find(|contract| !names.insert(contract.name))?;
        Some(format!("projection `{}` handles event `{}` twice: leave one", self.id, twice.name))
    }

    /// What it reads, under older contracts too.
    fn query(&self, store: &Store) -> Query {
        store.widened(&Query::from(self.criterion.clone()))
    }
}

/// Removes the checkpoint of a projection that nobody runs any more, and clears what it has made, in one transaction; was
/// there one? Run again, it would begin with the first event.
///
/// # Examples
/// ```no_run
/// # use tegami::{projection::{self, Id}, sqlite::{Database, Tx}};
/// # async fn tidy(db: &Database) -> Result<(), projection::ProjectionError> {
/// projection::remove(db, &Id::new("sales", 1), async |tx: &mut Tx| {
///     tx.run(|sql| sql.execute_batch("DROP TABLE sales_1")).await?;
///     Ok(())
/// })
/// .await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// `Held`: somebody runs it, or did until it was killed a moment ago. `Refused`: it could not be cleared. `Unknown`: it may
/// have been done. Otherwise the database could not be asked.
pub async fn remove<D: Checkpoints>(database: &D, id: &Id, clear: impl Clear<D::Tx>) -> Result<bool, ProjectionError> {
    let claim = nobody(id);
    if database.checkpoint(id).await.map_err(of_database)?.is_none() {
        return Ok(false);
    }
    let mut tx = database.begin().await.map_err(of_database)?;
    if database.hold(&mut tx, &claim).await.map_err(of_database)? == Held::Elsewhere {
        return Err(held(id));
    }
    let was_there = database.remove_checkpoint(&mut tx, id).await.map_err(of_database)?;
    cleared(id, &mut tx, clear).await?;
    database.commit(tx).await.map_err(of_database)?;
    Ok(was_there)
}

async fn cleared<T>(id: &Id, tx: &mut T, clear: impl Clear<T>) -> Result<(), ProjectionError> {
    clear.clear(tx).await.map_err(|error| {
        let text = format!("what projection `{id}` has made was not cleared");
        ProjectionError::new(ProjectionErrorKind::Refused, text).caused_by(error)
    })
}

impl<T> fmt::Debug for Projection<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let events: Vec<_> = self.criterion.events().collect();
        f.debug_struct("Projection").field("id", &self.id).field("events", &events).finish_non_exhaustive()
    }
}
