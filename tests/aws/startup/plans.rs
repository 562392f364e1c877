//! What a start makes.

use serde_json::json;
use tegami::transport::Provision;
use tegami_test_servers::Kind;

use super::{
    Account, KINDS,
    account::{parsed, provision},
};

/// How often a message is asked for that comes a little after its publish.
const LOOKS: usize = 500;

#[tokio::test]
async fn n7_queues_have_what_the_plan_says() {
    for kind in KINDS {
        let account = Account::open(kind).await;
        let plan = account.plan("billing", &["orders", "users"]);
        account.provision(std::slice::from_ref(&plan), Provision::Create).await.expect("they can be made");
        let (read, dead) = (account.attributes(&plan.name), account.attributes(&plan.dead_letters));
        assert_eq!((&read["VisibilityTimeout"], &read["MaximumMessageSize"]), (&json!("30"), &json!("1048576")));
        assert_eq!(dead["MessageRetentionPeriod"], "1209600");
        let redrive = parsed(&read["RedrivePolicy"]);
        assert_eq!(redrive["deadLetterTargetArn"], dead["QueueArn"], "{kind:?}");
        assert_eq!(redrive["maxReceiveCount"].to_string().trim_matches('"'), "12", "{kind:?}");
        let statement = &parsed(&read["Policy"])["Statement"][0];
        assert_eq!(statement["Principal"], json!({"Service": "sns.amazonaws.com"}));
        let topics = ["orders", "users"].map(|topic| account.topic_arn(&account.name(topic), &plan.name));
        assert_eq!(statement["Condition"], json!({"ArnEquals": {"aws:SourceArn": topics}}));
        assert_eq!(account.fault.calls("Subscribe"), 2);
    }
}

#[tokio::test]
async fn o2_queues_in_order_count_by_key_and_halting_ones_never_give_up() {
    for kind in KINDS {
        let account = Account::open(kind).await;
        let mut plan = account.plan("stock.fifo", &["moves.fifo"]);
        plan.halts = true;
        account.provision(std::slice::from_ref(&plan), Provision::Create).await.expect("they can be made");
        for queue in [&plan.name, &plan.dead_letters] {
            let found = account.attributes(queue);
            let scope = [&found["FifoQueue"], &found["DeduplicationScope"], &found["FifoThroughputLimit"]];
            assert_eq!(scope, ["true", "messageGroup", "perMessageGroupId"], "{kind:?}");
        }
        let redrive = parsed(&account.attributes(&plan.name)["RedrivePolicy"]);
        assert_eq!(redrive["maxReceiveCount"].to_string().trim_matches('"'), "1000", "{kind:?}");
        let arn = account.topic_arn(&account.name("moves.fifo"), &plan.name);
        let topic = account.caller.sns("GetTopicAttributes", &[("TopicArn", &arn)]).expect("it is there");
        assert!(topic.contains("<key>FifoTopic</key><value>true</value>"), "{topic}");
    }
}

