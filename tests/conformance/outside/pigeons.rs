//! A transport of nothing but vectors: no order, no delayed publish, no word on messages that go nowhere.

use std::{
    collections::BTreeMap,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use async_trait::async_trait;
use tegami::{
    envelope::{MessageId, Sealed},
    time::Clock,
    transport::{
        Capabilities, DeadLetter, Deliveries, Delivery, Fate, Lease, Outgoing, Provision, PublishError,
        PublishErrorKind, QueuePlan, SettleError, SettleErrorKind, Settlement, Sorter, Topology, Transport,
        TransportError, TransportErrorKind,
    },
};
use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

/// One connection to a loft.
#[derive(Default)]
pub struct Pigeons {
    loft: Arc<Loft>,
    connection: u64,
    closed: CancellationToken,
}

struct Loft {
    queues: Mutex<BTreeMap<String, Queue>>,
    news: Notify,
    numbers: AtomicU64,
    clock: Clock,
}

impl Default for Loft {
    fn default() -> Self {
        Self { queues: Mutex::default(), news: Notify::new(), numbers: AtomicU64::new(0), clock: Clock::system() }
    }
}

struct Queue {
    plan: QueuePlan,
    letters: Vec<Letter>,
    dead: Vec<DeadLetter>,
}

/// A message that is not settled.
struct Letter {
    id: MessageId,
    sealed: Sealed,
    attempt: u32,
    redelivered: bool,
    first: Option<SystemTime>,
    due: Instant,
    held: Option<Hold>,
}

/// Who was handed a letter, and on which occasion.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Hold {
    connection: u64,
    number: u64,
}

impl Loft {
    fn queues(&self) -> MutexGuard<'_, BTreeMap<String, Queue>> {
        self.queues.lock().expect("no panic happens while the loft is held")
    }

    fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed) + 1
    }
}

impl Queue {
    fn push(&mut self, id: MessageId, sealed: Sealed, redelivered: bool) {
        self.letters.push(Letter { id, sealed, attempt: 1, redelivered, first: None, due: Instant::now(), held: None });
    }

    /// A dead letter goes back, or for good.
    fn leave(&mut self, place: usize, fate: Fate) {
        let letter = self.dead.remove(place);
        if fate == Fate::Back {
            let sealed = Sealed { body: letter.payload().clone(), attributes: letter.attributes().clone() };
            self.push(letter.id().cloned().expect("every letter has one"), sealed, true);
        }
    }

    fn free(&mut self) -> impl Iterator<Item = &mut Letter> {
        self.letters.iter_mut().filter(|letter| letter.held.is_none())
    }

    fn wants(&self, outgoing: &Outgoing) -> bool {
        if let Some(queue) = &outgoing.queue {
            return self.plan.name == *queue;
        }
        let mut bindings = self.plan.bindings.iter();
        bindings.any(|to| to.topic == outgoing.topic && (!to.by_name || to.event == outgoing.event))
    }
}

impl Pigeons {
    /// Another connection to the same loft.
    pub fn connected(&self) -> Self {
        Self { loft: self.loft.clone(), connection: self.loft.number(), closed: CancellationToken::new() }
    }

    fn on<T>(&self, queue: &str, look: impl FnOnce(&mut Queue) -> T) -> Result<T, TransportError> {
        let mut queues = self.loft.queues();
        match queues.get_mut(queue).filter(|_| !self.closed.is_cancelled()) {
            Some(queue) => Ok(look(queue)),
            None if self.closed.is_cancelled() => Err(closed()),
            None => Err(TransportError::new(TransportErrorKind::Missing, format!("there is no queue `{queue}`"))),
        }
    }
}

fn closed() -> TransportError {
    TransportError::new(TransportErrorKind::Closed, "the pigeons have left")
}

