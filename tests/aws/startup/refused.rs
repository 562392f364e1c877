//! What we are not allowed to: named with the permission that it takes, and where, at the start and after it.

use std::{error::Error, sync::OnceLock, time::Duration};

use tegami::{
    envelope::{MessageId, Sealed},
    transport::{Outgoing, Provision, TopicPlan, Topology, Transport as _, TransportErrorKind, aws::Aws},
};
use tegami_test_servers::{Kind, Rule, Trouble};
use tracing_subscriber::filter::LevelFilter;

use super::{
    Account, KINDS,
    account::{provision, topology},
    log::Log,
    permissions::{billing, operations},
};

/// A key, tags, and another way of delivery: what was there before must be mended.
const SETTINGS: &str = "&kms=alias/aws/sqs&tags=team:shop&delivery=notification";
/// How soon a refusal is told.
const SOON: Duration = Duration::from_secs(60);

/// A start that needs this operation, which is refused; what it says.
async fn refused(account: &Account, operation: &str) -> String {
    let plan = |queue: &str, topics: &[&str]| {
        super::account::plan(queue, topics, |name| account.name(&format!("{operation}-{name}")))
    };
    account.provision(&[plan("billing", &["orders"])], Provision::Create).await.expect("it can start");
    account.fault.put(Rule::on(operation.to_owned().leak(), Trouble::DENIED));
    let plans = [plan("billing", &["orders", "users"]), plan("mail", &["orders"])];
    let started = provision(&account.url(SETTINGS), &plans, Provision::Create).await;
    account.fault.lift();
    let Err(error) = started else { panic!("{operation} is not needed") };
    assert_eq!(error.kind(), TransportErrorKind::Refused, "{operation}: {error:?}");
    provision(&account.url(SETTINGS), &plans, Provision::Create).await.expect("it can start");
    error.to_string()
}

#[tokio::test]
async fn n7_each_permission_that_is_missing_is_named() {
    let some = super::account::plan("billing", &["orders"], str::to_owned);
    let all = operations(&topology(&[some]).iam_policy().key("arn:aws:kms:eu-west-1:1:key/k").tags());
    assert_eq!(all.len(), 15, "{all:?}");
    // It is the proxy that refuses: the quick emulator is enough.
    let account = Account::open(Kind::MiniStack).await;
    for operation in all {
        let told = refused(&account, &operation).await;
        let permission = format!("which takes `{}:{operation}`", service(&operation));
        let (names, endpoint) = (account.name(""), account.fault.endpoint());
        let place = match &*operation {
            "GetQueueUrl" | "CreateQueue" => "queue `",
            "GetQueueAttributes" => "http://",
            "SetQueueAttributes" | "ListQueueTags" | "TagQueue" => "(arn:aws:sqs:eu-west-1:",
            _ => "(arn:aws:sns:eu-west-1:",
        };
        for word in [&*permission, &names, place, "`eu-west-1`", &endpoint] {
            assert!(told.contains(word), "{operation}: `{word}` is not in: {told}");
        }
    }
}

fn service(operation: &str) -> &'static str {
    let of_sns = ["Topic", "Subscri", "TagResource", "TagsForResource"];
    if of_sns.iter().any(|part| operation.contains(part)) { "sns" } else { "sqs" }
}

#[tokio::test]
async fn n7_who_is_not_told_whose_topics_they_are_says_so() {
    for kind in KINDS {
        let account = Account::open(kind).await;
        account.fault.put(Rule::on("GetCallerIdentity", Trouble::DENIED));
        let name = account.name("orders");
        let topics = vec![TopicPlan { name: name.clone(), ordered: false, source: "" }];
        let aws = Aws::new(account.url(""));
        let started = aws.provision(&Topology { topics, queues: Vec::new() }, Provision::Create).await;
        let error = started.expect_err("nobody says who we are");
        assert_eq!(error.kind(), TransportErrorKind::Refused, "{error:?}");
        let told = error.to_string();
        for word in ["account of topic", &name, "`sts:GetCallerIdentity`", "`eu-west-1`", &account.fault.endpoint()] {
            assert!(told.contains(word), "{kind:?}: `{word}` is not in: {told}");
        }
    }
}

/// All that this process logs.
fn log() -> &'static Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    LOG.get_or_init(|| {
        let log = Log::default();
        // The transport has a thread of its own.
        tracing::subscriber::set_global_default(log.subscriber(LevelFilter::INFO)).expect("there is none before");
        log
    })
}

/// Waits until a line has all of these.
async fn told(words: &[&str]) {
    let is_told = || log().lines().iter().any(|line| words.iter().all(|word| line.contains(word)));
    let waiting = async {
        while !is_told() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(SOON, waiting).await.unwrap_or_else(|_| panic!("{words:?} in {:#?}", log().lines()));
}

#[tokio::test]
async fn n7_what_is_refused_at_work_is_logged_with_its_permission_and_place() {
    log();
    for kind in KINDS {
        let account = Account::open(kind).await;
        for operation in ["DeleteMessage*", "ChangeMessageVisibility*"] {
            account.fault.put(Rule::on(operation, Trouble::DENIED));
        }
        let service = billing(&account, &account.url("&wait=1&visibility=5"), Provision::Create);
        let queue = service.topology().expect("it is one").queues[0].name.clone();
        let running = service.start().await.expect("it can start");
        let url = format!("/{queue}`");
        told(&["was not deleted", "it takes `sqs:DeleteMessage` on `http://", &url]).await;
        told(&["was not given back", "it takes `sqs:ChangeMessageVisibility` on `http://", &url]).await;
        account.fault.put(Rule::on("ReceiveMessage", Trouble::DENIED));
        told(&["cannot receive", "it takes `sqs:ReceiveMessage` on `http://", &url]).await;
        account.fault.lift();
        running.stop().await.expect("it can stop");
    }
}

#[tokio::test]
async fn n7_a_publish_that_is_refused_tells_its_permission_and_place() {
    for kind in KINDS {
        let account = Account::open(kind).await;
        let topic = account.name("orders");
        let aws = Aws::new(account.url(""));
        let publish = async || {
            let id = MessageId::parse("1").expect("it is one");
            aws.publish(Outgoing::new(id, "paid", topic.clone(), Sealed::default())).await
        };
        publish().await.expect("it is taken, and the topic made");
        account.fault.put(Rule::on("Publish*", Trouble::DENIED));
        let error = publish().await.expect_err("it is refused");
        let cause = error.source().expect("it has one").to_string();
        let place = format!("`sns:Publish` on `arn:aws:sns:eu-west-1:000000000000:{topic}`");
        assert!(cause.contains(&place), "{kind:?}: {cause}");
    }
}
