//! What others made of our queues stays.

use serde_json::json;
use tegami::transport::Provision;
use tegami_test_servers::inside;

use super::{
    Account, KINDS,
    account::{parsed, provision},
};

#[tokio::test]
async fn n7_what_the_plan_does_not_speak_of_stays() {
    for kind in KINDS {
        let account = Account::open(kind).await;
        let plan = account.plan("billing", &["orders"]);
        let theirs = json!({"Version": "2012-10-17", "Id": "theirs", "Statement": {
            "Sid": "audit", "Effect": "Allow", "Principal": "*", "Action": "sqs:GetQueueAttributes", "Resource": "*",
        }});
        let before = json!({
            "DelaySeconds": "3",
            "ReceiveMessageWaitTimeSeconds": "7",
            "VisibilityTimeout": "99",
            "Policy": theirs.to_string(),
        });
        account.caller.make(&plan.name, &before).expect("it is made");
        let url = account.caller.url(&plan.name).expect("it is there");
        let tagged = json!({"QueueUrl": url, "Tags": {"owner": "them", "team": "them"}});
        account.caller.sqs("TagQueue", &tagged).expect("it is taken");
        for _ in 0..2 {
            let url = account.url("&tags=team:shop");
            provision(&url, std::slice::from_ref(&plan), Provision::Create).await.expect("it can start");
        }
        let after = account.attributes(&plan.name);
        assert_eq!((&after["DelaySeconds"], &after["ReceiveMessageWaitTimeSeconds"]), (&json!("3"), &json!("7")));
        assert_eq!(after["VisibilityTimeout"], "30");
        let policy = parsed(&after["Policy"]);
        assert_eq!((&policy["Id"], &policy["Statement"][0]), (&theirs["Id"], &theirs["Statement"]));
        assert_eq!(policy["Statement"][1]["Sid"], "tegami");
        let tags = account.caller.sqs("ListQueueTags", &json!({"QueueUrl": url})).expect("it is there");
        assert_eq!(tags["Tags"], json!({"owner": "them", "team": "shop"}), "{kind:?}");
        assert_eq!((account.fault.calls("SetQueueAttributes"), account.fault.calls("TagQueue")), (1, 1));
    }
}

/// The value of an attribute in an answer of SNS, without its quotes and spaces.
fn attribute(answer: &str, name: &str) -> String {
    let rest = answer.split_once(&format!("<key>{name}</key>")).map_or("", |(_, rest)| rest);
    inside(rest, "value").replace("&quot;", "").replace(['"', ' '], "")
}

