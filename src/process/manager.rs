//! The transactional handler of a process: loads it, has it react, and records, publishes and sets what it decided.

use std::{borrow::Cow, fmt, marker::PhantomData, time::Duration};

use super::{Process, Reaction};
use crate::{
    envelope::MessageId,
    event::Event,
    handler::{Context, HandlerError, TransactionalHandler},
    outbox::{DatabaseError, Due, Row, Timeout, Timeouts},
    publisher::Publisher,
    store::{self, Append, EventSet, Expected, Store, StoreError, Stored, StreamId, Streams, Version, each},
    transport::PublishError,
};

/// How often an event is taken up when others were faster.
const ATTEMPTS: u32 = 16;

/// Handles the events that come to processes of one kind, each in a transaction: that it was handled, what the process
/// has become, what it publishes and its timeouts are one commit.
///
/// It is given to [`Service::transactional`](crate::Service::transactional) once for each type of event, timeouts too. The
/// store must be in that database, and the service must relay its outbox. Clones are cheap.
///
/// # Examples
/// ```no_run
/// # mod contracts { tegami::include_contracts!(); }
/// # use contracts::shop::{fulfilment::v1::ParcelOverdue, orders::v1::OrderPaid};
/// # use tegami::process::{Process, Reaction};
/// # tegami::event_set! {
/// #     #[derive(Clone)]
/// #     enum Step { Paid(OrderPaid), Overdue(ParcelOverdue) }
/// # }
/// # #[derive(Default)]
/// # struct Fulfilment;
/// # impl Process for Fulfilment {
/// #     const KIND: &'static str = "fulfilment";
/// #     type Event = Step;
/// #     fn evolve(&mut self, _: &Step) {}
/// #     fn react(&self, _: &Step) -> Reaction<Step> { Reaction::none() }
/// # }
/// # #[cfg(feature = "sqlite")]
/// # fn example(db: tegami::sqlite::Database) -> tegami::Service {
/// use tegami::{Service, process::Manager, store::Store};
///
/// let fulfilment = Manager::<Fulfilment>::new(Store::new(db.store()));
/// Service::new("shop")
///     .transactional(&db).on::<OrderPaid>(fulfilment.clone())
///     .transactional(&db).on::<ParcelOverdue>(fulfilment)
///     .outbox(&db)
/// # }
/// # fn main() {}
/// ```
pub struct Manager<P> {
    store: Store,
    process: PhantomData<fn() -> P>,
}

/// What comes to a process, and with which message.
struct Came<'a, V, S> {
    stream: StreamId,
    event: V,
    ctx: &'a Context<S>,
}

/// What a process decided, as it is kept.
struct Decided<V> {
    published: Vec<(V, Row)>,
    timeouts: Vec<Row>,
    cancelled: Vec<&'static str>,
}

impl<P: Process> Manager<P> {
    /// Processes whose streams are in this store.
    pub fn new(store: Store) -> Self {
        Self { store, process: PhantomData }
    }

    /// The stream of the process with this id.
    ///
    /// # Errors
    /// `Invalid`: the id cannot be a part of a stream's name.
    pub fn stream(id: &str) -> Result<StreamId, StoreError> {
        StreamId::of(P::KIND, id)
    }

    /// The process with this id, as it is; one to which nothing came is as new.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub async fn load(&self, id: &str) -> Result<P, StoreError> {
        Ok(load(&mut &self.store, &Self::stream(id)?).await?.0)
    }

    /// Takes up what came; the conflict, if others were faster.
    async fn take_up<S, T>(&self, came: &Came<'_, P::Event, S>, tx: &mut T) -> Result<Option<StoreError>, HandlerError>
    where
        S: Send + Sync,
        T: Timeouts + store::Transaction,
    {
        let (owner, id) = (came.stream.as_str(), came.ctx.message_id());
        let (mut process, version): (P, _) = load(&mut self.store.in_transaction(tx), &came.stream).await?;
        // Only behind the load: what is cancelled from there on makes the append a conflict.
        let timeout = tx.timeout(owner, id).await?;
        if timeout == Timeout::Cancelled || process.is_over() {
            tracing::debug!(process = %came.stream, "nothing follows: the timeout was cancelled, or the process is over");
            end(tx, timeout, (owner, id)).await?;
            return Ok(None);
        }
        process.evolve(&came.event);
        let decided = Decided::of(process.react(&came.event), &came.ctx.publisher()).await?;
        match self.store.in_transaction(tx).append(decided.append(came, version)?).await {
            Err(conflict) if conflict.kind().is_conflict() => return Ok(Some(conflict)),
            appended => appended?,
        };
        decided.published.iter().for_each(|(event, _)| process.evolve(event));
        end(tx, timeout, (owner, id)).await?;
        decided.keep(tx, owner, process.is_over()).await?;
        Ok(None)
    }
}