#[tokio::test]
async fn n7_several_events_of_a_topic_are_one_subscription() {
    for kind in KINDS {
        let account = Account::open(kind).await;
        let mut plan = account.plan("billing", &["orders", "orders"]);
        plan.bindings[1].event = "placed";
        plan.bindings.iter_mut().for_each(|binding| binding.by_name = true);
        account.provision(std::slice::from_ref(&plan), Provision::Create).await.expect("they can be made");
        assert_eq!(account.fault.calls("Subscribe"), 1);
        let arn = account.topic_arn(&account.name("orders"), &plan.name);
        let listed = account.caller.sns("ListSubscriptionsByTopic", &[("TopicArn", &arn)]).expect("it is there");
        let begin = listed.find("<SubscriptionArn>").expect("one") + "<SubscriptionArn>".len();
        let subscription = &listed[begin..begin + listed[begin..].find('<').expect("its end")];
        let fields = [("SubscriptionArn", subscription)];
        let found = account.caller.sns("GetSubscriptionAttributes", &fields).expect("it is there");
        assert!(found.contains("<key>RawMessageDelivery</key><value>true</value>"), "{found}");
        let found = found.replace("&quot;", "\"").replace(' ', "");
        assert!(found.contains(r#"{"tegami-event":["paid","placed"]}"#), "{found}");
    }
}

#[tokio::test]
async fn n7_keys_and_tags_are_put_on_all_that_is_made() {
    for kind in KINDS {
        let account = Account::open(kind).await;
        let plan = account.plan("billing", &["orders"]);
        let url = account.url("&kms=alias/aws/sqs&kms_reuse=600&tags=team:shop,cost:7");
        for _ in 0..2 {
            provision(&url, std::slice::from_ref(&plan), Provision::Create).await.expect("they can be made");
            provision(&url, std::slice::from_ref(&plan), Provision::Verify).await.expect("they are as planned");
        }
        for queue in [&plan.name, &plan.dead_letters] {
            let found = account.attributes(queue);
            assert_eq!(found["KmsMasterKeyId"], "alias/aws/sqs", "{kind:?}");
            assert_eq!(found["KmsDataKeyReusePeriodSeconds"], "600", "{kind:?}");
            let url = account.caller.url(queue).expect("it is there");
            let tags = account.caller.sqs("ListQueueTags", &json!({"QueueUrl": url})).expect("it is there");
            assert_eq!(tags["Tags"], json!({"team": "shop", "cost": "7"}), "{kind:?}");
        }
        let arn = account.topic_arn(&account.name("orders"), &plan.name);
        let topic = account.caller.sns("GetTopicAttributes", &[("TopicArn", &arn)]).expect("it is there");
        assert!(topic.contains("alias/aws/sqs"), "{topic}");
        let tags = account.caller.sns("ListTagsForResource", &[("ResourceArn", &arn)]).expect("it is there");
        assert!(tags.contains("<Key>team</Key>") && tags.contains("<Value>7</Value>"), "{tags}");
        assert_eq!(account.fault.calls("Tag*"), 0, "they came with what was made");
    }
}

#[tokio::test]
async fn n7_fifty_queues_are_made_and_found_again() {
    for kind in KINDS {
        let account = Account::open(kind).await;
        let plans: Vec<_> = (0..50).map(|number| account.plan(&format!("q{number}"), &["orders", "users"])).collect();
        let started = std::time::Instant::now();
        account.provision(&plans, Provision::Create).await.expect("they can be made");
        let made = started.elapsed();
        let changes = account.changes();
        account.provision(&plans, Provision::Create).await.expect("they are there");
        assert_eq!(account.changes(), changes, "{kind:?}");
        eprintln!("{kind:?}: made in {made:?}, found again in {:?}", started.elapsed() - made);
    }
}

#[tokio::test]
async fn n7_a_queue_of_three_hundred_topics_hears_the_first_and_the_last() {
    let account = Account::open(Kind::MiniStack).await;
    let topics: Vec<String> = (100..400).map(|number| format!("orders-{number}")).collect();
    let plan = account.plan("billing", &topics.iter().map(String::as_str).collect::<Vec<_>>());
    let started = std::time::Instant::now();
    account.provision(std::slice::from_ref(&plan), Provision::Create).await.expect("it can start");
    eprintln!("three hundred topics after {:?}", started.elapsed());
    let policy = account.attributes(&plan.name)["Policy"].as_str().expect("it is set").to_owned();
    assert!(policy.len() < 8_192, "{} bytes", policy.len());
    for topic in [&topics[0], &topics[150], &topics[299]] {
        let arn = account.topic_arn(&account.name(topic), &plan.name);
        assert!(lets_in(&policy, &arn), "{arn} is not in {policy}");
        account.caller.sns("Publish", &[("TopicArn", &arn), ("Message", topic)]).expect("it is taken");
        let looks = std::iter::repeat_with(|| account.caller.receive(&plan.name).expect("it answers"));
        let received = looks.take(LOOKS).find(|received| !received.is_empty()).unwrap_or_default();
        let bodies: Vec<_> = received.iter().map(|message| &message["Body"]).collect();
        assert_eq!(bodies, [topic]);
        account.caller.delete(&plan.name, &received[0]).expect("it is there");
    }
    let changes = account.changes();
    account.provision(&[plan], Provision::Create).await.expect("they are there");
    assert_eq!(account.changes(), changes);
}

/// Emulators let everyone in; does the policy, as AWS reads it?
fn lets_in(policy: &str, topic: &str) -> bool {
    let policy: serde_json::Value = serde_json::from_str(policy).expect("it is JSON");
    let sources = &policy["Statement"][0]["Condition"]["ArnLike"]["aws:SourceArn"];
    let sources = sources.as_array().expect("they are told by how they begin").iter().filter_map(|one| one.as_str());
    let begins = |source: &str| source.strip_suffix('*').is_some_and(|beginning| topic.starts_with(beginning));
    sources.into_iter().any(begins)
}
