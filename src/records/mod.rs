//! Subscriptions to a store: recorded events as the deliveries of queues, for the handlers of a service.
//!
//! [`Records`] is a transport that a service is given as any other. What a database must be able to do for it is
//! [`Queues`]. The guide is `docs::subscriptions`.

mod dead;
mod desk;
mod intake;
mod opening;
#[cfg(feature = "postgres")]
mod postgres;
mod queues;
mod reader;
#[cfg(feature = "sqlite")]
mod sqlite;
mod state;
mod waiting;

pub use queues::{Counts, Kept, Queues, Sorting, Standing};

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use self::{
    dead::Dead,
    desk::Desk,
    intake::Intake,
    opening::{AsRecorded, Opening},
    queues::id_of,
    reader::Reader,
    state::Rules,
};
use crate::{
    codec::Hands,
    envelope::{Envelope, MessageId},
    health::Status,
    lifecycle,
    outbox::DatabaseError,
    projection::{self, Checkpoint, Claim, Held, LONGEST},
    store::{Position, Store},
    time::{Clock, Dice, Wall},
    transport::{
        Backlog, Capabilities, DeadLetter, Deliveries, Outgoing, Provision, Prune, PublishError, PublishErrorKind,
        QueuePlan, Remnant, Sorter, Topology, Transport, TransportError, TransportErrorKind, in_one,
    },
};

/// How long a reader has a queue, unless it says that it goes on.
const HOLD: Duration = Duration::from_secs(30);
/// How often it is looked for a turn, for dead letters that were put back, and for events that no wake-up told of.
const POLL: Duration = Duration::from_secs(1);
/// Events are counted up to here.
const COUNTED: u64 = 100_000;

/// What is recorded in a store, as a transport: each queue is handed every event that its handlers ask for, in the order of
/// the store, and is done with each of them once. For services that record, and need no broker to handle it.
///
/// A queue is a row in the database: a low-water mark, up to which every event is done with, or has a row of its own that
/// says when the next attempt is, or why it was given up on. One process reads a queue at a time; where several run the same
/// service, one of the others goes on when it ends, or 30 s after it was killed.
///
/// It carries nothing else: what is published to it is refused. Append to the store; or attach a broker, and publish `via`
/// that.
///
/// # Examples
/// ```
/// # mod contracts { tegami::include_contracts!(); }
/// # use contracts::shop::orders::v1::OrderPaid;
/// use tegami::{Context, HandlerError, Service, records::Records, sqlite::Database, store::Store};
///
/// async fn send_receipt(order: OrderPaid, _: Context) -> Result<(), HandlerError> {
///     println!("a receipt for {}", order.order_id);
///     Ok(())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tegami::error::BoxError> {
/// # let path = std::env::temp_dir().join(format!("tegami-records-{}.db", std::process::id()));
/// let db = Database::connect(&path).await?;
/// let store = Store::new(db.store());
/// let service = Service::new("billing").transport(Records::new(&db, &store)).on::<OrderPaid>(send_receipt);
/// # drop(service);
/// # db.close().await;
/// # std::fs::remove_file(path)?;
/// # Ok(())
/// # }
/// ```
pub struct Records<D> {
    database: D,
    store: Store,
    begins: Begins,
    pace: Pace,
    pub(crate) clock: Clock,
    pub(crate) wall: Wall,
    pub(crate) dice: Dice,
    connection: Arc<Connection>,
}

/// Where a queue begins that was not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begins {
    Now,
    AtTheFirstEvent,
}

/// How a reader goes about its work.
#[derive(Debug, Clone, Copy)]
struct Pace {
    hold: Duration,
    poll: Duration,
}

/// What goes with one connection.
#[derive(Default)]
struct Connection {
    closed: CancellationToken,
    /// What the handlers of queues know of their events.
    hands: Mutex<BTreeMap<String, Vec<Hands>>>,
    desks: Mutex<Vec<(Arc<Desk>, AbortOnDropHandle<()>)>>,
}

