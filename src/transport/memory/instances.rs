//! Queues that are an instance's own: they come with its connection and go with it.

use std::collections::HashMap;

use super::{queue::Wake, routes::QueueId, state::State};
use crate::transport::QueuePlan;

/// Which queues are an instance's own.
#[derive(Debug, Default)]
pub(super) struct Instances {
    /// By the queue that is planned and the connection.
    own: HashMap<(QueueId, u64), QueueId>,
    /// The planned queue of each.
    planned: HashMap<QueueId, QueueId>,
    /// Those that are nobody's any more.
    vacant: Vec<QueueId>,
}

impl Instances {
    /// The queue that is planned: this one, unless it is an instance's own.
    pub(super) fn planned(&self, queue: QueueId) -> QueueId {
        *self.planned.get(&queue).unwrap_or(&queue)
    }

    /// The queues of all instances.
    pub(super) fn of(&self, planned: QueueId) -> impl Iterator<Item = QueueId> {
        self.planned.iter().filter(move |(_, of)| **of == planned).map(|(own, _)| *own)
    }
}

impl State {
    /// The connection's own queue for this plan, made and bound if need be.
    pub(super) fn own_queue(&mut self, plan: &QueuePlan, planned: QueueId, connection: u64) -> QueueId {
        if let Some(own) = self.instances.own.get(&(planned, connection)) {
            return *own;
        }
        let declared = self.declared[planned].clone();
        let own = match self.instances.vacant.pop() {
            Some(vacant) => {
                self.queues[vacant].renew(declared.ordered);
                vacant
            }
            None => self.add(declared),
        };
        self.instances.own.insert((planned, connection), own);
        self.instances.planned.insert(own, planned);
        self.bind(own, plan);
        own
    }

    /// Removes what is this connection's own; whom that wakes.
    pub(super) fn disown(&mut self, connection: u64) -> Vec<(QueueId, Wake)> {
        let gone = self.instances.own.extract_if(|(_, of), _| *of == connection).map(|(_, own)| own);
        let gone: Vec<QueueId> = gone.collect();
        gone.into_iter().map(|own| (own, self.remove(own))).collect()
    }

    fn remove(&mut self, own: QueueId) -> Wake {
        self.topics.values_mut().for_each(|topic| topic.routes.unbind(own));
        let room = self.queues[own].unsettled();
        self.unsettled -= room;
        self.queues[own].renew(false);
        self.instances.planned.remove(&own);
        self.instances.vacant.push(own);
        Wake { room, ..Wake::default() }
    }
}
