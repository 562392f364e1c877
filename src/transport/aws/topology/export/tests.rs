use std::collections::BTreeSet;

use super::*;
use crate::{
    event::TextField,
    transport::{Binding, Reach, TopicPlan, aws::address::Address},
};

fn binding(topic: &str, event: &'static str) -> Binding {
    let policy = TextField::<()>::new("currency").is("${EUR} %{x}").policy().clone();
    Binding { topic: topic.to_owned(), routing_key: event.to_owned(), event, by_name: true, policy }
}

fn plan(name: &str, dead_letters: &str, topic: &str) -> QueuePlan {
    QueuePlan {
        name: name.to_owned(),
        dead_letters: dead_letters.to_owned(),
        ordered: name.ends_with(".fifo"),
        retry_delays: Vec::new(),
        halts: false,
        bindings: vec![binding(topic, "paid")],
        concurrency: 1,
        reach: Reach::Shared,
    }
}

fn exported(url: &str) -> BTreeMap<String, Json> {
    let queues = vec![plan("billing", "billing-dead", "orders"), plan("stock.fifo", "stock-dead.fifo", "moves.fifo")];
    let topic = |name: &str| TopicPlan { name: name.to_owned(), ordered: name.ends_with(".fifo"), source: "" };
    let topology = Topology { topics: vec![topic("moves.fifo"), topic("orders")], queues };
    let address = Address::parse(url).unwrap();
    let files = templates(&topology, &["receipts".to_owned()], address.parameters()).unwrap();
    files.into_iter().map(|(name, text)| (name, serde_json::from_str(&text).unwrap())).collect()
}

/// Arguments of the provider's resources, as its documentation lists them; the first must be there.
const ARGUMENTS: [(&str, &str, &[&str]); 4] = [
    (
        "aws_sns_topic",
        "name",
        &["content_based_deduplication", "count", "fifo_topic", "kms_master_key_id", "name", "tags"],
    ),
    (
        "aws_sqs_queue",
        "name",
        &[
            "deduplication_scope",
            "fifo_queue",
            "fifo_throughput_limit",
            "kms_data_key_reuse_period_seconds",
            "kms_master_key_id",
            "max_message_size",
            "message_retention_seconds",
            "name",
            "redrive_policy",
            "tags",
            "visibility_timeout_seconds",
        ],
    ),
    ("aws_sqs_queue_policy", "queue_url", &["policy", "queue_url"]),
    (
        "aws_sns_topic_subscription",
        "endpoint",
        &[
            "depends_on",
            "endpoint",
            "filter_policy",
            "filter_policy_scope",
            "protocol",
            "raw_message_delivery",
            "topic_arn",
        ],
    ),
];

#[test]
fn a_module_has_what_the_provider_knows_and_all_that_it_names() {
    let module = &exported("aws:?kms=alias/shop&kms_reuse=600&tags=a:$%7bb%7d")["aws.tf.json"];
    let kinds: BTreeSet<&String> = module["resource"].as_object().unwrap().keys().collect();
    assert_eq!(kinds.len(), ARGUMENTS.len());
    let mut there = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for (kind, needed, known) in ARGUMENTS {
        for (name, resource) in module["resource"][kind].as_object().unwrap() {
            there.insert(format!("{kind}.{name}"));
            let arguments: BTreeSet<&str> = resource.as_object().unwrap().keys().map(String::as_str).collect();
            assert!(arguments.contains(needed) && arguments.iter().all(|one| known.contains(one)), "{arguments:?}");
            seen.extend(known.iter().filter(|one| arguments.contains(*one)).map(|one| (kind, *one)));
        }
    }
    let all = ARGUMENTS.iter().flat_map(|(kind, _, known)| known.iter().map(move |one| (*kind, *one)));
    assert_eq!(seen, all.collect(), "each of them is used");
    let text = module.to_string();
    for (reference, _) in text.match_indices("${aws_") {
        let name: Vec<&str> = text[reference + 2..].split(['.', '}']).take(2).collect();
        assert!(there.contains(&name.join(".")), "{name:?}");
    }
    for way in module["resource"]["aws_sns_topic_subscription"].as_object().unwrap().values() {
        assert!(way["depends_on"].as_array().unwrap().iter().all(|one| there.contains(one.as_str().unwrap())), "{way}");
    }
    assert_eq!(module["variable"]["topics"]["default"], json!(["moves.fifo", "orders", "receipts"]));
}

#[test]
fn what_others_wrote_is_no_template_of_the_module() {
    let module = &exported("aws:?tags=a:$%7bb%7d")["aws.tf.json"];
    let resources = &module["resource"];
    let filter =
        &resources["aws_sns_topic_subscription"].as_object().unwrap().values().next().unwrap()["filter_policy"];
    assert!(filter.as_str().unwrap().contains("$${EUR} %%{x}"), "{filter}");
    assert_eq!(resources["aws_sns_topic"].as_object().unwrap().values().next().unwrap()["tags"], json!({"a": "$${b}"}));
    let template = &exported("aws:?tags=a:$%7bb%7d")["cloudformation.json"];
    assert!(template.to_string().contains("${EUR} %{x}"), "CloudFormation reads variables in `Fn::Sub` alone");
}

/// All that is named by `Ref`, `Fn::GetAtt` and the like.
fn references<'a>(json: &'a Json, found: &mut BTreeSet<&'a str>) {
    match json {
        Json::Object(fields) => {
            for (name, value) in fields {
                match (&**name, value) {
                    ("Ref" | "Condition", Json::String(name)) => drop(found.insert(name)),
                    ("Fn::GetAtt" | "Fn::If", Json::Array(parts)) => found.extend(parts[0].as_str()),
                    ("DependsOn", Json::Array(names)) => found.extend(names.iter().filter_map(Json::as_str)),
                    _ => {}
                }
                references(value, found);
            }
        }
        Json::Array(list) => list.iter().for_each(|one| references(one, found)),
        _ => {}
    }
}

#[test]
fn a_template_has_all_that_it_names_and_keeps_its_queues() {
    let template = &exported("aws:?tags=team:shop")["cloudformation.json"];
    let mut named = BTreeSet::new();
    references(template, &mut named);
    let parts = ["Parameters", "Conditions", "Resources"].map(|part| template[part].as_object().unwrap());
    let there: BTreeSet<&str> = parts.iter().flat_map(|part| part.keys()).map(String::as_str).collect();
    assert!(named.is_subset(&there), "{:?}", named.difference(&there));
    let queues: Vec<&Json> = parts[2].values().filter(|one| one["Type"] == "AWS::SQS::Queue").collect();
    assert_eq!(queues.len(), 4);
    assert!(queues.iter().all(|queue| queue["DeletionPolicy"] == "Retain"));
    let billing = queues.iter().find(|queue| queue["Properties"]["QueueName"] == "billing").unwrap();
    assert_eq!(billing["Properties"]["RedrivePolicy"]["maxReceiveCount"], 12);
    assert_eq!(billing["Properties"]["Tags"], json!([{"Key": "team", "Value": "shop"}]));
}

#[test]
fn ids_are_short_and_no_two_names_share_one() {
    let names = ["billing-dead", "billing_dead", "billingDead", "billing.dead", &"q".repeat(256), &"q".repeat(255)];
    let ids: BTreeSet<String> = names.iter().map(|name| id("Queue", name)).collect();
    assert_eq!(ids.len(), names.len());
    assert!(ids.iter().all(|id| id.len() < 80 && id.bytes().all(|c| c.is_ascii_alphanumeric())), "{ids:?}");
}
