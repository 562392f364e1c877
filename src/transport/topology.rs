//! What must exist on a broker for a service to run, as plain data.

use std::{fmt, time::Duration};

use crate::event::Policy;

/// The topics and queues of one service.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Topology {
    /// Topics the service listens to, by name.
    pub topics: Vec<TopicPlan>,
    /// Queues the service reads, by name.
    pub queues: Vec<QueuePlan>,
}

/// One topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicPlan {
    /// Its name, with the environment's prefix.
    pub name: String,
    /// Is order per key promised?
    pub ordered: bool,
    /// Where its contract stands.
    pub source: &'static str,
}

/// One queue with everything that flows into it.
#[derive(Debug, Clone, PartialEq)]
pub struct QueuePlan {
    /// Its name, with the environment's prefix.
    pub name: String,
    /// The queue of what it gives up on.
    pub dead_letters: String,
    /// Is order per key promised?
    pub ordered: bool,
    /// The delays between attempts, the longest plan of its subscriptions.
    pub retry_delays: Vec<Duration>,
    /// Does a dead letter halt its key, until it is handled?
    pub halts: bool,
    /// The topics it is fed from.
    pub bindings: Vec<Binding>,
    /// How many of its deliveries are handled at once; a transport may fetch some more.
    pub concurrency: usize,
    /// Who reads it.
    pub reach: Reach,
}

/// Who reads a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reach {
    /// All instances of the service together: each message goes to one of them.
    #[default]
    Shared,
    /// Each instance has a queue of its own, which goes with it: each message goes to all that are there.
    PerInstance,
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reach::Shared => "one for all instances",
            Reach::PerInstance => "one for each instance",
        })
    }
}

/// One event's way from a topic into a queue.
#[derive(Debug, Clone, PartialEq)]
pub struct Binding {
    /// The topic, with the environment's prefix.
    pub topic: String,
    /// The AMQP routing key, with the environment's prefix.
    pub routing_key: String,
    /// The event's name.
    pub event: &'static str,
    /// Must the transport look at the event's name, because others share the topic?
    pub by_name: bool,
    /// Which of the events are wanted.
    pub policy: Policy,
}

/// What a start may do to the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Provision {
    /// Create what is missing.
    #[default]
    Create,
    /// Create nothing; what is missing or differs stops the start.
    Verify,
    /// Look at nothing.
    Assume,
}

impl fmt::Display for Topology {
    /// One line a queue and one a binding, for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.queues.iter().try_for_each(|queue| queue.fmt(f))
    }
}

impl fmt::Display for QueuePlan {
    /// One line, and one a binding, for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reach {
            Reach::Shared => writeln!(f, "{}", self.name)?,
            each => writeln!(f, "{} ({each})", self.name)?,
        }
        self.bindings.iter().try_for_each(|binding| writeln!(f, "  <- {binding}"))
    }
}

impl fmt::Display for Binding {
    /// Where it comes from, and which of it is wanted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.topic, self.event)?;
        if self.policy.is_empty() {
            return Ok(());
        }
        write!(f, " filtered by the broker, on AMQP by the consumer: {}", self.policy)?;
        let left = Vec::from_iter(self.policy.told().left);
        if left.is_empty() { Ok(()) } else { write!(f, "; everywhere by the consumer: {}", left.join(", ")) }
    }
}
