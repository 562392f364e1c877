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
use tegami_test_servers::{AwsFault, Rule, Trouble};

use super::{Account, KINDS};
use crate::contracts::shop::orders::v1::OrderPaid;

/// Who is asked this is allowed to ask.
const FREE: &str = "GetCallerIdentity";

/// A service that handles one event, tries one again, and gives up on one; then it stops.
fn billing(account: &Account, url: &str, provision: Provision) -> Service {
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
    tokio::time::timeout(Duration::from_secs(30), settled).await.expect("all three are settled");
    running.stop().await.expect("it can stop");
}

/// The operations that were called, many at once as one by one.
fn called(fault: &AwsFault) -> BTreeSet<String> {
    let names = fault.counts().into_iter().map(|(name, _)| name).filter(|name| name != FREE);
    names.map(|name| name.strip_suffix("Batch").unwrap_or(&name).to_owned()).collect()
}

/// The operations that are allowed in statements with such ids. The key's are not called by us.
fn allowed(policy: &IamPolicy, id: &str) -> BTreeSet<String> {
    let policy: Value = serde_json::from_str(&policy.to_string()).expect("JSON");
    let statements = policy["Statement"].as_array().expect("a list").iter();
    let statements =
        statements.filter(|one| one["Sid"] != "Key" && one["Sid"].as_str().is_some_and(|sid| sid.starts_with(id)));
    let actions = statements.flat_map(|one| one["Action"].as_array().expect("a list"));
    actions.filter_map(|action| Some(action.as_str()?.split_once(':')?.1.to_owned())).collect()
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
        assert_eq!(called(&account.fault), allowed(&all, ""), "{kind:?}");
        for mode in [Provision::Verify, Provision::Assume] {
            let watched = account.watched().await;
            let url = format!("aws:eu-west-1?endpoint={}{times}&kms=alias/aws/sqs", watched.endpoint());
            run(&account, &url, mode).await;
            assert_eq!(called(&watched), allowed(&policy.clone().provision(mode), ""), "{kind:?} {mode:?}");
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
        assert_eq!(called(&watched), allowed(&policy, "Redrive"), "{kind:?}");
    }
}

#[tokio::test]
async fn k1_the_start_needs_each_permission_that_the_policy_gives_it() {
    for kind in KINDS {
        let account = Account::open(kind).await;
        let plan = account.plan("billing", &["orders"]);
        account.provision(std::slice::from_ref(&plan), Provision::Create).await.expect("it can start");
        let policy = super::account::topology(std::slice::from_ref(&plan)).iam_policy().provision(Provision::Verify);
        for operation in allowed(&policy, "Provision") {
            let watched = account.watched().await;
            watched.put(Rule::on(operation.clone().leak(), Trouble::DENIED));
            let url = format!("aws:eu-west-1?endpoint={}", watched.endpoint());
            let started = super::account::provision(&url, std::slice::from_ref(&plan), Provision::Verify).await;
            let error = started.err().unwrap_or_else(|| panic!("{kind:?}: {operation} is not needed"));
            assert!(error.to_string().contains(&format!(":{operation}`")), "{error}");
        }
    }
}
