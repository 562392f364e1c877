//! What is exported makes what a start would make.

use std::time::{Duration, Instant};

use tegami::{
    Context, Service,
    transport::{Provision, Transport as _, aws::Aws},
};
use tegami_test_servers::{Kind, inside};

use super::Account;
use crate::contracts::shop::{
    orders::v1::OrderPaid,
    warehouse::v1::{StockCounted, StockMoved},
};

/// How long a stack may take to be made.
const MADE: Duration = Duration::from_secs(60);
/// What the names of stacks and their like may have.
const STACK: &str = "tegami";

/// Queues with filters, in order, of one event and of several.
fn billing(account: &Account, url: &str) -> Service {
    let service = Service::new("billing").prefix(account.name("")).transport(Aws::new(url));
    service
        .on_with::<OrderPaid>(async |_: OrderPaid, _: Context| Ok(()), |s| s.filter(OrderPaid::currency().is("EUR")))
        .on::<StockMoved>(async |_: StockMoved, _: Context| Ok(()))
        .on_with::<StockCounted>(async |_: StockCounted, _: Context| Ok(()), |s| s.group("counts"))
}

/// Has the template be deployed, on an emulator that may have begun before it could do so.
async fn deploy(account: &Account, template: &str) {
    let stack = account.name(STACK);
    let fields = [("StackName", &*stack), ("TemplateBody", template)];
    if account.caller.cloudformation("ListStacks", &[]).is_err() {
        account.emulator.kill9().await;
        account.emulator.start().await;
    }
    account.caller.cloudformation("CreateStack", &fields).expect("the template is taken");
    let begun = Instant::now();
    loop {
        let told = account.caller.cloudformation("DescribeStacks", &fields[..1]).expect("it is there");
        match inside(&told, "StackStatus") {
            "CREATE_COMPLETE" => return,
            "CREATE_IN_PROGRESS" | "REVIEW_IN_PROGRESS" if begun.elapsed() < MADE => {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            other => {
                let events = account.caller.cloudformation("DescribeStackEvents", &fields[..1]);
                panic!("the stack is {other}: {events:?}");
            }
        }
    }
}

/// MiniStack's CloudFormation leaves out whether a topic is in order.
#[tokio::test]
async fn n7_a_template_makes_on_localstack_what_a_start_makes() {
    let encrypted = "&delivery=notification&kms=alias/aws/sqs&kms_reuse=600";
    for settings in ["&tags=team:shop,cost:a%20b&visibility=45", encrypted] {
        let account = Account::open(Kind::LocalStack).await;
        let aws = Aws::new(account.url(settings));
        let topology = billing(&account, "aws:").topology().expect("it is one");
        let published = [account.name("receipts")];
        let files = aws.exports(&topology, &published).expect("it can be exported");
        deploy(&account, &files["cloudformation.json"]).await;
        let changes = account.changes();
        for mode in [Provision::Verify, Provision::Create] {
            let differences = aws.differences(&topology, mode).await.expect("it answers");
            assert!(differences.is_empty(), "{differences:?}");
        }
        assert_eq!(account.changes(), changes, "{:?}", account.fault.counts());
        aws.close().await;
    }
}
