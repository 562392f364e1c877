//! From a topic to the queues bound to it.

use std::collections::HashMap;

use crate::{
    event::{Attributes, Policy},
    transport::{Binding, Outgoing},
};

/// A queue's number in its broker.
pub(super) type QueueId = usize;

/// The bindings of one topic, those that ask for an event found by its name.
#[derive(Debug, Default)]
pub(super) struct Routes {
    any: Vec<Route>,
    by_name: HashMap<&'static str, Vec<Route>>,
}

#[derive(Debug)]
struct Route {
    queue: QueueId,
    binding: Binding,
}

/// Where a message goes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Targets {
    /// Is any queue bound for the event, whatever its policy?
    pub(super) bound: bool,
    /// The queues that want it, each once, in ascending order.
    pub(super) queues: Vec<QueueId>,
}

impl Targets {
    /// One queue, if it is there.
    pub(super) fn only(queue: Option<QueueId>) -> Self {
        Self { bound: queue.is_some(), queues: queue.into_iter().collect() }
    }
}

impl Routes {
    /// Binds a queue, once.
    pub(super) fn bind(&mut self, queue: QueueId, binding: &Binding) {
        if self.has(queue, binding) {
            return;
        }
        let routes = if binding.by_name { self.by_name.entry(binding.event).or_default() } else { &mut self.any };
        routes.push(Route { queue, binding: binding.clone() });
    }

    /// Lets go of a queue.
    pub(super) fn unbind(&mut self, queue: QueueId) {
        let all = self.by_name.values_mut().chain([&mut self.any]);
        all.for_each(|routes| routes.retain(|route| route.queue != queue));
    }

    /// Is the queue bound so?
    pub(super) fn has(&self, queue: QueueId, binding: &Binding) -> bool {
        let named = self.by_name.get(binding.event).into_iter().flatten();
        self.any.iter().chain(named).any(|route| route.queue == queue && route.binding == *binding)
    }

    /// The queues this message goes to.
    pub(super) fn targets(&self, message: &Outgoing) -> Targets {
        let named = self.by_name.get(&*message.event).into_iter().flatten();
        let mut targets = Targets::default();
        for route in self.any.iter().chain(named) {
            targets.bound = true;
            if wants(&route.binding.policy, &message.sealed.attributes) {
                targets.queues.push(route.queue);
            }
        }
        targets.queues.sort_unstable();
        targets.queues.dedup();
        targets
    }
}

fn wants(policy: &Policy, attributes: &Attributes) -> bool {
    policy.is_empty() || policy.matches(attributes)
}
