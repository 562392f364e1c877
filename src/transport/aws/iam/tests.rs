use std::collections::BTreeMap;

use super::*;
use crate::{
    event::Policy,
    transport::{Binding, QueuePlan, Reach, TopicPlan},
};

fn topology() -> Topology {
    let binding = Binding {
        topic: "shop".to_owned(),
        routing_key: "paid".to_owned(),
        event: "paid",
        by_name: false,
        policy: Policy::default(),
    };
    let queue = QueuePlan {
        name: "billing".to_owned(),
        dead_letters: "billing-dead".to_owned(),
        ordered: false,
        retry_delays: Vec::new(),
        halts: false,
        bindings: vec![binding],
        concurrency: 1,
        reach: Reach::Shared,
    };
    Topology { topics: vec![TopicPlan { name: "shop".to_owned(), ordered: false, source: "" }], queues: vec![queue] }
}

/// Statements by their ids: actions and resources.
fn said(policy: &IamPolicy) -> BTreeMap<String, (Vec<String>, Vec<String>)> {
    let policy: Json = serde_json::from_str(&policy.to_string()).expect("JSON");
    let texts =
        |value: &Json| value.as_array().expect("a list").iter().map(|text| text.as_str().unwrap().to_owned()).collect();
    let statements = policy["Statement"].as_array().expect("a list").clone();
    statements
        .iter()
        .map(|one| (one["Sid"].as_str().unwrap().to_owned(), (texts(&one["Action"]), texts(&one["Resource"]))))
        .collect()
}

#[test]
fn k1_a_service_that_consumes_may_touch_its_own_queues_alone() {
    let policy = topology().iam_policy().provision(Provision::Assume);
    let policy = policy.partition("aws").region("eu-west-1").account("123456789012");
    let said = said(&policy);
    assert_eq!(said.keys().collect::<Vec<_>>(), ["Consume", "DeadLetters"]);
    let (actions, resources) = &said["Consume"];
    let expected = ["ChangeMessageVisibility", "DeleteMessage", "GetQueueUrl", "ReceiveMessage"];
    assert_eq!(*actions, expected.map(|action| format!("sqs:{action}")));
    assert_eq!(*resources, ["arn:aws:sqs:eu-west-1:123456789012:billing"]);
    let (actions, resources) = &said["DeadLetters"];
    assert_eq!(*actions, ["sqs:GetQueueUrl", "sqs:SendMessage"]);
    assert_eq!(*resources, ["arn:aws:sqs:eu-west-1:123456789012:billing-dead"]);
}

#[test]
fn k1_verifying_allows_no_change() {
    for (policy, changes) in [
        (topology().iam_policy().provision(Provision::Verify).tags().key("arn"), false),
        (topology().iam_policy().tags().key("arn"), true),
    ] {
        let provisioning = said_of(&policy, "Provision");
        let changing = |action: &String| {
            let verb = action.split_once(':').unwrap().1;
            ["Create", "Set", "Tag", "Subscribe"].iter().any(|beginning| verb.starts_with(beginning))
        };
        assert_eq!(provisioning.iter().any(changing), changes, "{provisioning:?}");
        assert!(provisioning.contains(&"sns:ListSubscriptionsByTopic".to_owned()));
    }
}

fn said_of(policy: &IamPolicy, beginning: &str) -> Vec<String> {
    let statements = said(policy).into_iter().filter(|(id, _)| id.starts_with(beginning));
    statements.flat_map(|(_, (actions, _))| actions).collect()
}

#[test]
fn k1_publishing_is_allowed_where_it_is_said() {
    let nothing = Topology::default().iam_policy();
    assert_eq!(said(&nothing), BTreeMap::new());
    let policy = nothing.publishes_to(["shop", "users.fifo"]).sends_to(["mail"]);
    let (actions, resources) = &said(&policy)["Publish"];
    assert_eq!(*actions, ["sns:CreateTopic", "sns:Publish"]);
    assert_eq!(*resources, ["arn:*:sns:*:*:shop", "arn:*:sns:*:*:users.fifo"]);
    assert_eq!(said(&policy)["Send"].1, ["arn:*:sqs:*:*:mail"]);
    assert_eq!(said_of(&policy.provision(Provision::Verify), "Publish"), ["sns:Publish"]);
}

#[test]
fn k1_tags_and_keys_are_allowed_only_if_they_are_used() {
    let plain = said_of(&topology().iam_policy(), "");
    let optional = ["sqs:TagQueue", "sqs:ListQueueTags", "sns:TagResource", "sns:ListTagsForResource"];
    assert!(optional.iter().all(|action| !plain.contains(&(*action).to_owned())), "{plain:?}");
    assert!(!plain.contains(&"sns:SetTopicAttributes".to_owned()));
    let tagged = said_of(&topology().iam_policy().tags(), "Provision");
    assert!(optional.iter().all(|action| tagged.contains(&(*action).to_owned())), "{tagged:?}");
    let policy = topology().iam_policy().key("arn:aws:kms:eu-west-1:123456789012:key/k").to_string();
    assert!(policy.contains("kms:GenerateDataKey") && policy.contains("sns:SetTopicAttributes"));
}

#[test]
fn x7_dead_letters_are_put_back_only_by_who_may() {
    let policy = topology().iam_policy();
    assert_eq!(said_of(&policy, "Redrive"), Vec::<String>::new());
    let said = said(&policy.redrives());
    assert_eq!(said["Redrive"].1, ["arn:*:sqs:*:*:billing-dead"]);
    assert_eq!(
        said["RedriveBack"],
        (vec!["sqs:GetQueueUrl".to_owned(), "sqs:SendMessage".to_owned()], vec!["arn:*:sqs:*:*:billing".to_owned()])
    );
}
