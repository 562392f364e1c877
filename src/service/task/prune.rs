//! What earlier releases of the service left on its brokers.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Read},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::Open;
use crate::{
    service::{DescribedHandler, DescribedQueue, Description, Error, ErrorKind},
    transport::{Binding, Prune, QueuePlan, Reach, Remnant, TransportError},
};

/// The most that is read of earlier plans, in bytes.
const MOST: u64 = 64 * 1024 * 1024;

/// What earlier plans left on one transport.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Pruned {
    /// The kind of the transport.
    pub transport: String,
    /// The queues that are left, or were.
    pub remnants: Vec<Remnant>,
}

/// Earlier plans, one after the other, as `describe` told them.
fn former(input: impl Read) -> Result<Vec<Description>, Error> {
    let plans = serde_json::Deserializer::from_reader(input.take(MOST)).into_iter();
    let plans = plans.collect::<Result<Vec<Description>, _>>();
    let plans = plans.map_err(|error| wrong("an earlier plan on standard input cannot be read").caused_by(error))?;
    match plans.is_empty() {
        true => Err(wrong("there is no earlier plan on standard input, as `tegami plan --json` told it")),
        false => Ok(plans),
    }
}

/// The same from standard input.
pub(super) fn standard_input() -> Result<Vec<Description>, Error> {
    former(io::stdin().lock())
}

impl Open {
    /// Deletes what only earlier plans have, or tells it, transport by transport.
    pub(super) async fn prune(&self, plans: &[Description], mode: Prune) -> Result<Vec<Pruned>, Error> {
        let (mut former, mut pruned) = (self.queues_of(plans)?, Vec::new());
        for (name, transport, today) in self.transports.planned(&self.stations) {
            let queues = former.remove(name).unwrap_or_default().into_values();
            let (ours, others): (Vec<_>, Vec<_>) = queues.partition(|queue| self.is_ours(queue));
            let mut remnants = told_all(transport.prune(&ours, &today, mode).await, &ours, mode)?;
            let why = format!("its name does not begin with `{}`: others may have it, too", self.beginning());
            let looked = transport.prune(&others, &today, Prune::Look).await;
            let looked = looked.map(|left| left.into_iter().map(|other| other.kept(Some(why.clone()))).collect());
            remnants.extend(told_all(looked, &others, mode)?);
            pruned.push(Pruned { transport: transport.name().to_owned(), remnants });
        }
        pruned.extend(former.into_iter().map(|(name, queues)| away(name, queues)));
        Ok(pruned)
    }

    /// The queues of these plans by their transport and name; of a queue that stands in several, what is in any.
    fn queues_of(&self, plans: &[Description]) -> Result<Queues, Error> {
        let mut former = Queues::new();
        for plan in plans {
            let (of, ours) = (&plan.service, self.names.service());
            if of != ours {
                let of = of.escape_debug();
                return Err(wrong(format!(
                    "an earlier plan on standard input is that of `{of}`, and this is `{ours}`"
                )));
            }
            for queue in plan.queues.iter().map(|queue| (&queue.transport, planned(queue))) {
                let (transport, queue) = queue;
                let known = former.entry(transport.clone()).or_default().entry(queue.name.clone());
                let known = known.or_insert_with(|| queue.clone());
                known.bindings.extend(queue.bindings);
                if steps(&known.retry_delays) < steps(&queue.retry_delays) {
                    known.retry_delays = queue.retry_delays;
                }
            }
        }
        Ok(former)
    }

    /// Has no other service a queue of this name? Others may have what was named in code.
    fn is_ours(&self, queue: &QueuePlan) -> bool {
        [&queue.name, &queue.dead_letters].iter().all(|name| name.starts_with(&self.beginning()))
    }

    /// How the names begin that are derived from this service's.
    fn beginning(&self) -> String {
        self.names.exact(&format!("{}-", self.names.service()))
    }
}

/// Queues by their transport and name.
type Queues = BTreeMap<Option<String>, BTreeMap<String, QueuePlan>>;

/// What is left of these; each is kept for the error, where that comes after something was deleted.
fn told_all(
    found: Result<Vec<Remnant>, TransportError>,
    asked: &[QueuePlan],
    mode: Prune,
) -> Result<Vec<Remnant>, TransportError> {
    mode.told(found, |why| {
        let remnants = asked.iter().filter_map(|queue| Remnant::of([queue.name.clone()]));
        remnants.map(|remnant| remnant.kept(why.clone())).collect()
    })
}

