//! What a start would make, as a template for those who set up AWS with tools of their own. Nothing is asked of AWS here.
//!
//! ARNs have the variables of the tool where AWS has region and account, and so each template fits any.

mod cloudformation;
mod terraform;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use super::{
    names, policy, subscriptions,
    wanted::{self, Attributes},
};
use crate::transport::{
    QueuePlan, Topology, TransportError, TransportErrorKind,
    aws::{address::Parameters, filter},
};

/// The longest part of a name that is seen in an id; a hash of all of it goes behind.
const SEEN: usize = 64;
const HASH_BYTES: usize = 4;

/// Files by name: a template for CloudFormation, and a module for OpenTofu and Terraform. The second are topics that are
/// published to.
pub(in super::super) fn templates(
    topology: &Topology,
    published: &[String],
    parameters: &Parameters,
) -> Result<BTreeMap<String, String>, TransportError> {
    names::check(topology)?;
    let file = |name: &str, json: Json| (name.to_owned(), format!("{json:#}\n"));
    let drawn = |arn: Arn| Drawing::of(topology, (published, parameters), arn);
    Ok(BTreeMap::from([
        file("cloudformation.json", cloudformation::template(&drawn(cloudformation::arn)?)),
        file("aws.tf.json", terraform::module(&drawn(terraform::arn)?)),
    ]))
}

/// What a topic (`sns`) or queue (`sqs`) of this name is called, wherever the template is used.
type Arn = fn(&str, &str) -> String;

/// All that is made, by name.
struct Drawing<'a> {
    topics: BTreeMap<String, Attributes>,
    queues: BTreeMap<&'a str, Drawn>,
    ways: Vec<Way<'a>>,
    tags: BTreeMap<&'a str, &'a str>,
}

/// A queue, with what is set once it is there.
struct Drawn {
    attributes: Attributes,
    /// The queue of its dead letters, and so many receives until SQS puts a message there itself.
    redrive: Option<(String, usize)>,
    policy: Option<Json>,
}

/// A subscription.
struct Way<'a> {
    queue: &'a str,
    topic: &'a str,
    raw: bool,
    filter: Option<Json>,
}

impl<'a> Drawing<'a> {
    fn of(
        topology: &'a Topology,
        (published, parameters): (&[String], &'a Parameters),
        arn: Arn,
    ) -> Result<Self, TransportError> {
        let listened = topology.queues.iter().flat_map(|queue| queue.bindings.iter().map(|binding| &binding.topic));
        let planned = topology.topics.iter().map(|topic| &topic.name);
        let topics: BTreeSet<&String> = listened.chain(planned).chain(published).collect();
        let made = |name: &String| (name.clone(), wanted::topic(name.ends_with(".fifo"), parameters));
        let plans: BTreeMap<&str, &QueuePlan> = topology.queues.iter().map(|plan| (&*plan.name, plan)).collect();
        let mut queues = BTreeMap::new();
        for wanted::Queue { name, attributes, .. } in wanted::queues(topology, parameters) {
            queues.insert(name, Drawn::of(attributes, (name, plans.get(name).copied()), arn)?);
        }
        let mut ways = Vec::new();
        for plan in &topology.queues {
            for (topic, bindings) in wanted::by_topic(plan) {
                let filter = subscriptions::told(&filter::policy(&plan.name, &bindings)?);
                let filter = filter.map(|filter| serde_json::from_str(&filter).expect("a filter is JSON"));
                ways.push(Way { queue: &plan.name, topic, raw: subscriptions::is_raw(parameters), filter });
            }
        }
        let tags = parameters.tags.iter().map(|(name, value)| (&**name, &**value)).collect();
        Ok(Self { topics: topics.into_iter().map(made).collect(), queues, ways, tags })
    }
}

impl Drawn {
    fn of(attributes: Attributes, (name, plan): (&str, Option<&QueuePlan>), arn: Arn) -> Result<Self, TransportError> {
        let redrive = plan.map(|plan| (plan.dead_letters.clone(), wanted::most_receives(plan)));
        let topics = plan.map(wanted::by_topic).unwrap_or_default();
        let topics: Vec<String> = topics.keys().map(|topic| arn("sns", topic)).collect();
        let policy = match topics.is_empty() {
            true => None,
            false => policy::merged("", &arn("sqs", name), &topics).map_err(|why| {
                TransportError::new(TransportErrorKind::Unsupported, format!("the policy of queue `{name}` {why}"))
            })?,
        };
        let policy = policy.map(|policy| serde_json::from_str(&policy.text).expect("a policy is JSON"));
        Ok(Self { attributes, redrive, policy })
    }
}

/// An attribute's value with the type that templates want.
fn typed(value: &str) -> Json {
    match value.parse::<u64>() {
        Ok(number) => json!(number),
        Err(_) => value.parse::<bool>().map_or_else(|_| json!(value), |truth| json!(truth)),
    }
}

/// A name as an id, which has letters and digits only. No two names share one.
fn id(kind: &str, name: &str) -> String {
    let mut words = String::new();
    for word in name.split(|c: char| !c.is_ascii_alphanumeric()) {
        let mut rest = word.chars();
        words.extend(rest.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(rest));
    }
    words.truncate(SEEN);
    let hash: String = Sha256::digest(name).iter().take(HASH_BYTES).map(|byte| format!("{byte:02x}")).collect();
    format!("{kind}{words}{hash}")
}
