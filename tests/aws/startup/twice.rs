//! Starts again, and several at once.

use tegami::transport::Provision;
use tegami_test_servers::{Kind, Rule, Trouble};

use super::{Account, KINDS, account::parsed};

#[tokio::test]
async fn n7_a_second_start_changes_nothing() {
    for kind in KINDS {
        let account = Account::open(kind).await;
        let plans = [account.plan("billing", &["orders", "users"]), account.plan("stock.fifo", &["moves.fifo"])];
        account.provision(&plans, Provision::Create).await.expect("they can be made");
        let changes = account.changes();
        assert!(changes > 0);
        account.provision(&plans, Provision::Create).await.expect("they are there");
        account.provision(&plans, Provision::Verify).await.expect("they are as planned");
        assert_eq!(account.changes(), changes, "{kind:?}: {:?}", account.fault.counts());
    }
}

#[tokio::test]
async fn n7_instances_that_start_together_do_not_fail() {
    for kind in KINDS {
        let account = Account::open(kind).await;
        let plans = [account.plan("billing", &["orders", "users"]), account.plan("stock.fifo", &["moves.fifo"])];
        let other = [account.plan("mail", &["orders", "users"])];
        let starts = (0..6).map(|_| account.provision(&plans, Provision::Create));
        let others = (0..2).map(|_| account.provision(&other, Provision::Create));
        let (starts, others) =
            tokio::join!(futures_util::future::join_all(starts), futures_util::future::join_all(others));
        for started in starts.into_iter().chain(others) {
            started.unwrap_or_else(|error| panic!("{kind:?}: {error:?}"));
        }
        let changes = account.changes();
        account.provision(&plans, Provision::Create).await.expect("they are there");
        assert_eq!(account.changes(), changes, "{kind:?}: what they made is right");
    }
}

#[tokio::test]
async fn n7_versions_that_start_together_in_other_ways_do_not_fail() {
    for kind in KINDS {
        let account = Account::open(kind).await;
        let plan = account.plan("billing", &["orders"]);
        let urls =
            ["", "&visibility=60", "&delivery=notification", "&tags=a:1", "&tags=a:2"].map(|rest| account.url(rest));
        let starts =
            urls.iter().map(|url| super::account::provision(url, std::slice::from_ref(&plan), Provision::Create));
        for started in futures_util::future::join_all(starts).await {
            started.unwrap_or_else(|error| panic!("{kind:?}: {error:?}"));
        }
    }
}

#[tokio::test]
async fn n7_an_older_instance_leaves_the_topics_of_a_newer_one() {
    for kind in KINDS {
        let account = Account::open(kind).await;
        let newer = account.plan("billing", &["orders", "users"]);
        let older = account.plan("billing", &["orders"]);
        for plan in [&newer, &older] {
            account.provision(std::slice::from_ref(plan), Provision::Create).await.expect("it can start");
        }
        let policy = parsed(&account.attributes(&newer.name)["Policy"]);
        assert_eq!(policy["Statement"][0]["Condition"]["ArnEquals"]["aws:SourceArn"].as_array().map(Vec::len), Some(2));
    }
}

#[tokio::test]
async fn n2_a_start_that_asks_too_often_waits() {
    for kind in KINDS {
        let account = Account::open(kind).await;
        let plan = account.plan("billing", &["orders"]);
        for operation in ["CreateQueue", "SetQueueAttributes", "CreateTopic", "Subscribe", "ListSubscriptionsByTopic"] {
            account.fault.put(Rule::on(operation, Trouble::Throttled).times(2));
        }
        account.provision(std::slice::from_ref(&plan), Provision::Create).await.expect("it can start");
        assert_eq!(account.fault.struck("*"), 10);
    }
}

#[tokio::test]
async fn n7_a_topic_with_many_subscriptions_is_read_to_its_end() {
    for kind in KINDS {
        let account = Account::open(kind).await;
        let plan = account.plan("billing", &["orders"]);
        account.provision(std::slice::from_ref(&plan), Provision::Create).await.expect("it can start");
        let topic = account.topic_arn(&account.name("orders"), &plan.name);
        let queue = account.arn(&plan.name);
        let subscribe = |endpoint: &str| {
            let fields = [("TopicArn", &*topic), ("Protocol", "sqs"), ("Endpoint", endpoint)];
            account.caller.sns("Subscribe", &fields).expect("it is taken");
        };
        let crowd: Vec<_> = (0..150).map(|number| account.plan(&format!("other{number}"), &[])).collect();
        let late = account.plan("late", &["orders"]);
        for other in &crowd {
            account.caller.make(&other.name, &serde_json::json!({})).expect("it is made");
            subscribe(&queue.replace(&plan.name, &other.name));
        }
        account.provision(std::slice::from_ref(&late), Provision::Create).await.expect("it can start");
        let changes = account.changes();
        account.provision(&[plan, late], Provision::Create).await.expect("it can start");
        assert_eq!(account.changes(), changes, "{kind:?}");
        // MiniStack has one page for all.
        let pages = if kind == Kind::LocalStack { 5 } else { 3 };
        assert!(account.fault.calls("ListSubscriptionsByTopic") >= pages, "{kind:?}: {:?}", account.fault.counts());
    }
}