/// How many queues these take where retries wait: RabbitMQ has one for each delay, however often it is in the list.
fn steps(delays: &[Duration]) -> usize {
    delays.iter().collect::<BTreeSet<_>>().len()
}

/// Queues on a transport that the service has not any more.
fn away(transport: Option<String>, queues: BTreeMap<String, QueuePlan>) -> Pruned {
    let transport = transport.unwrap_or_default();
    let why = format!("the transport `{}` is not attached any more", transport.escape_debug());
    let remnants = queues.into_keys().filter_map(|name| Remnant::of([name]));
    let remnants = remnants.map(|remnant| remnant.kept(Some(why.clone()))).collect();
    Pruned { transport, remnants }
}

/// As much of a plan as was told of it.
fn planned(queue: &DescribedQueue) -> QueuePlan {
    let delay = |seconds: &f64| Duration::try_from_secs_f64(*seconds).unwrap_or_default();
    let delays = queue.events.iter().map(|event| event.retry_after_seconds.iter().map(delay).collect::<Vec<_>>());
    QueuePlan {
        name: queue.name.clone(),
        dead_letters: queue.dead_letters.clone(),
        ordered: queue.ordered,
        retry_delays: delays.max_by_key(|delays| steps(delays)).unwrap_or_default(),
        halts: queue.halts_on_dead_letters,
        bindings: queue.events.iter().map(fed).collect(),
        concurrency: queue.concurrency,
        reach: if queue.per_instance { Reach::PerInstance } else { Reach::Shared },
    }
}

/// Where a queue was fed from; what for does not matter any more.
fn fed(way: &DescribedHandler) -> Binding {
    let (topic, routing_key) = (way.topic.clone(), way.routing_key.clone());
    // For as long as the program runs, which does nothing else; an earlier plan is bounded.
    let event = String::leak(way.event.clone());
    Binding { topic, routing_key, event, by_name: false, policy: Default::default() }
}