#[async_trait]
impl Transport for Pigeons {
    fn name(&self) -> &'static str {
        "pigeons"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::none().exact_attempts()
    }

    async fn provision(&self, topology: &Topology, mode: Provision) -> Result<(), TransportError> {
        for plan in &topology.queues {
            if plan.ordered {
                return Err(TransportError::new(TransportErrorKind::Unsupported, "pigeons keep no order"));
            }
            match mode {
                Provision::Create if self.closed.is_cancelled() => return Err(closed()),
                Provision::Create => {
                    let new = Queue { plan: plan.clone(), letters: Vec::new(), dead: Vec::new() };
                    self.loft.queues().entry(plan.name.clone()).or_insert(new).plan = plan.clone();
                }
                Provision::Verify => self.on(&plan.name, |_| ())?,
                Provision::Assume => {}
            }
        }
        Ok(())
    }

    async fn publish(&self, outgoing: Outgoing) -> Result<(), PublishError> {
        let refused = |kind, text| Err(PublishError::new(kind, text));
        if self.closed.is_cancelled() {
            return refused(PublishErrorKind::Closed, "the pigeons have left");
        }
        if outgoing.ordered || outgoing.delay.is_some() {
            return refused(PublishErrorKind::Unsupported, "pigeons keep no order and do not wait");
        }
        let mut queues = self.loft.queues();
        if outgoing.queue.as_ref().is_some_and(|queue| !queues.contains_key(queue)) {
            return refused(PublishErrorKind::Unroutable, "no pigeon knows this queue");
        }
        for queue in queues.values_mut().filter(|queue| queue.wants(&outgoing)) {
            queue.push(outgoing.id.clone(), outgoing.sealed.clone(), false);
        }
        drop(queues);
        self.loft.news.notify_waiters();
        Ok(())
    }

    async fn consume(&self, queue: &QueuePlan) -> Result<Box<dyn Deliveries>, TransportError> {
        self.on(&queue.name, |_| ())?;
        let pigeons = Pigeons { loft: self.loft.clone(), connection: self.connection, closed: self.closed.clone() };
        Ok(Box::new(Flock { pigeons, queue: queue.name.clone() }))
    }

    async fn dead_letters(&self, queue: &str, limit: usize) -> Result<Vec<DeadLetter>, TransportError> {
        self.on(queue, |queue| queue.dead.iter().take(limit).cloned().collect())
    }

    async fn sort_dead_letters(&self, queue: &str, sorter: &mut dyn Sorter) -> Result<(), TransportError> {
        // What dies meanwhile is not among these.
        let ids: Vec<_> = self.on(queue, |queue| queue.dead.iter().filter_map(|dead| dead.id().cloned()).collect())?;
        let mut ids = ids.into_iter();
        loop {
            let some: Vec<_> = ids.by_ref().take(sorter.room().await).collect();
            if some.is_empty() {
                break;
            }
            for id in some {
                let of = |queue: &Queue| queue.dead.iter().position(|dead| dead.id() == Some(&id));
                let Some(letter) = self.on(queue, |queue| of(queue).map(|place| queue.dead[place].clone()))? else {
                    continue;
                };
                let fate = sorter.fate(&letter);
                let left = fate != Fate::Stay
                    && self.on(queue, |queue| of(queue).map(|place| queue.leave(place, fate)))?.is_some();
                if left {
                    sorter.left(fate);
                }
            }
        }
        self.loft.news.notify_waiters();
        Ok(())
    }

    async fn close(&self) {
        let mut queues = self.loft.queues();
        self.closed.cancel();
        for letter in queues.values_mut().flat_map(|queue| &mut queue.letters) {
            letter.held = letter.held.filter(|hold| hold.connection != self.connection);
        }
        drop(queues);
        self.loft.news.notify_waiters();
    }
}

/// The consuming end of one queue.
struct Flock {
    pigeons: Pigeons,
    queue: String,
}

#[async_trait]
impl Deliveries for Flock {
    async fn next(&mut self, room: usize) -> Result<Vec<Delivery>, TransportError> {
        loop {
            let mut news = pin!(self.pigeons.loft.news.notified());
            // Registered before the look: what comes after it wakes us.
            news.as_mut().enable();
            let (found, due) = self.pigeons.on(&self.queue, |queue| self.take(queue, room.max(1)))?;
            if !found.is_empty() {
                return Ok(found);
            }
            tokio::select! {
                () = news => {}
                () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
            }
        }
    }
}

impl Flock {
    /// What there is, and when there will be more.
    fn take(&self, queue: &mut Queue, room: usize) -> (Vec<Delivery>, Option<Instant>) {
        let now = Instant::now();
        let ripe = queue.free().filter(|letter| letter.due <= now);
        let found = ripe.take(room).map(|letter| self.hand(letter)).collect();
        (found, queue.free().map(|letter| letter.due).min())
    }

    fn hand(&self, letter: &mut Letter) -> Delivery {
        let (loft, queue) = (self.pigeons.loft.clone(), self.queue.clone());
        let hold = Hold { connection: self.pigeons.connection, number: loft.number() };
        let first = *letter.first.get_or_insert_with(|| loft.clock.now());
        let mut delivery = Delivery::new(letter.sealed.clone(), letter.attempt, Held { loft, queue, hold });
        (delivery.id, delivery.redelivered) = (Some(letter.id.clone()), letter.redelivered);
        delivery.first_delivered = Some(first);
        (letter.held, letter.redelivered) = (Some(hold), true);
        delivery
    }
}

/// The lease on one letter.
struct Held {
    loft: Arc<Loft>,
    queue: String,
    hold: Hold,
}

impl Held {
    fn tell(&self, settlement: Settlement) -> Result<(), SettleError> {
        let mut queues = self.loft.queues();
        let queue = queues.get_mut(&self.queue).expect("no queue is ever removed");
        let place = queue.letters.iter().position(|letter| letter.held == Some(self.hold));
        let lost = || SettleError::new(SettleErrorKind::Lost, "somebody else has the letter");
        let mut letter = queue.letters.swap_remove(place.ok_or_else(lost)?);
        letter.held = None;
        match settlement {
            Settlement::Ack => {}
            Settlement::Release => queue.letters.push(letter),
            Settlement::Retry { after } => {
                (letter.attempt, letter.due) = (letter.attempt + 1, Instant::now() + after);
                queue.letters.push(letter);
            }
            Settlement::DeadLetter(reason) => queue.dead.push(DeadLetter::new(Some(letter.id), letter.sealed, reason)),
        }
        drop(queues);
        self.loft.news.notify_waiters();
        Ok(())
    }
}

#[async_trait]
impl Lease for Held {
    async fn settle(self: Box<Self>, settlement: Settlement) -> Result<(), SettleError> {
        self.tell(settlement)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Settled before, or lost: then there is nothing to give back.
        let _ = self.tell(Settlement::Release);
    }
}
