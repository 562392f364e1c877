//! Where the environment says that SNS and SQS are.

use std::process::{Command, Output};

use tegami::transport::Provision;
use tegami_test_servers::{AwsFault, Kind};

use super::{
    Account, KINDS,
    account::{plan, provision},
};

/// Tells a process the URL of its transport.
const URL: &str = "STARTUP_IN_AN_ENVIRONMENT";
/// Where all services are, and where one is.
const ALL: &str = "AWS_ENDPOINT_URL";
const SNS: &str = "AWS_ENDPOINT_URL_SNS";
const SQS: &str = "AWS_ENDPOINT_URL_SQS";
/// Nobody is there.
const NOWHERE: &str = "http://127.0.0.1:9";

/// A start in a process of its own, with this URL and these variables.
fn start(url: &str, variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(std::env::current_exe().expect("this binary"));
    command.args(["startup::endpoints::in_an_environment", "--exact", "--nocapture"]).env(URL, url);
    for name in [ALL, SNS, SQS, "AWS_ENDPOINT_URL_STS", "AWS_PROFILE"] {
        command.env_remove(name);
    }
    command.env("AWS_ACCESS_KEY_ID", "AKIAOWN").env("AWS_SECRET_ACCESS_KEY", "secret");
    command.envs(variables.iter().copied()).output().expect("this binary runs")
}

/// All that it said.
fn said(ended: &Output) -> String {
    [&ended.stdout, &ended.stderr].map(|text| String::from_utf8_lossy(text)).concat()
}

/// Not a test by itself: the process that the tests start.
#[tokio::test]
async fn in_an_environment() {
    let Ok(url) = std::env::var(URL) else { return };
    let plan = plan("there", &["orders"], |name| format!("{name}-{}", std::process::id()));
    match provision(&url, &[plan], Provision::Create).await {
        Ok(()) => println!("started"),
        Err(error) => println!("refused: {:?}: {error}; {error:?}", error.kind()),
    }
}

/// An emulator, and two ways to it.
async fn two_ways(kind: Kind) -> (Account, AwsFault) {
    let account = Account::open(kind).await;
    let other = account.watched().await;
    (account, other)
}

/// How often SNS and SQS were called there.
fn calls(fault: &AwsFault) -> [u64; 2] {
    let of_sqs = |name: &str| name.contains("Queue");
    let (sqs, sns): (Vec<_>, Vec<_>) = fault.counts().into_iter().partition(|(name, _)| of_sqs(name));
    [sns, sqs].map(|counts| counts.iter().map(|(_, count)| count).sum())
}

#[tokio::test]
async fn k1_the_environment_says_where_all_services_are() {
    for kind in KINDS {
        let (account, _) = two_ways(kind).await;
        let ended = start("aws:eu-west-1", &[(ALL, &account.fault.endpoint())]);
        assert!(said(&ended).contains("started"), "{kind:?}: {}", said(&ended));
        assert!(calls(&account.fault).iter().all(|calls| *calls > 0), "{:?}", account.fault.counts());
    }
}

#[tokio::test]
async fn k1_what_is_said_of_one_service_counts_more_than_what_is_said_of_all() {
    for kind in KINDS {
        for own in [SNS, SQS] {
            let (account, other) = two_ways(kind).await;
            let (all, one) = (account.fault.endpoint(), other.endpoint());
            let ended = start("aws:eu-west-1", &[(ALL, &all), (own, &one)]);
            assert!(said(&ended).contains("started"), "{kind:?}: {}", said(&ended));
            let mut expected = [&account.fault, &other].map(|fault| calls(fault).map(|calls| calls > 0));
            expected.sort_unstable();
            assert_eq!(expected, [[false, true], [true, false]], "{kind:?}: {own}");
            assert_eq!(calls(&other)[usize::from(own == SNS)], 0, "{kind:?}: {own}");
        }
    }
}

#[tokio::test]
async fn k1_the_url_counts_more_than_the_environment() {
    for kind in KINDS {
        let (account, other) = two_ways(kind).await;
        let (one, two) = (account.fault.endpoint(), other.endpoint());
        let nowhere = [(ALL, NOWHERE), (SNS, NOWHERE), (SQS, NOWHERE)];
        for url in [format!("endpoint={one}"), format!("sns_endpoint={one}&sqs_endpoint={two}")] {
            let ended = start(&format!("aws:eu-west-1?{url}"), &nowhere);
            assert!(said(&ended).contains("started"), "{kind:?}: {url}: {}", said(&ended));
        }
        assert!(calls(&other)[1] > 0 && calls(&other)[0] == 0, "{:?}", other.counts());
    }
}

#[test]
fn k1_the_environment_leads_nobody_to_tell_messages_in_the_clear() {
    for name in [ALL, SNS, SQS] {
        let ended = start("aws:eu-west-1", &[(name, "http://192.0.2.1:4566")]);
        for word in ["refused: Setting", "http://192.0.2.1:4566", "plaintext=allow"] {
            assert!(said(&ended).contains(word), "{name}: `{word}` is not in: {}", said(&ended));
        }
    }
}

#[test]
fn k1_a_profile_leads_nobody_to_tell_messages_in_the_clear() {
    let file = std::env::temp_dir().join(format!("endpoints-{}", std::process::id()));
    let path = file.to_str().expect("it is text");
    let elsewhere = "endpoint_url = http://192.0.2.1:4566\n";
    for profile in [
        format!("[default]\n{elsewhere}"),
        format!("[default]\nservices = here\n[services here]\nsns =\n  {elsewhere}"),
        format!("[default]\nservices = here\n[services here]\nsqs =\n  {elsewhere}"),
    ] {
        std::fs::write(&file, &profile).expect("there is room");
        let ended = start("aws:eu-west-1", &[("AWS_CONFIG_FILE", path)]);
        for word in ["refused: Setting", "http://192.0.2.1:4566", "plaintext=allow"] {
            assert!(said(&ended).contains(word), "{profile}: `{word}` is not in: {}", said(&ended));
        }
    }
    std::fs::remove_file(&file).expect("it is there");
}

#[test]
fn k1_a_password_in_the_environment_is_refused_and_told_to_nobody() {
    for name in [ALL, SNS, SQS] {
        for endpoint in ["https://clerk:hunter2@192.0.2.1", "http://clerk:hunter2@127.0.0.1:9", "hunter2@127.0.0.1:9"] {
            let ended = start("aws:eu-west-1", &[(name, endpoint)]);
            assert!(said(&ended).contains("refused: Setting"), "{name}={endpoint}: {}", said(&ended));
            assert!(!said(&ended).contains("hunter2"), "{name}={endpoint}: {}", said(&ended));
        }
    }
}
