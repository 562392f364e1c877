//! What a service calls is what the policy made for it allows: no less, and no more.

use std::{collections::BTreeSet, time::Duration};

use serde_json::Value;
use tegami::{
    Context, HandlerError, Retry, Service,
    service::Handle,
    transport::{
        Provision, Transport as _,
        aws::{Aws, IamPolicy},
    },
};
use tegami_test_servers::{AwsFault, Made, Rule, Trouble};

use super::{Account, KINDS};
use crate::contracts::shop::orders::v1::OrderPaid;

/// Who is asked this is allowed to ask.
const FREE: &str = "GetCallerIdentity";
/// What calls are allowed on that IAM knows no place for.
const ANY: &str = "*";

/// A service that handles one event, tries one again, and gives up on one; then it stops.
pub(super) fn billing(account: &Account, url: &str, provision: Provision) -> Service {
    let service = Service::new("billing").prefix(account.name("")).provision(provision).transport(Aws::new(url));
    let retry = Retry::after([Duration::from_millis(50)]);
    service.on_with::<OrderPaid>(handle, |s| s.retry(retry)).started(
        async |service: Handle| -> Result<(), tegami::Error> {
            for amount in 0..3 {
                let paid = OrderPaid::builder().order_id("7").currency("EUR").amount_minor(amount).build();
                service.publisher().publish(&paid).await?;
            }
            Ok(())
        },
    )
}

async fn handle(paid: OrderPaid, ctx: Context) -> Result<(), HandlerError> {
    match (paid.amount_minor, ctx.attempt()) {
        (0, _) => Ok(()),
        (1, 1) => Err(HandlerError::retry("not yet".to_owned())),
        (1, _) => Ok(()),
        _ => Err(HandlerError::reject("never".to_owned())),
    }
}

/// Runs it until all three are settled.
async fn run(account: &Account, url: &str, provision: Provision) {
    let service = billing(account, url, provision);
    let queue = service.topology().expect("it is one").queues[0].clone();
    let dead = || account.caller.count(&queue.dead_letters).map_or(0, |counts| counts.iter().sum());
    let before: u64 = dead();
    let running = service.start().await.expect("it can start");
    let settled = async {
        while dead() <= before || account.caller.count(&queue.name).is_ok_and(|counts| counts != [0; 3]) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(90), settled).await.expect("all three are settled");
    running.stop().await.expect("it can stop");
}

/// What was called, many at once as one by one, and the name of what it was called on.
fn called(fault: &AwsFault) -> BTreeSet<(String, String)> {
    let made = fault.made().into_iter().filter(|made| made.operation != FREE);
    let plain = |made: Made| {
        let operation = made.operation.strip_suffix("Batch").unwrap_or(&made.operation).to_owned();
        let about = if made.operation.contains("SubscriptionAttributes") { ANY } else { last(&made.target) };
        (operation, about.to_owned())
    };
    made.map(plain).collect()
}

/// What is allowed in statements with such ids, and the names of what it is allowed on. The key's are not called by us.
fn allowed(policy: &IamPolicy, id: &str) -> BTreeSet<(String, String)> {
    let policy: Value = serde_json::from_str(&policy.to_string()).expect("JSON");
    let statements = policy["Statement"].as_array().expect("a list").iter();
    let statements =
        statements.filter(|one| one["Sid"] != "Key" && one["Sid"].as_str().is_some_and(|sid| sid.starts_with(id)));
    let pairs = statements.flat_map(|one| {
        let (actions, places) = (texts(&one["Action"]), texts(&one["Resource"]));
        actions.into_iter().flat_map(move |action| {
            let operation = action.split_once(':').expect("a service and an operation").1;
            places.clone().into_iter().map(move |place| (operation.to_owned(), last(place).to_owned()))
        })
    });
    pairs.collect()
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().expect("a list").iter().filter_map(Value::as_str).collect()
}