/// Forgets the timeout that came; most messages are none.
async fn end(tx: &mut impl Timeouts, timeout: Timeout, (owner, id): (&str, &MessageId)) -> Result<(), DatabaseError> {
    if timeout == Timeout::None { Ok(()) } else { tx.end_timeout(owner, id).await }
}

/// The process of a stream, and where that is.
async fn load<P: Process>(streams: &mut impl Streams, stream: &StreamId) -> Result<(P, Version), StoreError> {
    let (mut process, mut version) = (P::default(), Version::START);
    let step = |stored: Stored<P::Event>| {
        process.evolve(&stored.event);
        version = stored.version;
    };
    each(streams, stream, Version::START, step).await?;
    Ok((process, version))
}

impl<V: EventSet> Decided<V> {
    async fn of(reaction: Reaction<V>, publisher: &Publisher) -> Result<Self, PublishError> {
        let (mut published, mut timeouts) = (Vec::new(), Vec::new());
        for sent in reaction.published {
            let row = sent.row(publisher, Duration::ZERO).await?;
            published.push((sent.event, row));
        }
        for (after, sent) in reaction.timeouts {
            let row = sent.row(publisher, after).await?;
            // One that is due at once is delayed too: only those can be cancelled.
            let due = row.due.or(row.outgoing.time.map(|time| Due::In(Duration::ZERO, time)));
            timeouts.push(row.due(due));
        }
        Ok(Self { published, timeouts, cancelled: reaction.cancelled })
    }

    /// The stream gets what came, and then what is published for it, with the ids of the messages.
    fn append<S>(&self, came: &Came<'_, V, S>, version: Version) -> Result<Append, StoreError> {
        let append = Append::to(came.stream.clone()).expecting(Expected::Exactly(version)).event(&came.event)?;
        let append = self.published.iter().try_fold(append, |append, (event, row)| {
            let mut entry = event.entry()?;
            entry.message.head.id = Some(row.outgoing.id.clone());
            Ok::<_, StoreError>(append.entry(entry))
        })?;
        Ok(append.caused_by(came.ctx.head()))
    }

    async fn keep(&self, tx: &mut impl Timeouts, owner: &str, is_over: bool) -> Result<(), DatabaseError> {
        for (_, row) in &self.published {
            tx.put(row).await?;
        }
        if is_over {
            return tx.cancel_timeouts(owner, None).await;
        }
        for event in &self.cancelled {
            tx.cancel_timeouts(owner, Some(event)).await?;
        }
        for row in &self.timeouts {
            tx.set_timeout(owner, row).await?;
        }
        Ok(())
    }
}

impl<P, E, S, T> TransactionalHandler<E, S, T> for Manager<P>
where
    P: Process<Event: From<E>>,
    E: Event,
    S: Send + Sync + 'static,
    T: Timeouts + store::Transaction + 'static,
{
    async fn call(&self, event: E, ctx: Context<S>, tx: &mut T) -> Result<(), HandlerError> {
        let key = event.key().map(Cow::into_owned);
        let event = P::Event::from(event);
        let id = P::id(&event, key.as_deref()).ok_or_else(|| nobody::<P, E>())?;
        let stream = Self::stream(id).map_err(HandlerError::reject)?;
        let came = Came { stream, event, ctx: &ctx };
        let mut attempt = 1;
        while let Some(conflict) = self.take_up(&came, tx).await? {
            if attempt == ATTEMPTS {
                return Err(conflict.into());
            }
            attempt += 1;
        }
        Ok(())
    }
}

fn nobody<P: Process, E: Event>() -> HandlerError {
    let (event, kind) = (E::CONTRACT.name, P::KIND);
    let text = format!("event `{event}` names no process of the kind `{kind}`: its key is empty; see `Process::id`");
    HandlerError::reject(text)
}

impl<P> Clone for Manager<P> {
    fn clone(&self) -> Self {
        Self { store: self.store.clone(), process: PhantomData }
    }
}

impl<P: Process> fmt::Debug for Manager<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Manager").field("kind", &P::KIND).field("store", &self.store).finish_non_exhaustive()
    }
}
