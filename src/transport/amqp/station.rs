//! One queue with those that stand around it: where its retries wait, and where its dead letters are kept.

use std::{fmt, time::Duration};

use lapin::types::{AMQPValue, FieldTable};

use super::address::{Compat, Parameters, QueueType};
use crate::{
    contract::retry_queue,
    transport::{QueuePlan, Reach},
};

/// The step of a queue whose subscriptions never retry: what the dead-letter queue refused waits there.
const ONLY_STEP: Duration = Duration::from_secs(1);
/// How often a quorum queue hands a message out before it gives up itself: for messages that kill the process (X6).
/// Every crash and every lost connection counts, also for the messages fetched with the one that did it.
const DELIVERY_LIMIT: i64 = 20;
/// Dead letters are looked at again and again, and a halted key is taken back from whoever holds it each time that the
/// broker has waited for its ack too long (O5): no limit. RabbitMQ 4 has one unless it is told, and 3 knows no "none".
const NO_LIMIT: i64 = i32::MAX as i64;
/// The queues of tomodachi are deleted a day after their last consumer went (`queue_ttl`).
const TOMODACHI_EXPIRES: i64 = 24 * 60 * 60 * 1000;
/// The argument that says how a queue is kept.
const TYPE: &str = "x-queue-type";
/// No message waits for longer, unless a step is longer. What a stranger puts into a queue where retries wait, without
/// an expiry, keeps those behind it for so long at most. The same for every plan: a queue keeps its arguments when the
/// plan changes.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);
/// Fetched ahead: this many times what is handled at once, within these bounds (B1).
const AHEAD: usize = 2;
const PREFETCH: [usize; 2] = [10, 300];

/// A queue as it stands on the broker.
pub(super) struct Station {
    pub(super) plan: QueuePlan,
    pub(super) parameters: Parameters,
    /// The queue that is read.
    pub(super) name: String,
}

/// A queue to be declared.
pub(super) struct Declared {
    pub(super) name: String,
    pub(super) arguments: FieldTable,
    /// Does it go with the connection?
    pub(super) lifetime: Lifetime,
}

/// How long a queue is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lifetime {
    /// Until somebody deletes it.
    Durable,
    /// As long as the connection that declared it.
    Connection,
}

impl fmt::Display for Declared {
    /// With its type, for what RabbitMQ finds to differ may come with that.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "queue `{}`", self.name)?;
        match self.arguments.inner().get(TYPE) {
            Some(AMQPValue::LongString(kind)) => write!(f, " (`queue_type={kind}`)"),
            _ => Ok(()),
        }
    }
}

impl Station {
    /// The queue of this plan; the connection's name is in those that live on it.
    pub(super) fn new(plan: &QueuePlan, parameters: &Parameters, connection: &str) -> Self {
        let name = match plan.reach {
            Reach::Shared => plan.name.clone(),
            Reach::PerInstance => format!("{}-{connection}", plan.name),
        };
        Self { plan: plan.clone(), parameters: parameters.clone(), name }
    }

    /// Do failed deliveries wait here, in their place, and not in a queue beside?
    pub(super) fn waits_in_place(&self) -> bool {
        self.plan.ordered || self.plan.reach == Reach::PerInstance
    }

    /// How many deliveries are fetched that are not settled.
    pub(super) fn prefetch(&self) -> u16 {
        let [least, most] = PREFETCH;
        let wanted = match self.waits_in_place() {
            // What waits must not keep the others from being fetched.
            true => most,
            false => (AHEAD * self.plan.concurrency).clamp(least, most),
        };
        u16::try_from(wanted.max(self.plan.concurrency)).unwrap_or(u16::MAX)
    }

    /// The queues where retries wait, with how long the shortest stay in each is, shortest first.
    pub(super) fn steps(&self) -> Vec<(String, Duration)> {
        if self.waits_in_place() {
            return Vec::new();
        }
        let mut delays = self.plan.retry_delays.clone();
        delays.sort_unstable();
        delays.dedup();
        if delays.is_empty() {
            delays.push(ONLY_STEP);
        }
        let named = delays.into_iter().enumerate();
        named.map(|(step, delay)| (retry_queue(&self.plan.name, step + 1), delay)).collect()
    }

