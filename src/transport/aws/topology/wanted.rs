//! What the plan asks for, in the words of SNS and SQS. Nothing is asked of them here.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::findings::Change;
use crate::transport::{
    Binding, QueuePlan, Topology,
    aws::address::{Compat, Parameters},
};

/// Attributes by their names.
pub(super) type Attributes = BTreeMap<&'static str, String>;

/// The largest message that SQS takes, in bytes.
const LARGEST: usize = 1024 * 1024;
/// How long dead letters are kept: as long as SQS can.
const KEPT: u32 = 14 * 24 * 60 * 60;
/// So often SQS hands a message out before it gives up itself: for messages that kill the process (X6). Each attempt
/// may be handed out twice, and some more for deliveries that came back untouched.
const MORE: usize = 10;
const MOST: usize = 1_000;

/// A queue there must be.
pub(super) struct Queue<'a> {
    pub(super) name: &'a str,
    /// What it is made with.
    pub(super) attributes: Attributes,
    /// Attributes that are mended only on queues we made.
    pub(super) left: &'static [&'static str],
}

/// The queues that are read, and those of their dead letters.
pub(super) fn queues<'a>(topology: &'a Topology, parameters: &Parameters) -> Vec<Queue<'a>> {
    let mut queues = BTreeMap::new();
    for plan in &topology.queues {
        queues.insert(&plan.dead_letters, keeping(plan, parameters));
    }
    for plan in &topology.queues {
        queues.insert(&plan.name, read(plan, parameters));
    }
    queues.into_values().collect()
}

fn read<'a>(plan: &'a QueuePlan, parameters: &Parameters) -> Queue<'a> {
    let mut attributes = common(plan, parameters);
    attributes.insert("VisibilityTimeout", parameters.visibility.as_secs().to_string());
    // tomodachi relies on what its own settings made of it.
    let left: &[&str] = if parameters.compat == Compat::Tomodachi { &["VisibilityTimeout"] } else { &[] };
    Queue { name: &plan.name, attributes, left }
}

fn keeping<'a>(plan: &'a QueuePlan, parameters: &Parameters) -> Queue<'a> {
    let mut attributes = common(plan, parameters);
    attributes.insert("MessageRetentionPeriod", KEPT.to_string());
    Queue { name: &plan.dead_letters, attributes, left: &[] }
}

fn common(plan: &QueuePlan, parameters: &Parameters) -> Attributes {
    let mut attributes = Attributes::from([("MaximumMessageSize", LARGEST.to_string())]);
    if plan.ordered {
        let own = [("FifoQueue", "true"), ("DeduplicationScope", "messageGroup")];
        attributes.extend(own.map(|(name, value)| (name, value.to_owned())));
        attributes.insert("FifoThroughputLimit", "perMessageGroupId".to_owned());
    }
    attributes.extend(parameters.kms.clone().map(|key| ("KmsMasterKeyId", key)));
    let reuse = parameters.kms_reuse.map(|seconds| seconds.to_string());
    attributes.extend(reuse.map(|seconds| ("KmsDataKeyReusePeriodSeconds", seconds)));
    attributes
}

/// The attributes of a topic.
pub(super) fn topic(ordered: bool, parameters: &Parameters) -> Attributes {
    let mut attributes = Attributes::new();
    if ordered {
        attributes.insert("FifoTopic", "true".to_owned());
        attributes.insert("ContentBasedDeduplication", "false".to_owned());
    }
    attributes.extend(parameters.kms.clone().map(|key| ("KmsMasterKeyId", key)));
    attributes
}

/// The bindings of a queue by their topics.
pub(super) fn by_topic(plan: &QueuePlan) -> BTreeMap<&str, Vec<&Binding>> {
    let mut topics = BTreeMap::<&str, Vec<&Binding>>::new();
    for binding in &plan.bindings {
        topics.entry(&binding.topic).or_default().push(binding);
    }
    topics
}

/// What a redrive policy should become.
#[derive(Debug, PartialEq)]
pub(super) enum Redrive {
    /// It is as planned.
    Right,
    /// It should be that.
    Ours(Change),
    /// It leads to the queue of somebody else.
    Foreign(String),
}

/// Compares a queue's redrive policy with the plan; `dead_letters` is an ARN.
pub(super) fn redrive(found: Option<&str>, plan: &QueuePlan, dead_letters: &str) -> Redrive {
    let known: Json = found.and_then(|found| serde_json::from_str(found).ok()).unwrap_or_default();
    let most = most_receives(plan);
    let said = &known["maxReceiveCount"];
    let same = said.as_u64().or_else(|| said.as_str()?.parse().ok()) == Some(most as u64);
    let wanted = || json!({"deadLetterTargetArn": dead_letters, "maxReceiveCount": most}).to_string();
    match known["deadLetterTargetArn"].as_str() {
        Some(other) if other != dead_letters => Redrive::Foreign(other.to_owned()),
        Some(_) if same => Redrive::Right,
        _ => Redrive::Ours(Change::new("RedrivePolicy", wanted(), found)),
    }
}

