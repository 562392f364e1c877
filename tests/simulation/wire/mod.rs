//! A connection to the broker on which everything goes wrong that may: the memory transport behind the world's chance.
//!
//! One per life of a service. Whatever it does, it tells the model what is true; what it tells the service may be less.

mod deliveries;
mod lease;
mod publish;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use tegami::{
    event::{Attributes, Policy, Value},
    transport::{
        Capabilities, DeadLetter, Deliveries, Delivery, Memory, Outgoing, Provision, PublishError, QueuePlan, Sorter,
        Topology, Transport, TransportError, TransportErrorKind,
    },
};
use tokio_util::sync::CancellationToken;

use crate::{
    happened::{Happened, Tag},
    world::World,
};
use deliveries::Unsteady;

/// The attributes that tell a handler which delivery it handles, of which copy.
pub const TAG: &str = "tag";
pub const COPY: &str = "copy";
/// The number of a recorded event, which stands for that of its letter.
pub const PLACE: &str = "place";

/// One connection. Clones are the same.
#[derive(Clone)]
pub struct Wire(Arc<Inner>);

struct Inner {
    world: Arc<World>,
    /// The service's life that uses it.
    by: String,
    /// The names of the queues, as the model counts them.
    queues: Arc<Vec<String>>,
    /// Does the broker hold back what a subscription does not want?
    filters: bool,
    memory: Memory,
    line: Mutex<Line>,
}

/// What a cut takes away.
struct Line {
    cut: CancellationToken,
    /// The deliveries in the service that are still the service's, with what tells it once they are not.
    held: BTreeMap<Tag, (Delivery, CancellationToken)>,
    dead: bool,
}

impl Wire {
    pub fn new(world: &Arc<World>, by: &str, broker: &Memory, queues: &Arc<Vec<String>>, filters: bool) -> Self {
        let line = Line { cut: CancellationToken::new(), held: BTreeMap::new(), dead: false };
        let (world, queues, line) = (world.clone(), queues.clone(), Mutex::new(line));
        Self(Arc::new(Inner { world, by: by.to_owned(), queues, filters, memory: broker.clone(), line }))
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.0.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Cuts the connection: what was handed out on it and is not settled goes back. The next use opens another.
    pub fn cut(&self) {
        let mut line = self.line();
        std::mem::replace(&mut line.cut, CancellationToken::new()).cancel();
        let held = std::mem::take(&mut line.held);
        drop(line);
        held.into_iter().for_each(|(tag, held)| self.take_back(tag, held));
    }

    fn take_back(&self, tag: Tag, (delivery, lost): (Delivery, CancellationToken)) {
        let told = self.0.world.tells_losses;
        self.0.world.note(Happened::Lost { tag, told });
        drop(delivery);
        if told {
            lost.cancel();
        }
    }

    /// Cuts the connection for ever: its process is gone.
    pub fn kill(&self) {
        self.line().dead = true;
        self.cut();
    }

    /// The broker takes some of what it handed out back.
    pub fn lose_leases(&self) {
        let tags: Vec<Tag> = self.line().held.keys().copied().collect();
        for tag in tags.into_iter().filter(|_| self.0.world.draw(0..2) == 0) {
            let held = self.line().held.remove(&tag);
            held.into_iter().for_each(|held| self.take_back(tag, held));
        }
    }

    fn is_down(&self) -> bool {
        self.0.world.is_down() || self.line().dead
    }

    fn up(&self) -> Result<&Memory, TransportError> {
        if self.is_down() { Err(unreachable()) } else { Ok(&self.0.memory) }
    }
}

fn unreachable() -> TransportError {
    TransportError::new(TransportErrorKind::Unreachable, "the broker is away")
}

/// What numbers the letter, its copy or its delivery.
pub fn number(attributes: &Attributes, name: &str) -> u64 {
    known(attributes, name).unwrap_or_else(|| panic!("every letter has a {name}"))
}

/// The same, of what not every letter has.
pub fn known(attributes: &Attributes, name: &str) -> Option<u64> {
    match attributes.get(name)? {
        Value::Integer(number) => Some(u64::try_from(*number).expect("all of them count from 0")),
        _ => None,
    }
}

#[async_trait]
impl Transport for Wire {
    fn name(&self) -> &'static str {
        "simulated"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::none().reports_unroutable().ordered().delay(Duration::from_secs(3600)).exact_attempts()
    }

    async fn provision(&self, topology: &Topology, mode: Provision) -> Result<(), TransportError> {
        let memory = self.up()?;
        let mut topology = topology.clone();
        if !self.0.filters {
            let bindings = topology.queues.iter_mut().flat_map(|queue| &mut queue.bindings);
            bindings.for_each(|binding| binding.policy = Policy::default());
        }
        memory.provision(&topology, mode).await
    }

    async fn publish(&self, outgoing: Outgoing) -> Result<(), PublishError> {
        self.carry(outgoing).await
    }

    async fn consume(&self, queue: &QueuePlan) -> Result<Box<dyn Deliveries>, TransportError> {
        if self.0.world.strikes(20) {
            return Err(unreachable());
        }
        self.0.world.sleep(0..20).await;
        Ok(Box::new(Unsteady::open(self, queue).await?))
    }

    async fn dead_letters(&self, queue: &str, limit: usize) -> Result<Vec<DeadLetter>, TransportError> {
        self.up()?.dead_letters(queue, limit).await
    }

    async fn sort_dead_letters(&self, queue: &str, sorter: &mut dyn Sorter) -> Result<(), TransportError> {
        self.up()?.sort_dead_letters(queue, sorter).await
    }

    async fn close(&self) {
        if self.0.world.strikes(20) {
            self.0.world.sleep(0..5_000).await;
        }
        self.cut();
        self.0.memory.close().await;
    }
}
