//! Starts that may change nothing.

use serde_json::json;
use tegami::transport::{Provision, TransportErrorKind};

use super::{Account, KINDS, account::provision};

#[tokio::test]
async fn n7_all_that_is_missing_is_named_and_nothing_is_made() {
    for kind in KINDS {
        let account = Account::open(kind).await;
        let plan = account.plan("billing", &["orders", "users"]);
        let error = account.provision(std::slice::from_ref(&plan), Provision::Verify).await.expect_err("nothing there");
        assert_eq!((error.kind(), account.changes()), (TransportErrorKind::Missing, 0));
        let [orders, users] = ["orders", "users"].map(|topic| account.name(topic));
        for what in [
            format!("queue `{}` is not there", plan.name),
            format!("queue `{}` is not there", plan.dead_letters),
            format!("topic `{orders}` (arn:aws:sns:eu-west-1:"),
            format!("topic `{users}` (arn:aws:sns:eu-west-1:"),
            format!("the subscription of queue `{}` to topic `{users}` is not there", plan.name),
        ] {
            assert!(error.to_string().contains(&what), "{kind:?}: `{what}` is not told: {error}");
        }
        let names = account.caller.list(&account.name("")).expect("it answers");
        assert!(names.is_empty(), "{names:?}");
    }
}

#[tokio::test]
async fn n7_all_that_differs_is_named_and_stays() {
    for kind in KINDS {
        let account = Account::open(kind).await;
        let plan = account.plan("billing", &["orders"]);
        account.provision(std::slice::from_ref(&plan), Provision::Create).await.expect("it can start");
        account.set(&plan.name, &json!({"VisibilityTimeout": "77", "Policy": "", "RedrivePolicy": ""}));
        account.set(&plan.dead_letters, &json!({"MessageRetentionPeriod": "60"}));
        let (changes, url) = (account.changes(), account.url("&delivery=notification&tags=team:shop"));
        let more = account.plan("billing", &["orders", "users"]);
        let error = provision(&url, std::slice::from_ref(&more), Provision::Verify).await.expect_err("it differs");
        assert_eq!((error.kind(), account.changes()), (TransportErrorKind::Missing, changes));
        for what in [
            "its VisibilityTimeout is `77`, `30` is expected",
            "its MessageRetentionPeriod is `60`, `1209600` is expected",
            "its RawMessageDelivery is `true`, `false` is expected",
            "its RedrivePolicy is ",
            "its Policy does not let SNS write from arn:aws:sns:",
            "its tag `team` is not set, `shop` is expected",
            &format!("{} differs", format_args!("queue `{}` ({})", plan.name, account.arn(&plan.name))),
            &format!("topic `{}`", account.name("users")),
        ] {
            assert!(error.to_string().contains(what), "{kind:?}: `{what}` is not told: {error}");
        }
        let error =
            provision(&account.url("&visibility=60"), &[plan], Provision::Verify).await.expect_err("it differs");
        assert_eq!(error.kind(), TransportErrorKind::Mismatch);
    }
}

#[tokio::test]
async fn n7_who_assumes_asks_nobody() {
    for kind in KINDS {
        let account = Account::open(kind).await;
        let plan = account.plan("billing", &["orders"]);
        account.provision(&[plan], Provision::Assume).await.expect("nobody is asked");
        assert_eq!(account.fault.calls("*"), 0);
    }
}