impl<D: Queues> Records<D> {
    /// The events of this store, with the queues in this database: best the one that the store is in.
    pub fn new(database: &D, store: &Store) -> Self {
        Self {
            database: database.clone(),
            store: store.clone(),
            begins: Begins::Now,
            pace: Pace { hold: HOLD, poll: POLL },
            clock: Clock::system(),
            wall: Wall::system(),
            dice: Dice::system(),
            connection: Arc::default(),
        }
    }

    /// Queues that are not there yet begin with the first event of the store. By default they begin when they are made, as
    /// those of brokers do: what was recorded before is not handled, for what handlers do cannot be taken back.
    #[must_use]
    pub fn from_the_first_event(self) -> Self {
        Self { begins: Begins::AtTheFirstEvent, ..self }
    }

    /// How long nobody else gets a queue, 1 s to 5 min: so long nothing of it is handled if the process that reads it is
    /// killed. That process says three times as often that it goes on; where it cannot for so long, its handlers are
    /// [told](crate::Context::cancelled). Default: 30 s.
    #[must_use]
    pub fn hold(mut self, hold: Duration) -> Self {
        self.pace.hold = hold.clamp(Duration::from_secs(1), LONGEST);
        self
    }

    /// How often it is looked whether a queue is free that another process reads, whether dead letters were put back, and
    /// for events that no wake-up told of. At least 1 ms. Default: 1 s.
    #[must_use]
    pub fn poll(mut self, interval: Duration) -> Self {
        self.pace.poll = interval.max(Duration::from_millis(1));
        self
    }

    /// Up to where every event of a queue is done with, or waits for another attempt, or was given up on; none, if the queue
    /// is not there. Of a queue that stands still since its store was brought back, where it was then.
    ///
    /// # Errors
    /// The database cannot be asked.
    pub async fn position(&self, queue: &str) -> Result<Option<Position>, TransportError> {
        let known = self.database.checkpoint(&id_of(queue)).await.map_err(of_database)?;
        let position = |known: Checkpoint| projection::found(known.position).unwrap_or(known.position);
        Ok(known.map(position))
    }

    /// Deletes a queue that nobody reads any more, with its dead letters; was it there? Made again, it begins anew.
    ///
    /// # Errors
    /// `Refused`: somebody reads it, or did until it was killed a moment ago. Otherwise the database cannot be asked.
    pub async fn remove(&self, queue: &str) -> Result<bool, TransportError> {
        if self.position(queue).await?.is_none() {
            return Ok(false);
        }
        self.removed(queue).await.map_err(of_database)?.ok_or_else(|| is_read(queue))
    }

    /// Has a queue that nobody reads go on behind this position of its store: as if all up to there had been handled, and
    /// nothing after it. Dead letters up to there stay. For a queue whose store was brought back to an earlier state.
    ///
    /// # Errors
    /// `Refused`: somebody reads it, or did until it was killed a moment ago. `Missing`: it is not there. Otherwise the
    /// database cannot be asked.
    pub async fn go_on_after(&self, queue: &str, position: Position) -> Result<(), TransportError> {
        self.known(queue).await?;
        let moved = self.moved(queue, position).await.map_err(of_database)?;
        if moved { Ok(()) } else { Err(is_read(queue)) }
    }

    async fn moved(&self, queue: &str, to: Position) -> Result<bool, DatabaseError> {
        let (claim, mut tx) = (self.claim(queue), self.database.begin().await?);
        let Held::Here(from) = self.database.hold(&mut tx, &claim).await? else { return Ok(false) };
        self.database.delete_after(&mut tx, queue, to).await?;
        if from != to && !self.database.advance(&mut tx, &claim, from, to).await? {
            return Ok(false);
        }
        self.database.release(&mut tx, &claim).await?;
        self.database.commit(tx).await?;
        Ok(true)
    }

