//! Starts that cannot go on, and what they say.

use std::process::Command;

use serde_json::json;
use tegami::transport::{Provision, QueuePlan, Transport as _, TransportErrorKind, aws::Aws};
use tegami_test_servers::{Rule, Trouble};
use tokio::net::TcpSocket;

use super::{
    Account, KINDS,
    account::{self, parsed, provision, topology},
};

/// Tells a process that it has no credentials.
const POOR: &str = "STARTUP_WITHOUT_CREDENTIALS";
/// What it says at its end.
const TOLD: &str = "told as it should be";

fn plan() -> QueuePlan {
    account::plan("billing", &["orders"], str::to_owned)
}

#[tokio::test]
async fn n1_nobody_there_is_told_with_the_place_and_tried_again() {
    // Taken, so that nobody else takes it; nobody listens.
    let nobody = TcpSocket::new_v4().expect("a socket");
    nobody.bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
    let endpoint = format!("http://{}", nobody.local_addr().expect("bound"));
    let url = format!("aws:eu-west-1?endpoint={endpoint}");
    let error = provision(&url, &[plan()], Provision::Create).await.unwrap_err();
    assert_eq!((error.kind(), error.is_transient()), (TransportErrorKind::Unreachable, true));
    assert!(error.to_string().contains(&endpoint), "{error}");
}

#[tokio::test]
async fn n1_a_region_that_is_nowhere_is_told_by_its_name_and_tried_again() {
    let nowhere = Aws::new("aws:eu-nowhere-9").access_key("key", "secret");
    let error = nowhere.provision(&topology(&[plan()]), Provision::Create).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Unreachable, "{error:?}");
    assert!(error.to_string().contains("eu-nowhere-9"), "{error}");
}

#[test]
fn n6_a_start_without_credentials_ends() {
    let mut command = Command::new(std::env::current_exe().expect("this binary"));
    command.args(["startup::told::without_credentials", "--exact", "--nocapture"]).env(POOR, "yes");
    for given in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE"] {
        command.env_remove(given);
    }
    for file in ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"] {
        command.env(file, "/nowhere");
    }
    let ended = command.env("AWS_EC2_METADATA_DISABLED", "true").output().expect("this binary runs");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    assert!(String::from_utf8_lossy(&ended.stdout).contains(TOLD), "it did not get so far");
}

/// Not a test by itself: the process that the test above starts.
#[tokio::test]
async fn without_credentials() {
    if std::env::var(POOR).is_err() {
        return;
    }
    let error = provision("aws:eu-west-1", &[plan()], Provision::Create).await.unwrap_err();
    assert_eq!((error.kind(), error.is_transient()), (TransportErrorKind::Setting, false), "{error:?}");
    for word in ["credentials", "AWS_ACCESS_KEY_ID", "`role`", "eu-west-1", "queue `billing"] {
        assert!(error.to_string().contains(word), "{error:?}");
    }
    println!("{TOLD}");
}

#[tokio::test]
async fn n6_credentials_that_are_refused_stop_the_start() {
    for kind in KINDS {
        let account = Account::open(kind).await;
        account.fault.put(Rule::on("*", Trouble::Answer(403, "InvalidClientTokenId")));
        let plan = account.plan("billing", &["orders"]);
        let error = account.provision(&[plan], Provision::Create).await.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Refused, "{error:?}");
        for word in ["InvalidClientTokenId", "good credentials"] {
            assert!(format!("{error:?}").contains(word), "{error:?}");
        }
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
