//! How a service is given databases: outboxes to publish from, and handlers whose effects are transactions.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{Error, ErrorKind, Running, Service, running::draw_instance};
use crate::{
    event::Event,
    handler::TransactionalHandler,
    health::Kind,
    outbox::{Database, DatabaseError, Outbox},
    pipeline::{self, Subscription, Transacted},
    publisher::Line,
    relay::{Forgetter, Relay, RelayOptions},
    time::Wall,
};

/// How long the ids of handled messages are kept: longer than any broker keeps a message (I4).
const MARKS_KEPT: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// The databases of a service.
#[derive(Default)]
pub(super) struct Databases {
    relays: Vec<(Arc<dyn Outbox>, RelayOptions)>,
    /// Those with marks in them, by name.
    inboxes: BTreeMap<String, Arc<dyn Outbox>>,
    marks_kept: Option<Duration>,
    others: Vec<Other>,
}

type Start = Box<dyn FnOnce(&Line, &Wall, &mut Running) + Send>;

/// Something else that works on a database.
pub(super) struct Other {
    /// What is wrong with it, if something is.
    pub(super) mistake: Option<String>,
    pub(super) start: Start,
}

/// A service that is about to be given a transactional handler; made by [`Service::transactional`].
#[must_use = "it is for one handler: call `on`"]
pub struct Transactional<S, D> {
    service: Service<S>,
    database: D,
}

impl<S: Send + Sync + 'static> Service<S> {
    /// Publishes what is committed to this outbox, while the service runs. Any number of services may do so for one.
    pub fn outbox(self, outbox: &(impl Outbox + Clone)) -> Self {
        self.outbox_with(outbox, |options| options)
    }

    /// Publishes what is committed to this outbox, in a way of its own.
    pub fn outbox_with(
        mut self,
        outbox: &(impl Outbox + Clone),
        choose: impl FnOnce(RelayOptions) -> RelayOptions,
    ) -> Self {
        self.parts.databases.relays.push((Arc::new(outbox.clone()), choose(RelayOptions::default())));
        self
    }

    /// Gives the next handler a transaction: its effect, that it has handled the message, and what it publishes with
    /// [`in_transaction`](crate::Publisher::in_transaction) are one commit, and happen once (I1).
    ///
    /// # Examples
    /// See the guide, `docs::outbox`.
    pub fn transactional<D: Database>(mut self, database: &D) -> Transactional<S, D> {
        self.parts.databases.inboxes.insert(database.name(), Arc::new(database.clone()));
        Transactional { service: self, database: database.clone() }
    }

    /// How long it is remembered which messages were handled by transactional handlers. A copy that comes later is handled
    /// again, so it must be longer than any broker keeps one, dead letters too. Default: 14 days.
    pub fn marks_kept(mut self, time: Duration) -> Self {
        self.parts.databases.marks_kept = Some(time);
        self
    }
}

impl<S: Send + Sync + 'static, D: Database> Transactional<S, D> {
    /// Handles events of type `E`, each in a transaction of its own.
    pub fn on<E: Event>(self, handler: impl TransactionalHandler<E, S, D::Tx>) -> Service<S> {
        self.on_with::<E>(handler, |subscription| subscription)
    }

    /// Handles events of type `E`, each in a transaction of its own, with choices of its own.
    pub fn on_with<E: Event>(
        self,
        handler: impl TransactionalHandler<E, S, D::Tx>,
        choose: impl FnOnce(Subscription<E>) -> Subscription<E>,
    ) -> Service<S> {
        let Self { service, database } = self;
        let name = pipeline::name_of(&handler);
        let run = Arc::new(Transacted::<E, S, _, D>::new(handler, service.state.clone(), database));
        service.subscribe::<E>(name, run, choose(Subscription::default()))
    }
}

impl Running {
    /// How many messages wait in the service's outboxes; those that are parked are not among them, nor are timeouts of
    /// processes that no relay has had.
    ///
    /// # Errors
    /// A database cannot be asked.
    pub async fn unpublished(&self) -> Result<u64, DatabaseError> {
        let mut all = 0;
        for outbox in &self.outboxes {
            all += outbox.waiting().await?;
        }
        Ok(all)
    }

    /// Have the projections of the service handled all that can be read of their stores, and is all published that it
    /// publishes of stores? One that stands still, or whose database cannot be asked, does not count.
    pub async fn is_projected(&self) -> bool {
        for is_done in &self.projections {
            if !is_done().await {
                return false;
            }
        }
        true
    }
}

impl Databases {
    pub(super) fn is_empty(&self) -> bool {
        self.relays.is_empty() && self.others.is_empty()
    }

    #[cfg_attr(not(feature = "store"), expect(dead_code, reason = "there are no projections without a store"))]
    pub(super) fn add(&mut self, other: Other) {
        self.others.push(other);
    }

    /// Can all of it be started?
    pub(super) fn check(&self) -> Result<(), Error> {
        let mistake = self.others.iter().find_map(|other| other.mistake.clone());
        mistake.map_or(Ok(()), |text| Err(Error::new(ErrorKind::Setting, text)))
    }

    /// Starts what publishes, what forgets and what else there is.
    pub(super) fn start(self, line: &Line, wall: &Wall, running: &mut Running) {
        for (outbox, options) in self.relays {
            let light = running.board.light(Kind::Outbox, outbox.name());
            running.outboxes.push(outbox.clone());
            let relay = Relay {
                outbox,
                options,
                id: draw_instance(&line.dice),
                line: line.clone(),
                wall: wall.clone(),
                dice: line.dice.clone(),
                draining: running.lifecycle.draining().clone(),
                light,
            };
            running.lifecycle.spawn(relay.run());
        }
        let kept = self.marks_kept.unwrap_or(MARKS_KEPT);
        if kept < MARKS_KEPT && !self.inboxes.is_empty() {
            tracing::warn!(?kept, least = ?MARKS_KEPT, "brokers may keep messages for longer than their ids are kept");
        }
        for inbox in self.inboxes.into_values() {
            let draining = running.lifecycle.draining().clone();
            running.lifecycle.spawn(Forgetter { inbox, kept, draining }.run());
        }
        for other in self.others {
            (other.start)(line, wall, running);
        }
    }
}