fn wrong(text: impl Into<String>) -> Error {
    Error::new(ErrorKind::Setting, text.into())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use async_trait::async_trait;

    use super::*;
    use crate::{
        config::Config,
        service::Service,
        testing::transport::{Tamper, tampering},
        transport::{Memory, Topology, Transport, TransportErrorKind},
    };

    /// A broker that still has everything, empty and unread, whatever today's plan has.
    struct Full;

    #[async_trait]
    impl Tamper for Full {
        async fn prune(
            &self,
            former: &[QueuePlan],
            (_, mode): (&Topology, Prune),
            _: &dyn Transport,
        ) -> Result<Vec<Remnant>, TransportError> {
            let done = |plan: &QueuePlan| Remnant::of([plan.name.clone(), format!("{mode:?}")]);
            Ok(former.iter().filter_map(done).collect())
        }
    }

    /// The same, which may not be looked at.
    struct Hidden;

    #[async_trait]
    impl Tamper for Hidden {
        async fn prune(
            &self,
            former: &[QueuePlan],
            (today, mode): (&Topology, Prune),
            transport: &dyn Transport,
        ) -> Result<Vec<Remnant>, TransportError> {
            match mode {
                Prune::Look => Err(TransportError::new(TransportErrorKind::Refused, "no")),
                Prune::Delete => Full.prune(former, (today, mode), transport).await,
            }
        }
    }

    fn open(name: &str, prefix: &str) -> Open {
        open_on(name, prefix, Arc::new(Full))
    }

    fn open_on(name: &str, prefix: &str, broker: Arc<dyn Tamper>) -> Open {
        let config = Config::new().set("prefix", prefix).unwrap();
        let service = Service::new(name).config(config).transport(tampering(Memory::new(), broker));
        Open::of(service.parts, crate::codec::Persons::Hidden).unwrap()
    }

    fn plan(service: &str, queues: &[(&str, &str)]) -> String {
        let queue = |(name, dead): &(&str, &str)| {
            format!(
                r#"{{"name":"{name}","per_instance":false,"ordered":false,"halts_on_dead_letters":false,"concurrency":1,
                "dead_letters":"{dead}","events":[{{"event":"e","topic":"t","routing_key":"e","handler":"h",
                "timeout_seconds":1.0,"retry_after_seconds":[0.5,1.0]}}]}}"#
            )
        };
        let queues: Vec<String> = queues.iter().map(queue).collect();
        format!(r#"{{"service":"{service}","topics":[],"queues":[{}]}}"#, queues.join(","))
    }

    async fn pruned(open: &Open, plans: &str) -> Result<Vec<(String, String, bool)>, Error> {
        let pruned = open.prune(&former(plans.as_bytes())?, Prune::Delete).await?;
        let remnants = pruned.into_iter().flat_map(|pruned| pruned.remnants);
        Ok(remnants.map(|mut left| (left.queue, left.with.remove(0), left.kept.is_some())).collect())
    }

    #[tokio::test]
    async fn n7_nothing_of_another_service_is_ever_deleted() {
        let queues = [
            ("bill-orders", "bill-orders-dead"),
            ("billing-orders", "billing-orders-dead"),
            ("bill", "bill-dead"),
            ("bill-mixed", "billing-orders-dead"),
            ("staging-bill-orders", "staging-bill-orders-dead"),
            ("theirs", "theirs-dead"),
        ];
        let told = |ours: &str| {
            let delete = [ours].map(|name| (name.to_owned(), "Delete".to_owned(), false));
            let mut others: Vec<&str> = queues.iter().map(|(name, _)| *name).filter(|name| *name != ours).collect();
            others.sort_unstable();
            let looked = others.into_iter().map(|name| (name.to_owned(), "Look".to_owned(), true));
            delete.into_iter().chain(looked).collect::<Vec<_>>()
        };
        let plans = plan("bill", &queues);
        assert_eq!(pruned(&open("bill", ""), &plans).await.unwrap(), told("bill-orders"));
        assert_eq!(pruned(&open("bill", "staging-"), &plans).await.unwrap(), told("staging-bill-orders"));
        let error = pruned(&open("billing", ""), &plans).await.unwrap_err();
        assert!(error.to_string().contains("that of `bill`, and this is `billing`"), "{error}");
    }

    #[tokio::test]
    async fn n7_what_was_deleted_is_told_though_the_rest_cannot_be_looked_at() {
        let open = open_on("bill", "", Arc::new(Hidden));
        let plans = former(plan("bill", &[("bill-a", "bill-a-dead"), ("theirs", "theirs-dead")]).as_bytes()).unwrap();
        let pruned = open.prune(&plans, Prune::Delete).await.unwrap();
        let told: Vec<_> = pruned[0].remnants.iter().map(|left| (&*left.queue, left.kept.as_deref())).collect();
        assert_eq!(told, [("bill-a", None), ("theirs", Some("no"))]);
        assert!(open.prune(&plans, Prune::Look).await.is_err(), "nothing was done that had to be told");
    }

    #[test]
    fn n7_of_several_plans_the_one_with_the_most_retry_queues_counts() {
        let with = |delays: &str| plan("bill", &[("bill-a", "bill-a-dead")]).replace("[0.5,1.0]", delays);
        let (five, same) = ("[1.0,2.0,3.0,4.0,5.0]", "[5.0,5.0,5.0,5.0,5.0,5.0]");
        for plans in [[with(five), with(same)], [with(same), with(five)]] {
            let queues = open("bill", "").queues_of(&former(plans.concat().as_bytes()).unwrap()).unwrap();
            assert_eq!(steps(&queues[&None]["bill-a"].retry_delays), 5);
        }
        let queue = |delays: &str| former(with(delays).as_bytes()).unwrap().remove(0).queues.remove(0);
        let (mut both, mut other) = (queue(five), queue(same));
        both.events.append(&mut other.events);
        let plan = planned(&both);
        assert_eq!(steps(&plan.retry_delays), 5, "one queue, two events");
    }

    #[tokio::test]
    async fn k1_earlier_plans_that_are_none_are_refused() {
        for (plans, words) in [
            ("", "there is no earlier plan"),
            ("{}", "cannot be read"),
            (&plan("bill", &[])[..9], "cannot be read"),
            (&*format!("{} x", plan("bill", &[])), "cannot be read"),
        ] {
            let error = pruned(&open("bill", ""), plans).await.unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
        }
        let both = plan("bill", &[("bill-a", "bill-a-dead")]) + "\n" + &plan("bill", &[("bill-b", "bill-b-dead")]);
        assert_eq!(pruned(&open("bill", ""), &both).await.unwrap().len(), 2);
    }

    #[test]
    fn an_earlier_plan_says_what_stood_around_a_queue() {
        let told = former(plan("bill", &[("bill-a", "bill-a-dead")]).as_bytes()).unwrap();
        let plan = planned(&told[0].queues[0]);
        assert_eq!(plan.retry_delays, [0.5, 1.0].map(Duration::from_secs_f64));
        assert_eq!((&*plan.bindings[0].topic, &*plan.bindings[0].routing_key), ("t", "e"));
    }
}
