//! Starts that cannot go on, and what they say.

use serde_json::json;
use tegami::transport::{Provision, TransportErrorKind};
use tegami_test_servers::{Rule, Trouble};
use tokio::net::TcpListener;

use super::{
    Account, KINDS,
    account::{parsed, provision},
};

#[tokio::test]
async fn n7_each_permission_that_is_missing_is_named() {
    for kind in KINDS {
        let account = Account::open(kind).await;
        let plan = account.plan("billing", &["orders"]);
        let topic = account.name("orders");
        for (operation, permission, name) in [
            ("GetQueueUrl", "sqs:GetQueueUrl", &plan.name),
            ("CreateQueue", "sqs:CreateQueue", &plan.name),
            ("GetQueueAttributes", "sqs:GetQueueAttributes", &plan.name),
            ("SetQueueAttributes", "sqs:SetQueueAttributes", &plan.name),
            ("GetTopicAttributes", "sns:GetTopicAttributes", &topic),
            ("CreateTopic", "sns:CreateTopic", &topic),
            ("ListSubscriptionsByTopic", "sns:ListSubscriptionsByTopic", &topic),
            ("Subscribe", "sns:Subscribe", &topic),
        ] {
            account.fault.put(Rule::on(operation, Trouble::DENIED));
            let started = account.provision(std::slice::from_ref(&plan), Provision::Create).await;
            let error = started.expect_err("it is not allowed");
            assert_eq!(error.kind(), TransportErrorKind::Refused, "{operation}: {error:?}");
            let told = error.to_string();
            let words = [permission, name.as_str(), "eu-west-1", &account.fault.endpoint()];
            assert!(words.iter().all(|word| told.contains(word)), "{operation}: {told}");
            account.fault.lift();
        }
        account.provision(&[plan], Provision::Create).await.expect("it can start");
    }
}

#[tokio::test]
async fn n1_nobody_there_is_told_with_the_place_and_tried_again() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let endpoint = format!("http://{}", nobody.local_addr().expect("bound"));
    drop(nobody);
    let account = Account::open(KINDS[0]).await;
    let plan = [account.plan("billing", &["orders"])];
    let error = provision(&format!("aws:eu-west-1?endpoint={endpoint}"), &plan, Provision::Create).await.unwrap_err();
    assert_eq!((error.kind(), error.is_transient()), (TransportErrorKind::Unreachable, true));
    assert!(error.to_string().contains(&endpoint), "{error}");
    let away = "aws:eu-nowhere-9?endpoint=https://sqs.eu-nowhere-9.amazonaws.invalid";
    let error = provision(away, &plan, Provision::Create).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Unreachable, "{error:?}");
    assert!(error.to_string().contains("eu-nowhere-9"), "{error}");
}

#[tokio::test]
async fn n6_credentials_that_are_refused_stop_the_start() {
    for kind in KINDS {
        let account = Account::open(kind).await;
        account.fault.put(Rule::on("*", Trouble::Answer(403, "InvalidClientTokenId")));
        let plan = account.plan("billing", &["orders"]);
        let error = account.provision(&[plan], Provision::Create).await.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Refused, "{error:?}");
        assert!(format!("{error:?}").contains("InvalidClientTokenId"), "{error:?}");
    }
}

#[tokio::test]
async fn n7_a_policy_that_cannot_be_read_is_not_written_over() {
    for kind in KINDS {
        let account = Account::open(kind).await;
        let plan = account.plan("billing", &["orders"]);
        account.caller.make(&plan.name, &json!({})).expect("it is made");
        account.set(&plan.name, &json!({"Policy": "nonsense"}));
        let error = account.provision(std::slice::from_ref(&plan), Provision::Create).await.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Mismatch);
        assert!(error.to_string().contains(&plan.name) && error.to_string().contains("no JSON"), "{error}");
        assert_eq!(account.attributes(&plan.name)["Policy"], "nonsense");
        account.set(&plan.name, &json!({"Policy": ""}));
        account.provision(std::slice::from_ref(&plan), Provision::Create).await.expect("it can start");
        assert!(parsed(&account.attributes(&plan.name)["Policy"]).is_object());
    }
}

#[tokio::test]
async fn k1_names_that_do_not_fit_are_told_before_anything_is_asked() {
    let account = Account::open(KINDS[0]).await;
    let mut plan = account.plan(&"q".repeat(80), &["orders.fifo"]);
    plan.dead_letters = "dead.letters".to_owned();
    let error = account.provision(std::slice::from_ref(&plan), Provision::Create).await.unwrap_err();
    assert_eq!((error.kind(), account.fault.calls("*")), (TransportErrorKind::Unsupported, 0));
    for word in [&*plan.name, "80 are allowed", "`dead.letters`", "orders.fifo"] {
        assert!(error.to_string().contains(word), "{error}");
    }
}
