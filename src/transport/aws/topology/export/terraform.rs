//! A module of OpenTofu and Terraform, for their provider `aws`.

use serde_json::{Map, Value as Json, json};

use super::{Drawing, Drawn, Way, id, typed};

/// The first provider that knows how large a message can be.
const PROVIDER: &str = ">= 6.8.0";
/// What attributes of topics and queues are called there.
const NAMES: [(&str, &str); 10] = [
    ("ContentBasedDeduplication", "content_based_deduplication"),
    ("DeduplicationScope", "deduplication_scope"),
    ("FifoQueue", "fifo_queue"),
    ("FifoThroughputLimit", "fifo_throughput_limit"),
    ("FifoTopic", "fifo_topic"),
    ("KmsDataKeyReusePeriodSeconds", "kms_data_key_reuse_period_seconds"),
    ("KmsMasterKeyId", "kms_master_key_id"),
    ("MaximumMessageSize", "max_message_size"),
    ("MessageRetentionPeriod", "message_retention_seconds"),
    ("VisibilityTimeout", "visibility_timeout_seconds"),
];

pub(super) fn arn(service: &str, name: &str) -> String {
    let (partition, region) = ("data.aws_partition.current.partition", "data.aws_region.current.id");
    format!("arn:${{{partition}}}:{service}:${{{region}}}:${{data.aws_caller_identity.current.account_id}}:{name}")
}

/// Topics are shared with other services, and one module alone can make each: a variable says which this one makes.
pub(super) fn module(drawing: &Drawing<'_>) -> Json {
    let topics: Vec<_> = drawing.topics.keys().collect();
    let made = drawing.topics.iter().map(|(name, attributes)| {
        let mut topic = named(attributes, drawing);
        topic.insert("name".to_owned(), json!(name));
        topic.insert("count".to_owned(), json!(format!("${{contains(var.topics, \"{name}\") ? 1 : 0}}")));
        (id("Topic", name), Json::Object(topic))
    });
    let queues = drawing.queues.iter().map(|(name, queue)| (id("Queue", name), queue_of(name, queue, drawing)));
    let policies = drawing.queues.iter().filter_map(|(name, queue)| {
        let policy = queue.policy.as_ref()?.to_string();
        Some((id("Queue", name), json!({"queue_url": of_queue(name, "id"), "policy": policy})))
    });
    let ways = drawing.ways.iter().map(|way| (id("Way", &format!("{}:{}", way.topic, way.queue)), way_of(way)));
    let kinds = [
        ("aws_sns_topic", made.collect::<Map<_, _>>()),
        ("aws_sqs_queue", queues.collect()),
        ("aws_sqs_queue_policy", policies.collect()),
        ("aws_sns_topic_subscription", ways.collect()),
    ];
    let resources: Map<_, _> = kinds.into_iter().filter(|(_, all)| !all.is_empty()).map(in_json).collect();
    json!({
        "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws", "version": PROVIDER}}},
        "variable": {"topics": {
            "type": "set(string)", "default": topics,
            "description": "The topics that this module makes. One module alone can make each",
        }},
        "data": {
            "aws_partition": {"current": {}}, "aws_region": {"current": {}}, "aws_caller_identity": {"current": {}},
        },
        "resource": resources,
    })
}

fn in_json((kind, all): (&str, Map<String, Json>)) -> (String, Json) {
    (kind.to_owned(), Json::Object(all))
}

fn queue_of(name: &str, queue: &Drawn, drawing: &Drawing<'_>) -> Json {
    let mut properties = named(&queue.attributes, drawing);
    properties.insert("name".to_owned(), json!(name));
    if let Some((dead_letters, most)) = &queue.redrive {
        let policy = json!({"deadLetterTargetArn": of_queue(dead_letters, "arn"), "maxReceiveCount": most});
        properties.insert("redrive_policy".to_owned(), json!(policy.to_string()));
    }
    Json::Object(properties)
}

/// A queue lets SNS in before it is subscribed: what comes in between would be lost.
fn way_of(Way { queue, topic, raw, filter }: &Way<'_>) -> Json {
    let mut way = json!({
        "protocol": "sqs", "topic_arn": arn("sns", topic), "endpoint": of_queue(queue, "arn"),
        "raw_message_delivery": raw,
        "depends_on": [format!("aws_sqs_queue_policy.{}", id("Queue", queue)), format!("aws_sns_topic.{}", id("Topic", topic))],
    });
    if let Some(filter) = filter {
        way["filter_policy"] = json!(escaped(&filter.to_string()));
        way["filter_policy_scope"] = json!("MessageAttributes");
    }
    way
}

fn of_queue(name: &str, attribute: &str) -> String {
    format!("${{aws_sqs_queue.{}.{attribute}}}", id("Queue", name))
}

/// Attributes as they are called there, and the tags.
fn named(attributes: &super::Attributes, drawing: &Drawing<'_>) -> Map<String, Json> {
    let name = |ours: &str| NAMES.iter().find(|(known, _)| *known == ours).expect("each has a name there").1.to_owned();
    let value = |value: &str| match typed(value) {
        Json::String(text) => json!(escaped(&text)),
        other => other,
    };
    let mut all: Map<_, _> = attributes.iter().map(|(ours, said)| (name(ours), value(said))).collect();
    if !drawing.tags.is_empty() {
        let tags = drawing.tags.iter().map(|(name, value)| (escaped(name), json!(escaped(value))));
        all.insert("tags".to_owned(), Json::Object(tags.collect()));
    }
    all
}

/// Text is a template there: what would begin one does not.
fn escaped(text: &str) -> String {
    text.replace("${", "$${").replace("%{", "%%{")
}
