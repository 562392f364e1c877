//! A whole broker as a pure state machine: topics, bindings, queues. No clock, no task, no waiting.

use std::{collections::HashMap, sync::Arc};

use tokio::time::Instant;

use super::{
    dead::DeadLetters,
    instances::Instances,
    queue::{Depth, Handed, Queue, Settled, Wake},
    routes::{QueueId, Routes, Targets},
};
use crate::transport::{DeadLetter, Outgoing, Reach, Settlement};

/// Everything a broker holds.
#[derive(Debug)]
pub(super) struct State {
    pub(super) capacity: usize,
    pub(super) topics: HashMap<String, Topic>,
    pub(super) names: HashMap<String, QueueId>,
    pub(super) declared: Vec<Declared>,
    pub(super) queues: Vec<Queue>,
    /// By queue, as those before; that of an instance keeps its own in the queue that is planned.
    pub(super) dead: Vec<DeadLetters>,
    pub(super) instances: Instances,
    pub(super) unsettled: usize,
    unroutable: u64,
}

/// One topic: where it leads, and whether a plan promised order for it.
#[derive(Debug, Default)]
pub(super) struct Topic {
    pub(super) ordered: Option<bool>,
    pub(super) routes: Routes,
}

/// What a plan said of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Declared {
    pub(super) ordered: bool,
    pub(super) reach: Reach,
    pub(super) dead_letters: String,
}

/// What became of a publish.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Published {
    /// It is in every queue that wants it.
    Stored(Vec<(QueueId, Wake)>),
    /// No queue is bound for the event.
    Unroutable,
    /// This queue has no room, so it went nowhere.
    Full(QueueId),
}

impl State {
    /// A broker with nothing in it.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            topics: HashMap::new(),
            names: HashMap::new(),
            declared: Vec::new(),
            queues: Vec::new(),
            dead: Vec::new(),
            instances: Instances::default(),
            unsettled: 0,
            unroutable: 0,
        }
    }

    /// Adds an empty queue.
    pub(super) fn declare(&mut self, name: &str, declared: Declared) -> QueueId {
        let queue = self.add(declared);
        self.names.insert(name.to_owned(), queue);
        queue
    }

    /// Adds an empty queue that has no name.
    pub(super) fn add(&mut self, declared: Declared) -> QueueId {
        self.queues.push(Queue::new(declared.ordered, self.capacity));
        self.dead.push(DeadLetters::new(self.capacity));
        self.declared.push(declared);
        self.queues.len() - 1
    }

    /// Stores a message in every queue that wants it, or in none.
    pub(super) fn publish(&mut self, message: &Arc<Outgoing>, now: Instant) -> Published {
        let targets = match &message.queue {
            Some(queue) => Targets::only(self.names.get(queue).copied()),
            None => self.topics.get(&*message.topic).map(|topic| topic.routes.targets(message)).unwrap_or_default(),
        };
        if !targets.bound {
            if !message.allow_unroutable {
                return Published::Unroutable;
            }
            self.unroutable += 1;
        }
        if let Some(full) = targets.queues.iter().find(|queue| !self.queues[**queue].has_room()) {
            return Published::Full(*full);
        }
        self.unsettled += targets.queues.len();
        let queues = targets.queues.into_iter();
        Published::Stored(queues.map(|queue| (queue, self.queues[queue].push(message.clone(), now))).collect())
    }

    /// Hands out at most `room` messages of a queue.
    pub(super) fn take(&mut self, queue: QueueId, room: usize, connection: u64, now: Instant) -> (Vec<Handed>, Wake) {
        self.queues[queue].take(room, connection, now)
    }

    /// Settles a handed-out message.
    pub(super) fn settle(&mut self, queue: QueueId, tag: u64, settlement: Settlement, now: Instant) -> (Settled, Wake) {
        let dead = &mut self.dead[self.instances.planned(queue)];
        let (settled, wake) = self.queues[queue].settle(tag, settlement, now, dead);
        self.unsettled -= wake.room;
        (settled, wake)
    }

    /// Takes back all that a connection was handed and has not settled.
    pub(super) fn give_back(&mut self, connection: u64, now: Instant) -> Vec<(QueueId, Wake)> {
        let queues = self.queues.iter_mut().enumerate();
        queues.map(|(queue, state)| (queue, state.give_back(connection, now))).collect()
    }

    /// Puts a dead letter back into its queue; none, if it is gone, or there is no room for it.
    pub(super) fn put_back(&mut self, queue: QueueId, number: u64, now: Instant) -> Option<Wake> {
        if !self.queues[queue].has_room() {
            return None;
        }
        let entry = self.dead[queue].take(number)?;
        self.unsettled += 1;
        Some(self.queues[queue].put_back(entry, now))
    }

    /// The dead letters of a queue, oldest first.
    pub(super) fn dead_letters(&self, queue: QueueId, limit: usize) -> Vec<DeadLetter> {
        self.dead[queue].look(limit)
    }

    /// When the queue's first delay ends.
    pub(super) fn earliest(&self, queue: QueueId) -> Option<Instant> {
        self.queues[queue].earliest()
    }

    /// How much is in a queue, or in those of its instances.
    pub(super) fn depth(&self, queue: QueueId) -> Depth {
        let begun = Depth { dead: self.dead[queue].count(), ..self.queues[queue].depth() };
        self.instances.of(queue).fold(begun, |sum, instance| sum.and(self.queues[instance].depth()))
    }

    /// How many messages were allowed to go nowhere.
    pub(super) fn unroutable(&self) -> u64 {
        self.unroutable
    }

    /// Is every message of this queue settled?
    pub(super) fn is_empty(&self, queue: QueueId) -> bool {
        self.queues[queue].unsettled() == 0
    }

    /// Is every message settled?
    pub(super) fn is_quiet(&self) -> bool {
        self.unsettled == 0
    }
}
