//! What earlier plans left on SNS and SQS.

use serde_json::json;
use tegami::transport::{Provision, Prune, QueuePlan, Remnant, Transport as _, aws::Aws};
use tegami_test_servers::{Rule, Trouble};

use super::{Account, KINDS, topology};

/// What is told of these, as (queue, why it stays).
fn told(remnants: &[Remnant]) -> Vec<(&str, Option<&str>)> {
    remnants.iter().map(|left| (&*left.queue, left.kept.as_deref())).collect()
}

#[tokio::test]
async fn n7_what_earlier_plans_left_goes_only_where_it_is_empty_and_ours_alone() {
    for kind in KINDS {
        let account = Account::open(kind).await;
        let plan = |queue: &str| account.plan(queue, &["orders"]);
        let [kept, empty, full, dead, shared] = ["kept", "empty", "full", "given-up", "shared"].map(plan);
        let all: Vec<QueuePlan> = [&kept, &empty, &full, &dead, &shared].map(Clone::clone).into();
        let aws = Aws::new(account.url(""));
        assert!(aws.differences(&topology(&all), Provision::Create).await.expect("it is up").is_empty());
        account.caller.send(&full.name, "one", &json!({})).expect("it is taken");
        account.caller.send(&dead.dead_letters, "one", &json!({})).expect("it is taken");
        let other = json!({"Version": "2012-10-17", "Statement": [{"Sid": "them", "Effect": "Allow", "Principal": "*",
            "Action": "sqs:SendMessage", "Resource": account.arn(&shared.name)}]});
        account.set(&shared.name, &json!({"Policy": other.to_string()}));
        let gone = plan("gone");
        let former = [&all[..], &[gone]].concat();
        let today = topology(std::slice::from_ref(&kept));
        let changes = account.changes();
        let looked = aws.prune(&former, &today, Prune::Look).await.expect("it is up");
        let (holds, given_up) =
            (format!("`{}` is not empty: 1", full.name), format!("`{}` is not empty: 1", dead.dead_letters));
        let others = format!("the policy of `{}` lets others in than this service had it", shared.name);
        let stays = [(&*full.name, Some(&*holds)), (&dead.name, Some(&given_up)), (&shared.name, Some(&others))];
        let expected = [&[(&*empty.name, None)], &stays[..]].concat();
        assert_eq!((told(&looked), account.changes()), (expected.clone(), changes), "{kind:?}");
        assert_eq!(looked[0].with, std::slice::from_ref(&empty.dead_letters));
        let deleted = aws.prune(&former, &today, Prune::Delete).await.expect("it is up");
        assert_eq!(told(&deleted), expected, "{kind:?}");
        for name in [&empty.name, &empty.dead_letters] {
            assert!(account.caller.url(name).is_err(), "{kind:?}: {name} is there");
        }
        let arn = account.topic_arn(&account.name("orders"), &kept.name);
        let ways = account.caller.sns("ListSubscriptionsByTopic", &[("TopicArn", &arn)]).expect("it is there");
        assert!(!ways.contains(&empty.name) && ways.contains(&full.name), "{kind:?}: {ways}");
        let again = aws.prune(&former, &today, Prune::Delete).await.expect("it is up");
        assert_eq!(told(&again), stays, "{kind:?}");
        assert!(aws.differences(&today, Provision::Verify).await.expect("it is up").is_empty(), "{kind:?}");
        aws.close().await;
    }
}

#[tokio::test]
async fn n7_what_may_not_be_looked_at_stays_and_is_told() {
    for kind in KINDS {
        let account = Account::open(kind).await;
        let old = account.plan("old", &["orders"]);
        account.provision(std::slice::from_ref(&old), Provision::Create).await.expect("it can be made");
        for (operation, trouble, words) in [
            ("GetQueueAttributes", Trouble::DENIED, "sqs:GetQueueAttributes"),
            ("ListSubscriptionsByTopic", Trouble::DENIED, "sns:ListSubscriptionsByTopic"),
            ("ReceiveMessage", Trouble::DENIED, "sqs:ReceiveMessage"),
            ("DeleteQueue", Trouble::DENIED, "sqs:DeleteQueue"),
        ] {
            let watched = account.watched().await;
            watched.put(Rule::on(operation, trouble));
            let aws = Aws::new(format!("aws:eu-west-1?endpoint={}", watched.endpoint()));
            let looked = aws.prune(std::slice::from_ref(&old), &topology(&[]), Prune::Look).await;
            assert_eq!(looked.is_err(), operation == "GetQueueAttributes", "{kind:?}: what would not be done");
            let pruned = aws.prune(std::slice::from_ref(&old), &topology(&[]), Prune::Delete).await;
            let told = pruned.expect("what went before it would be told");
            let [Remnant { queue, kept: Some(why), .. }] = &told[..] else { panic!("{kind:?}: {told:?}") };
            assert!(*queue == old.name && why.contains(words), "{kind:?}: {why}");
            assert!(account.caller.url(&old.name).is_ok(), "{kind:?}: {operation}");
            aws.close().await;
        }
    }
}

#[tokio::test]
async fn n7_a_queue_that_followed_goes_with_its_subscription_or_as_far_as_is_allowed() {
    for kind in KINDS {
        let account = Account::open(kind).await;
        let read = account.plan("read", &["orders"]);
        account.provision(std::slice::from_ref(&read), Provision::Create).await.expect("it can be made");
        let topic = account.topic_arn(&account.name("orders"), &read.name);
        let subscribed =
            || account.caller.sns("ListSubscriptionsByTopic", &[("TopicArn", &topic)]).expect("it is there");
        for (name, denied, is_left) in [("all", None, false), ("some", Some("Unsubscribe"), true)] {
            let beside = account.plan(name, &["orders"]);
            let watched = account.watched().await;
            let aws = Aws::new(format!("aws:eu-west-1?endpoint={}", watched.endpoint()));
            drop(aws.tail(&beside).await.expect("it can be followed"));
            assert!(subscribed().contains(&beside.name), "{kind:?}");
            denied.iter().for_each(|operation| watched.put(Rule::on(operation, Trouble::DENIED)));
            // What it holds does not keep it.
            account.caller.send(&beside.name, "one", &json!({})).expect("it is taken");
            aws.close().await;
            for queue in [&beside.name, &beside.dead_letters] {
                assert!(account.caller.url(queue).is_err(), "{kind:?}: {queue} is there");
            }
            assert_eq!(subscribed().contains(&beside.name), is_left, "{kind:?}: {denied:?}");
            assert!(subscribed().contains(&read.name), "{kind:?}: that of others stays");
        }
    }
}
