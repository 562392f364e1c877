//! The broker that connections share: the state behind its lock, and the bells that wake whoever waits.
//!
//! Nothing here waits, and no bell is rung while the lock is held.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

use super::{
    queue::{Wake, end_of},
    routes::QueueId,
    state::{Published, State},
};
use crate::{time::Clock, transport::Outgoing};

/// What one broker's connections share.
#[derive(Debug)]
pub(super) struct Broker {
    pub(super) clock: Clock,
    pub(super) deadline: Duration,
    pub(super) quiet: Notify,
    connections: AtomicU64,
    held: Mutex<Held>,
}

/// What the lock guards.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) state: State,
    bells: Vec<Arc<Bell>>,
    readers: Vec<usize>,
    log: VecDeque<Arc<Outgoing>>,
    log_limit: usize,
}

/// Wakes those who wait at one queue.
#[derive(Debug, Default)]
pub(super) struct Bell {
    /// For consumers: something became ready, or will sooner.
    pub(super) ready: Notify,
    /// For publishers: a place became free.
    pub(super) room: Notify,
}

impl Bell {
    /// Wakes as many as the change is good for.
    pub(super) fn ring(&self, wake: Wake) {
        match wake {
            Wake { ready: 1, sooner: false, .. } => self.ready.notify_one(),
            Wake { ready: 0, sooner: false, .. } => {}
            _ => self.ready.notify_waiters(),
        }
        for _ in 0..wake.room {
            self.room.notify_one();
        }
    }
}

/// A publish's answer at once.
pub(super) enum Answer {
    Stored,
    Unroutable,
    Full(Arc<Bell>),
}

impl Broker {
    pub(super) fn new(capacity: usize, deadline: Duration, clock: Clock, log_limit: usize) -> Self {
        let held = Held {
            state: State::new(capacity),
            bells: Vec::new(),
            readers: Vec::new(),
            log: VecDeque::new(),
            log_limit,
        };
        let (quiet, connections) = (Notify::new(), AtomicU64::new(0));
        Self { clock, deadline, quiet, connections, held: Mutex::new(held) }
    }

    /// The number of a new connection.
    pub(super) fn connect(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn now(&self) -> Instant {
        self.clock.instant()
    }

    /// When a publish that begins now stops to wait for room.
    pub(super) fn publish_deadline(&self) -> Instant {
        end_of(self.deadline, self.now())
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().expect("no panic happens while the broker is held")
    }

    /// Stores a message, if there is room at once.
    pub(super) fn publish(&self, message: &Arc<Outgoing>) -> Answer {
        let now = self.now();
        let mut held = self.lock();
        let wakes = match held.state.publish(message, now) {
            Published::Stored(wakes) => wakes,
            Published::Unroutable => return Answer::Unroutable,
            Published::Full(queue) => return Answer::Full(held.bell(queue)),
        };
        held.record(message);
        let rings = held.rings(wakes);
        drop(held);
        ring(rings);
        Answer::Stored
    }

    /// Removes what is a connection's own, and takes back all else that it was handed and has not settled.
    pub(super) fn leave(&self, connection: u64) {
        let now = self.now();
        let mut held = self.lock();
        let mut wakes = held.state.disown(connection);
        wakes.extend(held.state.give_back(connection, now));
        let (rings, is_quiet) = (held.rings(wakes), held.state.is_quiet());
        drop(held);
        ring(rings);
        self.tell_quiet(is_quiet);
    }

    /// Tells those who wait for quiet, if it is.
    pub(super) fn tell_quiet(&self, is_quiet: bool) {
        if is_quiet {
            self.quiet.notify_waiters();
        }
    }

    /// The newest accepted publishes, oldest first.
    pub(super) fn log(&self) -> Vec<Outgoing> {
        self.lock().log.iter().map(|message| Outgoing::clone(message)).collect()
    }
}

impl Held {
    /// The bell of a queue; queues are only ever added, so bells are made as they are asked for.
    pub(super) fn bell(&mut self, queue: QueueId) -> Arc<Bell> {
        if self.bells.len() <= queue {
            self.bells.resize_with(queue + 1, Arc::default);
        }
        self.bells[queue].clone()
    }

    /// One more reads this queue.
    pub(super) fn begin_reading(&mut self, queue: QueueId) {
        if self.readers.len() <= queue {
            self.readers.resize(queue + 1, 0);
        }
        self.readers[queue] += 1;
    }

    /// One less reads this queue.
    pub(super) fn end_reading(&mut self, queue: QueueId) {
        self.readers[queue] -= 1;
    }

    /// Is everything settled in all the queues that somebody reads?
    pub(super) fn is_quiet_where_read(&self) -> bool {
        let mut readers = self.readers.iter().enumerate();
        readers.all(|(queue, readers)| *readers == 0 || self.state.is_empty(queue))
    }

    fn rings(&mut self, wakes: Vec<(QueueId, Wake)>) -> Vec<(Arc<Bell>, Wake)> {
        wakes.into_iter().map(|(queue, wake)| (self.bell(queue), wake)).collect()
    }

    fn record(&mut self, message: &Arc<Outgoing>) {
        if self.log_limit == 0 {
            return;
        }
        if self.log.len() == self.log_limit {
            self.log.pop_front();
        }
        self.log.push_back(message.clone());
    }
}

fn ring(rings: Vec<(Arc<Bell>, Wake)>) {
    for (bell, wake) in rings {
        bell.ring(wake);
    }
}