    async fn removed(&self, queue: &str) -> Result<Option<bool>, DatabaseError> {
        let (claim, mut tx) = (self.claim(queue), self.database.begin().await?);
        if self.database.hold(&mut tx, &claim).await? == Held::Elsewhere {
            return Ok(None);
        }
        self.database.delete_after(&mut tx, queue, Position::START).await?;
        let was_there = self.database.remove_checkpoint(&mut tx, &id_of(queue)).await?;
        self.database.commit(tx).await?;
        Ok(Some(was_there))
    }

    /// Makes a queue, unless it is there.
    async fn make(&self, queue: &str) -> Result<(), DatabaseError> {
        // Before it is looked whether the queue is there: what is recorded after somebody else made it comes later.
        let begin = match self.begins {
            Begins::Now => projection::end(&self.store).await.map_err(reader::of_store)?,
            Begins::AtTheFirstEvent => Position::START,
        };
        if self.database.checkpoint(&id_of(queue)).await?.is_some() {
            return Ok(());
        }
        let (claim, mut tx) = (self.claim(queue), self.database.begin().await?);
        if self.database.hold(&mut tx, &claim).await? != Held::Here(Position::START) {
            return Ok(());
        }
        if begin > Position::START {
            self.database.advance(&mut tx, &claim, Position::START, begin).await?;
        }
        self.database.release(&mut tx, &claim).await?;
        self.database.commit(tx).await
    }

    fn dead<'a>(&'a self, queue: &'a str) -> Dead<'a, D> {
        Dead { database: &self.database, store: &self.store, queue, sorter: self.draw(), wall: &self.wall }
    }

    /// Is the queue there?
    async fn known(&self, queue: &str) -> Result<(), TransportError> {
        self.open()?;
        self.position(queue).await?.map(drop).ok_or_else(|| missing(queue))
    }

    fn open(&self) -> Result<(), TransportError> {
        if self.connection.closed.is_cancelled() {
            return Err(TransportError::new(TransportErrorKind::Closed, "the transport was closed"));
        }
        Ok(())
    }

    /// The claim of who reads nothing.
    fn claim(&self, queue: &str) -> Claim {
        Claim::new(id_of(queue), self.draw(), self.pace.hold, self.wall.now())
    }

    /// An id that nobody else has.
    fn draw(&self) -> String {
        MessageId::draw(&self.dice).to_string()
    }

    fn opening(&self, queue: &QueuePlan) -> Opening {
        let hands = held(&self.connection.hands).get(&queue.name).cloned().unwrap_or_default();
        Opening::new(self.store.clone(), queue.clone(), hands)
    }
}

/// Another connection: closing one leaves the others open.
impl<D: Queues> Clone for Records<D> {
    fn clone(&self) -> Self {
        Self {
            database: self.database.clone(),
            store: self.store.clone(),
            wall: self.wall.clone(),
            dice: self.dice.clone(),
            connection: Arc::default(),
            ..*self
        }
    }
}

impl<D: Queues> fmt::Debug for Records<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records").field("database", &self.database.name()).finish_non_exhaustive()
    }
}

