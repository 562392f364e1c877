//! Brings a plan's topics, queues and bindings into being, or checks that they are there.

use std::collections::HashMap;

use super::{
    routes::QueueId,
    state::{Declared, State},
};
use crate::transport::{Binding, Provision, QueuePlan, Reach, Topology, TransportError, TransportErrorKind};

/// Does what the mode says, and makes the queues that are the connection's own; changes nothing where something differs,
/// and tells that.
pub(super) fn provision(
    state: &mut State,
    topology: &Topology,
    mode: Provision,
    connection: u64,
) -> Result<Vec<TransportError>, TransportError> {
    let differences = match mode {
        Provision::Assume => Vec::new(),
        Provision::Verify => differing(state, topology).into_iter().chain(absent(state, topology)).collect(),
        Provision::Create => differing(state, topology),
    };
    if !differences.is_empty() {
        return Ok(differences);
    }
    if mode == Provision::Create {
        create(state, topology);
    }
    for plan in topology.queues.iter().filter(|plan| plan.reach == Reach::PerInstance) {
        let planned = *state.names.get(&plan.name).ok_or_else(|| missing(format!("queue `{}`", plan.name)))?;
        state.own_queue(plan, planned, connection);
    }
    Ok(differences)
}

/// What the plan names that is there and differs.
fn differing(state: &State, topology: &Topology) -> Vec<TransportError> {
    let known = state.names.iter().map(|(name, queue)| (name.as_str(), &state.declared[*queue]));
    let planned: Vec<_> = topology.queues.iter().map(|plan| (plan, declared(plan))).collect();
    let mut known: HashMap<&str, &Declared> = known.collect();
    let queues = planned.iter().filter_map(|(plan, wanted)| {
        let known = known.entry(&plan.name).or_insert(wanted);
        other(plan, known, wanted)
    });
    let mut found: Vec<_> = queues.map(mismatch).collect();
    for topic in &topology.topics {
        let ordered = state.topics.get(&topic.name).and_then(|topic| topic.ordered);
        if ordered.is_some_and(|ordered| ordered != topic.ordered) {
            let text = format!("topic `{}` is there, but not with `ordered` = {}", topic.name, topic.ordered);
            found.push(mismatch(text));
        }
    }
    found
}

fn other(plan: &QueuePlan, known: &Declared, wanted: &Declared) -> Option<String> {
    if known.ordered != wanted.ordered {
        return Some(format!("queue `{}` is there, but not with `ordered` = {}", plan.name, wanted.ordered));
    }
    if known.reach != wanted.reach {
        return Some(format!("queue `{}` is there, but not as {}", plan.name, wanted.reach));
    }
    let (known, wanted) = (&known.dead_letters, &wanted.dead_letters);
    (known != wanted).then(|| format!("queue `{}` keeps its dead letters in `{known}`, not in `{wanted}`", plan.name))
}

/// What the plan names that is not there.
fn absent(state: &State, topology: &Topology) -> Vec<TransportError> {
    let topics = topology.topics.iter().filter(|topic| !state.topics.contains_key(&topic.name));
    let mut found: Vec<_> = topics.map(|topic| missing(format!("topic `{}`", topic.name))).collect();
    for plan in &topology.queues {
        let queue = state.names.get(&plan.name).copied();
        if queue.is_none() {
            found.push(missing(format!("queue `{}`", plan.name)));
        }
        let has = |binding: &&Binding| {
            let topic = state.topics.get(&binding.topic);
            topic.zip(queue).is_some_and(|(topic, queue)| topic.routes.has(queue, binding))
        };
        let planned = plan.bindings.iter().filter(|_| plan.reach == Reach::Shared);
        found.extend(planned.filter(|binding| !has(binding)).map(|binding| {
            let (topic, event) = (&binding.topic, binding.event);
            missing(format!("the way of `{event}` from topic `{topic}` to queue `{}`", plan.name))
        }));
    }
    found
}

/// Adds what is not there yet.
fn create(state: &mut State, topology: &Topology) {
    for topic in &topology.topics {
        state.topics.entry(topic.name.clone()).or_default().ordered = Some(topic.ordered);
    }
    for plan in &topology.queues {
        let known = state.names.get(&plan.name).copied();
        let queue = known.unwrap_or_else(|| state.declare(&plan.name, declared(plan)));
        if plan.reach == Reach::Shared {
            state.bind(queue, plan);
        }
    }
}

impl State {
    /// Feeds a queue as the plan has it.
    pub(super) fn bind(&mut self, queue: QueueId, plan: &QueuePlan) {
        for binding in &plan.bindings {
            self.topics.entry(binding.topic.clone()).or_default().routes.bind(queue, binding);
        }
    }
}

fn declared(plan: &QueuePlan) -> Declared {
    Declared { ordered: plan.ordered, reach: plan.reach, dead_letters: plan.dead_letters.clone() }
}

fn mismatch(text: String) -> TransportError {
    TransportError::new(TransportErrorKind::Mismatch, text)
}

fn missing(what: String) -> TransportError {
    TransportError::new(TransportErrorKind::Missing, format!("{what} is not there"))
}