/// So often SQS hands a message out before it puts it among the dead letters itself.
pub(super) fn most_receives(plan: &QueuePlan) -> usize {
    match plan.halts {
        true => MOST,
        false => (2 * (plan.retry_delays.len() + 1) + MORE).min(MOST),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::transport::{Reach, aws::address::Address};

    const DEAD: &str = "arn:aws:sqs:eu-west-1:123456789012:billing-dead";

    fn plan(retries: usize, ordered: bool) -> QueuePlan {
        QueuePlan {
            name: "billing".to_owned(),
            dead_letters: "billing-dead".to_owned(),
            ordered,
            retry_delays: vec![Duration::from_secs(1); retries],
            halts: false,
            bindings: Vec::new(),
            concurrency: 1,
            reach: Reach::Shared,
        }
    }

    fn made(ordered: bool, parameters: &Parameters) -> [Attributes; 2] {
        let topology = Topology { topics: Vec::new(), queues: vec![plan(3, ordered)] };
        let queues: Vec<Attributes> = queues(&topology, parameters).into_iter().map(|queue| queue.attributes).collect();
        queues.try_into().expect("the queue and that of its dead letters")
    }

    #[test]
    fn queues_are_made_for_messages_of_a_mebibyte_and_dead_letters_are_kept_for_two_weeks() {
        let [read, dead] = made(false, &Parameters::default());
        let size = ("MaximumMessageSize", "1048576".to_owned());
        assert_eq!(read, Attributes::from([size.clone(), ("VisibilityTimeout", "30".to_owned())]));
        assert_eq!(dead, Attributes::from([size, ("MessageRetentionPeriod", "1209600".to_owned())]));
    }

    #[test]
    fn o2_queues_in_order_have_their_limits_by_key() {
        for attributes in made(true, &Parameters::default()) {
            assert_eq!(attributes["FifoQueue"], "true");
            assert_eq!(attributes["DeduplicationScope"], "messageGroup");
            assert_eq!(attributes["FifoThroughputLimit"], "perMessageGroupId");
        }
        let topic = topic(true, &Parameters::default());
        assert_eq!((&*topic["FifoTopic"], &*topic["ContentBasedDeduplication"]), ("true", "false"));
        assert_eq!(super::topic(false, &Parameters::default()), Attributes::new());
    }

    #[test]
    fn keys_are_named_only_if_the_url_does() {
        let address = Address::parse("aws:?kms=alias/shop&kms_reuse=600").unwrap();
        let parameters = address.parameters();
        for attributes in made(false, parameters) {
            assert_eq!(attributes["KmsMasterKeyId"], "alias/shop");
            assert_eq!(attributes["KmsDataKeyReusePeriodSeconds"], "600");
        }
        assert_eq!(topic(false, parameters), Attributes::from([("KmsMasterKeyId", "alias/shop".to_owned())]));
    }

    #[test]
    fn x6_the_brokers_limit_is_beyond_all_attempts() {
        let count = |retries| most_receives(&plan(retries, false));
        assert_eq!([count(0), count(3), count(494), count(495), count(5_000)], [12, 18, 1_000, 1_000, 1_000]);
        assert_eq!(most_receives(&QueuePlan { halts: true, ..plan(0, true) }), 1_000);
    }

    #[test]
    fn n7_a_redrive_policy_is_compared_by_what_it_says() {
        let plan = plan(0, false);
        let ours = format!(r#"{{"deadLetterTargetArn":"{DEAD}","maxReceiveCount":12}}"#);
        for same in [ours.clone(), ours.replace(":12}", ": \"12\"}")] {
            assert_eq!(redrive(Some(&same), &plan, DEAD), Redrive::Right, "{same}");
        }
        let other = ours.replace(":12}", ":3}");
        for found in [None, Some("{}"), Some("nonsense"), Some(&*other)] {
            let expected = Change::new("RedrivePolicy", &*ours, found);
            assert_eq!(redrive(found, &plan, DEAD), Redrive::Ours(expected));
        }
        let theirs = ours.replace("billing-dead", "graveyard");
        let foreign = Redrive::Foreign(DEAD.replace("billing-dead", "graveyard"));
        assert_eq!(redrive(Some(&theirs), &plan, DEAD), foreign);
    }
}