    /// Every queue there must be.
    pub(super) fn queues(&self) -> Vec<Declared> {
        let durable = |name: String, arguments| Declared { name, arguments, lifetime: Lifetime::Durable };
        let dead = durable(self.plan.dead_letters.clone(), self.keeping());
        let waiting = self.steps().into_iter().map(|(name, _)| durable(name, self.waiting()));
        let lifetime = match self.plan.reach {
            Reach::Shared => Lifetime::Durable,
            Reach::PerInstance => Lifetime::Connection,
        };
        let read = Declared { name: self.name.clone(), arguments: self.read(), lifetime };
        [dead].into_iter().chain(waiting).chain([read]).collect()
    }

    /// The queues that live so long.
    pub(super) fn lasting(&self, lifetime: Lifetime) -> Vec<Declared> {
        self.queues().into_iter().filter(|queue| queue.lifetime == lifetime).collect()
    }

    /// The arguments of the queue that is read.
    fn read(&self) -> FieldTable {
        let mut arguments = FieldTable::default();
        if self.plan.reach == Reach::PerInstance {
            return arguments;
        }
        if self.parameters.compat == Compat::Tomodachi {
            arguments.insert("x-expires".into(), AMQPValue::LongLongInt(TOMODACHI_EXPIRES));
            return arguments;
        }
        self.back_to(&mut arguments, &self.plan.dead_letters);
        if self.parameters.queue_type == QueueType::Quorum {
            let limit = if self.plan.halts { NO_LIMIT } else { DELIVERY_LIMIT };
            arguments.insert("x-delivery-limit".into(), AMQPValue::LongLongInt(limit));
        }
        if self.plan.ordered {
            arguments.insert("x-single-active-consumer".into(), AMQPValue::Boolean(true));
        }
        arguments
    }

    /// The arguments of a queue where messages wait until they go back.
    fn waiting(&self) -> FieldTable {
        let mut arguments = FieldTable::default();
        self.back_to(&mut arguments, &self.plan.name);
        arguments.insert("x-message-ttl".into(), AMQPValue::LongLongInt(LONGEST_WAIT.as_millis() as i64));
        arguments
    }

    /// The arguments of a queue where messages are kept.
    fn keeping(&self) -> FieldTable {
        let mut arguments = FieldTable::default();
        self.typed(&mut arguments);
        if self.parameters.queue_type == QueueType::Quorum {
            arguments.insert("x-delivery-limit".into(), AMQPValue::LongLongInt(NO_LIMIT));
        }
        arguments
    }

    /// What leaves the queue goes to that one, and from a quorum queue only once it is there.
    fn back_to(&self, arguments: &mut FieldTable, queue: &str) {
        self.typed(arguments);
        arguments.insert("x-dead-letter-exchange".into(), text(""));
        arguments.insert("x-dead-letter-routing-key".into(), text(queue));
        if self.parameters.queue_type == QueueType::Quorum {
            arguments.insert("x-dead-letter-strategy".into(), text("at-least-once"));
            arguments.insert("x-overflow".into(), text("reject-publish"));
        }
    }

    fn typed(&self, arguments: &mut FieldTable) {
        let name = match self.parameters.queue_type {
            QueueType::Quorum => "quorum",
            QueueType::Classic => "classic",
        };
        arguments.insert(TYPE.into(), text(name));
    }
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The limit of the queue that is read.
    fn limit(halts: bool) -> Option<AMQPValue> {
        let plan = QueuePlan {
            name: "billing.fifo".to_owned(),
            dead_letters: "billing-dead.fifo".to_owned(),
            ordered: true,
            retry_delays: Vec::new(),
            halts,
            bindings: Vec::new(),
            concurrency: 1,
            reach: Reach::Shared,
        };
        let queues = Station::new(&plan, &Parameters::default(), "1").queues();
        let read = queues.into_iter().find(|queue| queue.name == plan.name).expect("it is read");
        read.arguments.inner().get("x-delivery-limit").cloned()
    }

    #[test]
    fn o5_the_broker_gives_up_on_nothing_that_halts_its_key() {
        assert_eq!(limit(false), Some(AMQPValue::LongLongInt(20)));
        assert_eq!(limit(true), Some(AMQPValue::LongLongInt(2_147_483_647)));
    }
}