#[tokio::test]
async fn n7_what_the_plan_does_not_speak_of_stays_on_topics_and_subscriptions() {
    for kind in KINDS {
        let account = Account::open(kind).await;
        let (plan, graveyard) = (account.plan("billing", &["orders"]), account.name("graveyard"));
        account.provision(std::slice::from_ref(&plan), Provision::Create).await.expect("it can start");
        account.caller.make(&graveyard, &json!({})).expect("it is made");
        let arn = account.topic_arn(&account.name("orders"), &plan.name);
        let sns =
            |operation: &str, fields: &[(&str, &str)]| account.caller.sns(operation, fields).expect("it is taken");
        let listed = sns("ListSubscriptionsByTopic", &[("TopicArn", &arn)]);
        let subscription = inside(&listed, "SubscriptionArn");
        assert!(!subscription.is_empty(), "there is one: {listed}");
        let delivery =
            r#"{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":7,"maxDelayTarget":9,"numRetries":5}}}"#;
        let redrive = json!({"deadLetterTargetArn": account.arn(&graveyard)}).to_string();
        for (name, value) in [("DisplayName", "theirs"), ("DeliveryPolicy", delivery)] {
            let fields = [("TopicArn", &*arn), ("AttributeName", name), ("AttributeValue", value)];
            sns("SetTopicAttributes", &fields);
        }
        for (name, value) in [("RedrivePolicy", &*redrive), ("RawMessageDelivery", "false")] {
            let fields = [("SubscriptionArn", subscription), ("AttributeName", name), ("AttributeValue", value)];
            sns("SetSubscriptionAttributes", &fields);
        }
        sns("TagResource", &[("ResourceArn", &arn), ("Tags.member.1.Key", "owner"), ("Tags.member.1.Value", "them")]);
        let before = sns("GetTopicAttributes", &[("TopicArn", &arn)]);
        let url = account.url("&tags=team:shop&kms=alias/aws/sqs");
        provision(&url, std::slice::from_ref(&plan), Provision::Create).await.expect("it can start");
        let topic = sns("GetTopicAttributes", &[("TopicArn", &arn)]);
        assert_eq!(
            (attribute(&topic, "DisplayName"), attribute(&topic, "KmsMasterKeyId")),
            ("theirs".into(), "alias/aws/sqs".into())
        );
        assert_eq!(attribute(&topic, "DeliveryPolicy"), attribute(&before, "DeliveryPolicy"), "{kind:?}");
        assert!(attribute(&topic, "DeliveryPolicy").contains("minDelayTarget:7"), "{kind:?}: {topic}");
        let tags = sns("ListTagsForResource", &[("ResourceArn", &arn)]);
        assert!(["<Key>owner</Key>", "<Key>team</Key>"].iter().all(|tag| tags.contains(tag)), "{kind:?}: {tags}");
        let way = sns("GetSubscriptionAttributes", &[("SubscriptionArn", subscription)]);
        assert_eq!(attribute(&way, "RawMessageDelivery"), "true", "{kind:?}: ours is mended");
        assert!(attribute(&way, "RedrivePolicy").contains(&account.arn(&graveyard)), "{kind:?}: {way}");
    }
}

#[tokio::test]
async fn n7_dead_letters_that_somebody_else_collects_stay_theirs() {
    for kind in KINDS {
        let account = Account::open(kind).await;
        let (plan, graveyard) = (account.plan("billing", &["orders"]), account.name("graveyard"));
        account.caller.make(&graveyard, &json!({})).expect("it is made");
        account.caller.make(&plan.name, &json!({})).expect("it is made");
        let redrive = json!({"deadLetterTargetArn": account.arn(&graveyard), "maxReceiveCount": 3}).to_string();
        account.set(&plan.name, &json!({"RedrivePolicy": redrive}));
        account.provision(std::slice::from_ref(&plan), Provision::Create).await.expect("it can start");
        account.provision(std::slice::from_ref(&plan), Provision::Verify).await.expect("it is left so");
        let after = parsed(&account.attributes(&plan.name)["RedrivePolicy"]);
        assert_eq!(after["deadLetterTargetArn"], account.arn(&graveyard), "{kind:?}");
    }
}

#[tokio::test]
async fn n7_a_queue_of_tomodachi_keeps_its_own() {
    for kind in KINDS {
        let account = Account::open(kind).await;
        let plan = account.plan("shared", &["orders"]);
        account.caller.make(&plan.name, &json!({"VisibilityTimeout": "300"})).expect("it is made");
        let (queue, topic) = (account.arn(&plan.name), account.topic_arn(&account.name("orders"), &plan.name));
        let theirs = json!({"Version": "2012-10-17", "Id": format!("{queue}/SQSDefaultPolicy"), "Statement": [{
            "Sid": "9d6a1b2c-1767225600000", "Effect": "Allow", "Principal": "*", "Action": "SQS:SendMessage",
            "Resource": queue, "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }]});
        account.set(&plan.name, &json!({"Policy": theirs.to_string()}));
        let url = account.url("&compat=tomodachi");
        provision(&url, std::slice::from_ref(&plan), Provision::Create).await.expect("it can start");
        let after = account.attributes(&plan.name);
        assert_eq!(after["VisibilityTimeout"], "300");
        assert_eq!(parsed(&after["Policy"])["Statement"][0], theirs["Statement"][0]);
        provision(&url, std::slice::from_ref(&plan), Provision::Verify).await.expect("it is as planned");
    }
}
