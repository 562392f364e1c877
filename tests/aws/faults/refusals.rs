//! SNS and SQS that take no calls for a while: too many of them, or credentials that are no longer good.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use tegami::{
    testing::transport::{Case, Fault, Injected, Subject, check},
    transport::{Transport, TransportError, aws::Aws},
};
use tegami_test_servers::{Kind, Rule, Trouble};
use tokio::time::{Instant, sleep};

use super::{load, road::Road, tried};
use crate::broker::Place;

/// How long half of all calls are throttled, and how long all are.
const HALF: Duration = Duration::from_secs(5);
const ALL: Duration = Duration::from_secs(10);
/// How long credentials are refused.
const EXPIRED: Duration = Duration::from_secs(10);
/// How soon new ones are used: they are read every five seconds at most, and asked with as often (N2, N6).
const NOTICED: Duration = Duration::from_secs(40);
/// How many poll in the load, and how often each of them may ask in a second (N2).
const POLLERS: u64 = 2;
const HASTE: u64 = 5;
/// The most calls a second of all kinds.
const CALLS: u64 = 15;
/// Where the SDK looks for credentials; set in a process of its own.
const FILE: &str = "AWS_SHARED_CREDENTIALS_FILE";
/// The key ids before and after.
const OLD: &str = "AKIAOLD";
const NEW: &str = "AKIANEW";

static THROTTLED: Case = Case::new("F-20", "f_20_throttled", |trial| Box::pin(load(trial)));
static REFUSED: Case =
    Case::new("F-19", "f19_refused_credentials_are_read_again_and_nothing_is_lost", |trial| Box::pin(load(trial)));

/// Counts calls for so long: few receives, and few of all kinds.
async fn few_calls(place: &Place, time: Duration) {
    let before = ["ReceiveMessage", "*"].map(|operation| place.fault.calls(operation));
    let begun = Instant::now();
    sleep(time).await;
    let [receives, all] = ["ReceiveMessage", "*"].map(|operation| place.fault.calls(operation));
    let (receives, all, seconds) = (receives - before[0], all - before[1], begun.elapsed().as_secs());
    println!("refused for {seconds} s: {receives} receives, {all} calls");
    assert!(receives > 0, "they go on asking");
    assert!(receives <= POLLERS * HASTE * seconds, "{receives} receives in {seconds} s");
    assert!(all <= CALLS * seconds, "{all} calls in {seconds} s");
}

async fn throttle(place: &Place) {
    place.fault.put(Rule::on("*", Trouble::Throttled).share(0.5));
    sleep(HALF).await;
    place.fault.put(Rule::on("*", Trouble::Throttled));
    few_calls(place, ALL).await;
    place.fault.lift();
}

/// The old key is refused for ever; only a new one helps.
async fn refuse(place: &Place) {
    place.fault.put(Rule::on("*", Trouble::EXPIRED).signed_with(OLD));
    few_calls(place, EXPIRED).await;
    write_credentials(&file().expect("this process was told of one"), NEW);
    place.served(NOTICED, "ReceiveMessage").await;
    place.served(NOTICED, "PublishBatch").await;
}

fn file() -> Option<PathBuf> {
    env::var_os(FILE).map(PathBuf::from).filter(|path| path.starts_with(env::temp_dir()))
}

fn write_credentials(file: &Path, id: &str) {
    let text = format!("[clerk]\naws_access_key_id = {id}\naws_secret_access_key = secret\n");
    // As tools do it: nobody reads one half.
    let aside = file.with_extension("new");
    fs::write(&aside, text).and_then(|()| fs::rename(&aside, file)).expect("the folder can be written");
}

/// The same road, with the credentials of a profile.
struct Clerk(Road);

#[async_trait]
impl Subject for Clerk {
    async fn connect(&self) -> Result<Arc<dyn Transport>, TransportError> {
        let url = self.0.address().await.expect("an emulator has one");
        Ok(Arc::new(Aws::new(url + "&profile=clerk")))
    }

    async fn inject(&self, fault: Fault) -> Injected {
        self.0.inject(fault).await
    }

    async fn lift(&self, _: Fault) {
        // The old key stays what it is.
    }
}

#[test]
fn f20_throttling_is_no_reason_to_hurry_and_loses_nothing() {
    tried(&THROTTLED, |place| Box::pin(throttle(place)));
}

/// In a process of its own, whose environment says where credentials are.
#[test]
fn f19_refused_credentials_are_read_again_and_nothing_is_lost() {
    if let Some(file) = file() {
        write_credentials(&file, OLD);
        check(module_path!(), &REFUSED, || Clerk(Road::new(Kind::MiniStack, |place| Box::pin(refuse(place)))));
        return;
    }
    let file = env::temp_dir().join(format!("tegami-credentials-{}", std::process::id()));
    let (_, path) = module_path!().split_once("::").expect("it is inside of a crate");
    let mut command = Command::new(env::current_exe().expect("a test is a program"));
    let test = format!("{path}::{}", REFUSED.name);
    let ended = command.args([&test, "--exact", "--nocapture"]).env(FILE, &file).env("AWS_CONFIG_FILE", "/dev/null");
    let ended = ended.output().expect("the test's program runs");
    let _ = fs::remove_file(&file);
    let said = [ended.stdout, ended.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(ended.status.success(), "{}", said.concat());
    print!("{}", said[0]);
}