/// The operations that a start is allowed.
pub(super) fn operations(policy: &IamPolicy) -> BTreeSet<String> {
    allowed(policy, "Provision").into_iter().map(|(operation, _)| operation).collect()
}

/// The name in a URL or an ARN; a name is one.
fn last(place: &str) -> &str {
    place.rsplit([':', '/']).next().unwrap_or_default()
}

/// Each call is allowed on what it was made on, and each that is allowed was made.
fn agree(called: &BTreeSet<(String, String)>, allowed: &BTreeSet<(String, String)>) {
    let more: Vec<_> = called.difference(allowed).collect();
    assert!(more.is_empty(), "called, and not allowed: {more:?}");
    let less: Vec<_> = allowed.difference(called).collect();
    assert!(less.is_empty(), "allowed, and not called: {less:?}");
}

#[tokio::test]
async fn k1_a_service_calls_what_its_policy_allows_and_nothing_else() {
    for kind in KINDS {
        let account = Account::open(kind).await;
        let times = "&wait=1&visibility=5";
        let topology = billing(&account, "aws:", Provision::Create).topology().expect("it is one");
        let policy = topology.iam_policy().publishes_to([topology.topics[0].name.clone()]);
        run(&account, &account.url(times), Provision::Create).await;
        for settings in ["&delivery=notification&tags=team:shop", "&kms=alias/aws/sqs"] {
            run(&account, &account.url(&format!("{times}{settings}")), Provision::Create).await;
        }
        let all = policy.clone().key("arn:aws:kms:eu-west-1:123456789012:key/k").tags();
        agree(&called(&account.fault), &allowed(&all, ""));
        for mode in [Provision::Verify, Provision::Assume] {
            let watched = account.watched().await;
            let url = format!("aws:eu-west-1?endpoint={}{times}&kms=alias/aws/sqs", watched.endpoint());
            run(&account, &url, mode).await;
            agree(&called(&watched), &allowed(&policy.clone().provision(mode), ""));
        }
    }
}

#[tokio::test]
async fn x7_who_puts_dead_letters_back_calls_what_the_policy_allows_for_it() {
    for kind in KINDS {
        let account = Account::open(kind).await;
        let plan = account.plan("billing", &["orders"]);
        account.provision(std::slice::from_ref(&plan), Provision::Create).await.expect("it can start");
        for body in ["one", "two"] {
            account.caller.send(&plan.dead_letters, body, &serde_json::json!({})).expect("it is taken");
        }
        let watched = account.watched().await;
        let aws = Aws::new(format!("aws:eu-west-1?endpoint={}", watched.endpoint()));
        assert_eq!(aws.dead_letters(&plan.name, 10).await.expect("it can be read").len(), 2);
        assert_eq!(aws.redrive(&plan.name).await.expect("they can be put back"), 2);
        aws.close().await;
        let policy = super::account::topology(&[plan]).iam_policy().redrives();
        agree(&called(&watched), &allowed(&policy, "Redrive"));
    }
}

#[tokio::test]
async fn k1_the_start_needs_each_permission_that_the_policy_gives_it() {
    for kind in KINDS {
        let account = Account::open(kind).await;
        let plan = account.plan("billing", &["orders"]);
        account.provision(std::slice::from_ref(&plan), Provision::Create).await.expect("it can start");
        let policy = super::account::topology(std::slice::from_ref(&plan)).iam_policy().provision(Provision::Verify);
        for operation in operations(&policy) {
            let watched = account.watched().await;
            watched.put(Rule::on(operation.clone().leak(), Trouble::DENIED));
            let url = format!("aws:eu-west-1?endpoint={}", watched.endpoint());
            let started = super::account::provision(&url, std::slice::from_ref(&plan), Provision::Verify).await;
            let error = started.err().unwrap_or_else(|| panic!("{kind:?}: {operation} is not needed"));
            assert!(error.to_string().contains(&format!(":{operation}`")), "{error}");
        }
    }
}
