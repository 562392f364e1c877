//! Which key requests are signed with: one given in code, or that of a role.

use std::{collections::BTreeSet, process::Command};

use tegami::transport::{Provision, Transport as _, aws::Aws};
use tegami_test_servers::AwsFault;

use super::{
    Account, KINDS,
    account::{provision, topology},
};

/// Tells a process where it takes on a role.
const WHERE: &str = "STARTUP_WITH_A_ROLE";
const ROLE: &str = "arn:aws:iam::000000000000:role/clerk";
/// The key of who takes it on.
const OWN: &str = "AKIAOWN";

/// The keys of all calls but these.
fn keys(fault: &AwsFault, but: &str) -> BTreeSet<String> {
    fault.made().into_iter().filter(|made| made.operation != but).map(|made| made.key).collect()
}

#[tokio::test]
async fn k1_a_key_given_in_code_signs_everything() {
    for kind in KINDS {
        let account = Account::open(kind).await;
        let aws = Aws::new(account.url("")).access_key("AKIAGIVEN", "secret");
        let plan = account.plan("billing", &["orders"]);
        aws.provision(&topology(&[plan]), Provision::Create).await.expect("it can start");
        assert_eq!(keys(&account.fault, ""), BTreeSet::from(["AKIAGIVEN".to_owned()]), "{kind:?}");
    }
}

#[tokio::test]
async fn k1_a_role_is_taken_on_and_its_key_signs_everything_else() {
    for kind in KINDS {
        let account = Account::open(kind).await;
        let url = account.url(&format!("&role={ROLE}&external_id=7"));
        let mut command = Command::new(std::env::current_exe().expect("this binary"));
        command.args(["startup::keys::with_a_role", "--exact", "--nocapture"]).env(WHERE, url);
        command.env("AWS_ACCESS_KEY_ID", OWN).env("AWS_SECRET_ACCESS_KEY", "secret").env_remove("AWS_PROFILE");
        let ended = command.output().expect("this binary runs");
        assert!(ended.status.success(), "{kind:?}: {}", String::from_utf8_lossy(&ended.stderr));
        let made = account.fault.made();
        let taken: Vec<_> = made.iter().filter(|made| made.operation == "AssumeRole").collect();
        let [taken] = &taken[..] else { panic!("{kind:?}: {made:?}") };
        assert_eq!((&*taken.target, &*taken.key), (ROLE, OWN), "{kind:?}");
        let keys = keys(&account.fault, "AssumeRole");
        assert!(keys.len() == 1 && !keys.contains(OWN) && !keys.contains(""), "{kind:?}: {keys:?}");
    }
}

/// Not a test by itself: the process that the test above starts.
#[tokio::test]
async fn with_a_role() {
    let Ok(url) = std::env::var(WHERE) else { return };
    let plan = super::account::plan("role", &["clerks"], |name| format!("{name}-{}", std::process::id()));
    provision(&url, &[plan], Provision::Create).await.expect("it can start");
}
