//! Brings a plan's topics, queues and bindings into being, or checks that they are there.

use std::collections::HashMap;

use super::{
    routes::QueueId,
    state::{Declared, State},
};
use crate::transport::{Provision, QueuePlan, Reach, Topology, TransportError, TransportErrorKind};

/// Does what the mode says, and makes the queues that are the connection's own; changes nothing when it fails.
pub(super) fn provision(
    state: &mut State,
    topology: &Topology,
    mode: Provision,
    connection: u64,
) -> Result<(), TransportError> {
    match mode {
        Provision::Assume => {}
        Provision::Verify => agree(state, topology).and_then(|()| all_there(state, topology))?,
        Provision::Create => {
            agree(state, topology)?;
            create(state, topology);
        }
    }
    for plan in topology.queues.iter().filter(|plan| plan.reach == Reach::PerInstance) {
        let planned = *state.names.get(&plan.name).ok_or_else(|| missing(format!("queue `{}`", plan.name)))?;
        state.own_queue(plan, planned, connection);
    }
    Ok(())
}

/// Nothing the plan names is there and differs.
fn agree(state: &State, topology: &Topology) -> Result<(), TransportError> {
    let known = state.names.iter().map(|(name, queue)| (name.as_str(), &state.declared[*queue]));
    let planned: Vec<_> = topology.queues.iter().map(|plan| (plan, declared(plan))).collect();
    let mut known: HashMap<&str, &Declared> = known.collect();
    for (plan, wanted) in &planned {
        same(plan, known.entry(&plan.name).or_insert(wanted), wanted)?;
    }
    for topic in &topology.topics {
        let ordered = state.topics.get(&topic.name).and_then(|topic| topic.ordered);
        if ordered.is_some_and(|ordered| ordered != topic.ordered) {
            let text = format!("topic `{}` is there, but not with `ordered` = {}", topic.name, topic.ordered);
            return Err(mismatch(text));
        }
    }
    Ok(())
}

fn same(plan: &QueuePlan, known: &Declared, wanted: &Declared) -> Result<(), TransportError> {
    if known.ordered != wanted.ordered {
        let text = format!("queue `{}` is there, but not with `ordered` = {}", plan.name, wanted.ordered);
        return Err(mismatch(text));
    }
    if known.reach != wanted.reach {
        let text = format!("queue `{}` is there, but not as {}", plan.name, wanted.reach);
        return Err(mismatch(text));
    }
    if known.dead_letters != wanted.dead_letters {
        let (known, wanted) = (&known.dead_letters, &wanted.dead_letters);
        let text = format!("queue `{}` keeps its dead letters in `{known}`, not in `{wanted}`", plan.name);
        return Err(mismatch(text));
    }
    Ok(())
}

/// All the plan names is there.
fn all_there(state: &State, topology: &Topology) -> Result<(), TransportError> {
    for topic in &topology.topics {
        state.topics.get(&topic.name).ok_or_else(|| missing(format!("topic `{}`", topic.name)))?;
    }
    for plan in &topology.queues {
        let queue = *state.names.get(&plan.name).ok_or_else(|| missing(format!("queue `{}`", plan.name)))?;
        if plan.reach == Reach::PerInstance {
            continue;
        }
        for binding in &plan.bindings {
            let topic = state.topics.get(&binding.topic);
            if !topic.is_some_and(|topic| topic.routes.has(queue, binding)) {
                let (topic, event) = (&binding.topic, binding.event);
                return Err(missing(format!("the way of `{event}` from topic `{topic}` to queue `{}`", plan.name)));
            }
        }
    }
    Ok(())
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
