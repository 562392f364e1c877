//! K-03: of many secrets, put wherever a service on SNS and SQS takes anything, none is told; nor by credentials that are
//! refused.

use std::{env, fs, path::PathBuf};

use tegami::{error::BoxError, transport::aws::Aws};
use tegami_test_servers::{AwsFault, Kind, Rule, Trouble};

use crate::{
    canaries::{Life, canary, live},
    startup::Account,
};

/// The key of who looks at dead letters.
const KEY: &str = "AKIAGIVEN";
/// The region, and nothing else: the environment says the rest.
const HERE: &str = "aws:eu-west-1";

/// Not a test by itself: the process that the tests start.
#[tokio::test]
async fn a_life() -> Result<(), BoxError> {
    live(|url| Aws::new(url).access_key(KEY, canary(30))).await
}

/// A life with these variables, whose SNS and SQS are there, and no others.
fn life(format: &str, endpoint: &str, given: &[(&str, &str)]) -> Life {
    let none = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"];
    let files = ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"].map(|file| (file, "/nowhere"));
    let life = none.iter().fold(Life::of("canaries_on_aws::a_life", format), |life, name| life.without(name));
    let all = [("AWS_EC2_METADATA_DISABLED", "true"), ("AWS_ENDPOINT_URL", endpoint)];
    all.iter().chain(&files).chain(given).fold(life, |life, (name, value)| life.with(name, value))
}

/// A way to the emulator with this trouble on it.
async fn way(account: &Account, trouble: Trouble) -> AwsFault {
    let way = account.watched().await;
    way.put(Rule::on("*", trouble));
    way
}

async fn lives(kind: Kind, format: &str) {
    let account = Account::open(kind).await;
    let (secret, token) = (canary(31), canary(32));
    let keys = [("AWS_ACCESS_KEY_ID", "AKIAOWN"), ("AWS_SECRET_ACCESS_KEY", &*secret), ("AWS_SESSION_TOKEN", &*token)];
    let life_at = |way: &AwsFault| life(format, &way.endpoint(), &keys);
    let words = ["attempt failed", "given up", "on purpose", "status_code", "user:***@host"];
    life_at(&account.fault).on("aws:eu-west-1?wait=1&visibility=5").tells(&words).await;
    assert!(account.fault.made().iter().any(|made| made.key == "AKIAOWN"), "the secrets are used");
    let role = format!("{HERE}?role=arn:aws:iam::000000000000:role/clerk&external_id={}", canary(33));
    for (trouble, code) in [
        (Trouble::WrongSignature, "SignatureDoesNotMatch"),
        (Trouble::Answer(403, "InvalidClientTokenId"), "InvalidClientTokenId"),
        (Trouble::DENIED, "AccessDenied"),
    ] {
        let way = way(&account, trouble).await;
        life_at(&way).refused_by(&[HERE.to_owned(), role.clone()]).tells(&[code, "the transport is not ready"]).await;
        assert!(way.struck("AssumeRole") > 0 && way.struck("GetQueueUrl") > 0, "{:?}", way.counts());
    }
}

#[tokio::test]
async fn k03_no_secret_is_told_on_localstack() {
    lives(Kind::LocalStack, "console").await;
}

#[tokio::test]
async fn k03_no_secret_is_told_on_ministack() {
    lives(Kind::MiniStack, "json").await;
}

/// A file of this content, for the process.
fn file(number: usize, content: &str) -> PathBuf {
    let path = env::temp_dir().join(format!("canaries-{}-{number}", std::process::id()));
    fs::write(&path, content).expect("there is room");
    path
}

#[tokio::test]
async fn k03_no_secret_of_a_file_of_credentials_is_told() {
    let account = Account::open(Kind::MiniStack).await;
    let way = way(&account, Trouble::Answer(400, "InvalidIdentityToken")).await;
    for (number, content) in [
        (34, format!("[default]\naws_access_key_id = AKIAOWN\naws_secret_access_key {}\n", canary(34))),
        (35, format!("[default\naws_secret_access_key = {}\n", canary(35))),
        (36, format!("[default]\naws_secret_access_key = {}\n", canary(36))),
        (37, format!("{}\n", canary(37))),
    ] {
        let path = file(number, &content);
        let given = [("AWS_SHARED_CREDENTIALS_FILE", path.to_str().expect("it is text"))];
        life("json", &way.endpoint(), &given).refused_by(&[HERE.to_owned()]).tells(&["credentials"]).await;
        fs::remove_file(path).expect("it is there");
    }
    let token = file(38, &canary(38));
    let given = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", token.to_str().expect("it is text")),
        ("AWS_ROLE_ARN", "arn:aws:iam::000000000000:role/clerk"),
    ];
    let life = life("json", &way.endpoint(), &given);
    life.refused_by(&[HERE.to_owned()]).tells(&["InvalidIdentityToken"]).await;
    assert!(way.struck("AssumeRoleWithWebIdentity") > 0, "{:?}", way.counts());
    fs::remove_file(token).expect("it is there");
}
