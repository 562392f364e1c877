//! The queues of a run: plans with its names, made and remembered.

use std::sync::Arc;

use super::{EVENT, Trial, held};
use crate::{
    contract::dead_letter_queue,
    event::Policy,
    testing::ledger::Entry,
    transport::{Binding, Provision, QueuePlan, Reach, TopicPlan, Topology, Transport, TransportError},
};

/// How many deliveries a queue without a service is read for.
const CONCURRENCY: usize = 10;

impl Trial {
    /// A queue of this name that takes what is published to this topic.
    pub fn plan(&self, queue: &str, topic: &str) -> QueuePlan {
        let name = format!("{}{queue}", self.prefix());
        let topic = format!("{}{topic}", self.prefix());
        let binding = Binding {
            routing_key: format!("{topic}.letter"),
            topic,
            event: EVENT,
            by_name: false,
            policy: Policy::default(),
        };
        QueuePlan {
            dead_letters: dead_letter_queue(&name),
            name,
            ordered: false,
            retry_delays: Vec::new(),
            halts: false,
            bindings: vec![binding],
            concurrency: CONCURRENCY,
            reach: Reach::Shared,
        }
    }

    /// Has the queues made.
    ///
    /// # Errors
    /// The transport refuses them.
    pub async fn try_declare(&self, on: &dyn Transport, plans: &[QueuePlan]) -> Result<(), TransportError> {
        let bindings = plans.iter().flat_map(|plan| plan.bindings.iter().map(|binding| (binding, plan.ordered)));
        let topics = bindings.map(|(binding, ordered)| TopicPlan { name: binding.topic.clone(), ordered, source: "" });
        let topology = Topology { topics: topics.collect(), queues: plans.to_vec() };
        on.provision(&topology, Provision::Create).await?;
        plans.iter().for_each(|plan| self.know(plan.clone()));
        Ok(())
    }

    /// Has the queues made.
    ///
    /// # Panics
    /// The transport refuses them.
    pub async fn declare(&self, on: &dyn Transport, plans: &[QueuePlan]) {
        self.try_declare(on, plans).await.expect("the queues can be made");
    }

    /// Opens a connection and has a queue made, for plain messages to a topic of the same name.
    ///
    /// # Panics
    /// The transport refuses it.
    pub async fn queue(&self, name: &str) -> (Arc<dyn Transport>, QueuePlan) {
        let (connection, plan) = (self.connect().await, self.plan(name, name));
        self.declare(&*connection, std::slice::from_ref(&plan)).await;
        (connection, plan)
    }

    /// Has a topic made that leads nowhere, and gives back a plan to write messages to it by.
    ///
    /// # Panics
    /// The transport refuses it.
    pub async fn declare_dead_end(&self, on: &dyn Transport, topic: &str) -> QueuePlan {
        let plan = self.plan("nobody", topic);
        let topic = TopicPlan { name: plan.bindings[0].topic.clone(), ordered: false, source: "" };
        let topology = Topology { topics: vec![topic], queues: Vec::new() };
        on.provision(&topology, Provision::Create).await.expect("the topic can be made");
        plan
    }

    /// Remembers a queue for the account at the end. One that is an instance's own is gone by then.
    pub(in super::super) fn know(&self, plan: QueuePlan) {
        let mut queues = held(&self.queues);
        if plan.reach == Reach::PerInstance || queues.iter().any(|known| known.name == plan.name) {
            return;
        }
        if plan.ordered {
            self.ledger.write(Entry::Ordered { subscription: plan.name.clone() });
        }
        queues.push(plan);
    }

    /// Every queue made so far.
    pub fn queues(&self) -> Vec<QueuePlan> {
        held(&self.queues).clone()
    }
}