#[async_trait]
impl<D: Queues> Transport for Records<D> {
    fn name(&self) -> &'static str {
        "records"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::none().durable().ordered().exact_attempts()
    }

    fn envelope(&self) -> Option<Arc<dyn Envelope>> {
        Some(Arc::new(AsRecorded::new()))
    }

    fn knows(&self, queue: &str, hands: Vec<Hands>) {
        held(&self.connection.hands).insert(queue.to_owned(), hands);
    }

    async fn provision(&self, topology: &Topology, mode: Provision) -> Result<(), TransportError> {
        in_one(self.differences(topology, mode).await?)
    }

    async fn differences(&self, topology: &Topology, mode: Provision) -> Result<Vec<TransportError>, TransportError> {
        self.open()?;
        let mut found = Vec::new();
        for QueuePlan { name, .. } in &topology.queues {
            match mode {
                Provision::Create => self.make(name).await.map_err(of_database)?,
                Provision::Verify if self.position(name).await?.is_none() => found.push(missing(name)),
                Provision::Verify | Provision::Assume => {}
            }
        }
        Ok(found)
    }

    async fn publish(&self, outgoing: Outgoing) -> Result<(), PublishError> {
        let (event, store) = (&outgoing.event, self.store.inner().name());
        let text = format!(
            "event `{event}` was not published: this transport hands out what is recorded in the store (`{store}`), and \
             carries nothing else. Append the event to the store, or attach a broker and publish `via` that"
        );
        Err(PublishError::new(PublishErrorKind::Unsupported, text))
    }

    async fn consume(&self, queue: &QueuePlan) -> Result<Box<dyn Deliveries>, TransportError> {
        self.known(&queue.name).await?;
        let desk = Arc::new(Desk::new(Rules::of(queue), self.clock, self.connection.closed.clone()));
        let reader = Reader {
            desk: desk.clone(),
            database: self.database.clone(),
            store: self.store.clone(),
            queue: queue.name.clone(),
            id: self.draw(),
            pace: self.pace,
            dice: self.dice.clone(),
            wall: self.wall.clone(),
        };
        let task = lifecycle::owned(reader.run());
        let mut desks = held(&self.connection.desks);
        desks.retain(|(_, task)| !task.is_finished());
        desks.push((desk.clone(), task));
        let opening = self.opening(queue);
        let (query, poll, dice) = (opening.query(), self.pace.poll, self.dice.clone());
        Ok(Box::new(Intake { desk, store: self.store.clone(), opening, query, poll, dice, failures: 0 }))
    }

    async fn dead_letters(&self, queue: &str, limit: usize) -> Result<Vec<DeadLetter>, TransportError> {
        self.known(queue).await?;
        self.dead(queue).look(limit).await.map_err(of_database)
    }

    async fn sort_dead_letters(&self, queue: &str, sorter: &mut dyn Sorter) -> Result<(), TransportError> {
        self.known(queue).await?;
        self.dead(queue).sort(sorter).await.map_err(of_database)
    }

    async fn prune(&self, former: &[QueuePlan], today: &Topology, mode: Prune) -> Result<Vec<Remnant>, TransportError> {
        self.open()?;
        let mut remnants = Vec::new();
        for plan in former.iter().filter(|plan| !today.queues.iter().any(|queue| queue.name == plan.name)) {
            remnants.extend(self.remnant(plan, mode).await?);
        }
        Ok(remnants)
    }

    async fn close(&self) {
        self.connection.closed.cancel();
        let desks = std::mem::take(&mut *held(&self.connection.desks));
        for (desk, task) in desks {
            // One that panicked has noted what it could.
            let _ = task.await;
            desk.lose();
        }
    }

    fn status(&self) -> Status {
        if let Err(error) = self.open() {
            return Status::down(error.to_string());
        }
        let trouble = held(&self.connection.desks).iter().find_map(|(desk, _)| desk.trouble());
        trouble.map_or_else(Status::up, Status::degraded)
    }

    async fn backlog(&self, queue: &QueuePlan) -> Backlog {
        self.waiting(queue).await
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_read(queue: &str) -> TransportError {
    let text = format!("queue `{queue}` is read by somebody: stop that service first");
    TransportError::new(TransportErrorKind::Refused, text)
}

fn missing(queue: &str) -> TransportError {
    let text = format!("queue `{queue}` is not there: have it made by `create`, or start its service once");
    TransportError::new(TransportErrorKind::Missing, text)
}

fn of_database(error: DatabaseError) -> TransportError {
    let kind = if error.is_transient() { TransportErrorKind::Unreachable } else { TransportErrorKind::Refused };
    error.of_kind(kind)
}
