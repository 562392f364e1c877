//! What a service reads, handles and publishes, as plain data.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::plan::{Station, Way};
use crate::{
    contract::{Contract, Names},
    transport::Reach,
};

/// What a service needs from its brokers, who handles what, and what it says it publishes; as JSON, too.
///
/// [`Service::describe`](super::Service::describe) makes one without connecting to anything.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Description {
    /// The service's name.
    pub service: String,
    /// Its release, if it tells one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What it says it publishes, by event.
    #[serde(default)]
    pub publishes: Vec<DescribedEvent>,
    /// The topics it listens to, by name.
    pub topics: Vec<DescribedTopic>,
    /// The queues it reads, by transport and name.
    pub queues: Vec<DescribedQueue>,
}

/// An event with where it is published.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DescribedEvent {
    /// The event's name.
    pub event: String,
    /// The topic, with the environment's prefix.
    pub topic: String,
    /// The AMQP routing key, with the environment's prefix.
    pub routing_key: String,
}

/// A topic that the service listens to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DescribedTopic {
    /// Its name, with the environment's prefix.
    pub name: String,
    /// Is order per key promised?
    pub ordered: bool,
}

/// A queue with everything that flows into it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DescribedQueue {
    /// Its name, with the environment's prefix.
    pub name: String,
    /// The name of the transport it is on; none for the main one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport: Option<String>,
    /// Has each instance of the service one of its own?
    pub per_instance: bool,
    /// Is order per key promised?
    pub ordered: bool,
    /// Does a dead letter halt its key, until it is handled?
    pub halts_on_dead_letters: bool,
    /// How many of its deliveries are handled at once.
    pub concurrency: usize,
    /// The queue of what it gives up on.
    pub dead_letters: String,
    /// What flows into it.
    pub events: Vec<DescribedHandler>,
}

/// An event with the handler it goes to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DescribedHandler {
    /// The event's name.
    pub event: String,
    /// The topic, with the environment's prefix.
    pub topic: String,
    /// The AMQP routing key, with the environment's prefix.
    pub routing_key: String,
    /// The newer event that it is made into before it is handled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upcast_to: Option<String>,
    /// The fields that its contract has here, by path: what is read of it.
    #[serde(default)]
    pub fields: Vec<String>,
    /// Which of the events are wanted, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// The handler's path in its program.
    pub handler: String,
    /// How long an attempt may take.
    pub timeout_seconds: f64,
    /// The delays between attempts.
    pub retry_after_seconds: Vec<f64>,
}

impl Description {
    pub(super) fn of(names: &Names, stations: &[Station], publishes: &[&'static Contract]) -> Self {
        let (mut topics, mut queues) = (BTreeMap::new(), BTreeMap::new());
        for station in stations {
            let ordered = station.queue.ordered;
            let listened = station.queue.bindings.iter().map(|binding| binding.topic.clone());
            topics.extend(listened.map(|name| (name.clone(), DescribedTopic { name, ordered })));
            queues.insert((station.via.as_deref(), &*station.queue.name), DescribedQueue::of(station));
        }
        let mut publishes: Vec<_> = publishes.iter().map(|contract| DescribedEvent::of(names, contract)).collect();
        publishes.sort();
        publishes.dedup();
        Self {
            service: names.service().to_owned(),
            version: None,
            publishes,
            topics: topics.into_values().collect(),
            queues: queues.into_values().collect(),
        }
    }
}

impl DescribedEvent {
    fn of(names: &Names, contract: &'static Contract) -> Self {
        Self {
            event: contract.name.to_owned(),
            topic: names.topic(contract).into_owned(),
            routing_key: names.routing_key(contract).into_owned(),
        }
    }
}

impl DescribedQueue {
    fn of(station: &Station) -> Self {
        let queue = &station.queue;
        Self {
            name: queue.name.clone(),
            transport: station.via.clone(),
            per_instance: queue.reach == Reach::PerInstance,
            ordered: queue.ordered,
            halts_on_dead_letters: queue.halts,
            concurrency: queue.concurrency,
            dead_letters: queue.dead_letters.clone(),
            events: station.ways().map(DescribedHandler::of).collect(),
        }
    }
}

impl DescribedHandler {
    fn of(way: Way<'_>) -> Self {
        let Way { binding, contract, route } = way;
        let policy = &route.policy;
        Self {
            event: contract.name.to_owned(),
            topic: binding.topic.clone(),
            routing_key: binding.routing_key.clone(),
            upcast_to: (contract.name != route.contract.name).then(|| route.contract.name.to_owned()),
            fields: contract.fields.iter().map(ToString::to_string).collect(),
            filter: (!policy.is_empty()).then(|| policy.to_string()),
            handler: route.name.clone(),
            timeout_seconds: route.timeout.as_secs_f64(),
            retry_after_seconds: route.retry.delays().iter().map(Duration::as_secs_f64).collect(),
        }
    }
}
