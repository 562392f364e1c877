//! Valid messages with a few places changed, body and attributes, as a stranger could put them into a queue.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tegami::{
    Context, HandlerError, Retry, Service,
    service::Running,
    testing::transport::{until, within},
    transport::aws::Aws,
};
use tegami_test_servers::Kind;

use crate::{contracts::shop::orders::v1::OrderPaid, startup::Account};

const INPUTS: usize = 300;
const LOOK: Duration = Duration::from_millis(50);
/// How long they take, and how long a neighbour of theirs.
const TIME: Duration = Duration::from_secs(120);
/// How many letters base64 has.
const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn service(account: &Account, name: &str) -> Service {
    let url = account.url("&wait=1&visibility=5");
    Service::new(name).prefix(account.name("")).transport(Aws::new(url))
}

/// Counts what it handles.
async fn billing(account: &Account, handled: &Arc<AtomicU64>) -> (Running, String, String) {
    let handled = handled.clone();
    let handler = move |_: OrderPaid, _: Context| {
        handled.fetch_add(1, Ordering::SeqCst);
        async { Ok::<(), HandlerError>(()) }
    };
    let service = service(account, "billing").on_with::<OrderPaid>(handler, |s| s.retry(Retry::never()));
    let queue = service.topology().expect("it is one").queues.remove(0);
    (service.start().await.expect("it can start"), queue.name, queue.dead_letters)
}

/// Changes up to three places: a character set, taken out, or put in, or all after it cut off or repeated.
fn mutate(dice: &mut fastrand::Rng, text: &str) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    for _ in 0..dice.usize(1..=3) {
        let at = dice.usize(0..=letters.len().saturating_sub(1));
        let letter = dice.char(' '..='\u{ff}');
        match dice.u8(0..5) {
            _ if letters.is_empty() => letters.push(letter),
            0 => letters[at] = letter,
            1 => drop(letters.remove(at)),
            2 => letters.insert(at, letter),
            3 if dice.u8(0..4) == 0 => letters.truncate(at),
            _ => letters.extend_from_within(at..(at + 9).min(letters.len())),
        }
    }
    letters.into_iter().collect()
}

/// One letter of it is another, so that it goes on to be base64.
fn mutate_base64(dice: &mut fastrand::Rng, text: &str) -> String {
    let (mut bytes, end) = (text.as_bytes().to_vec(), text.trim_end_matches('=').len().saturating_sub(1));
    bytes[dice.usize(0..end.max(1))] = BASE64[dice.usize(..BASE64.len())];
    String::from_utf8(bytes).expect("it is ASCII")
}

/// The message with its body changed, or one of its attributes, or both.
fn mutant(dice: &mut fastrand::Rng, good: &Value) -> Value {
    let (mut body, mut attributes) =
        (good["Body"].as_str().expect("text").to_owned(), good["MessageAttributes"].clone());
    let both = dice.u8(0..3);
    if both != 0 {
        body = mutate(dice, &body);
    }
    let named = attributes.as_object_mut().expect("there are some");
    let chosen = dice.usize(..named.len());
    let value = named.values_mut().nth(chosen).filter(|_| both != 1);
    if let Some(value) = value {
        match value["BinaryValue"].as_str().map(str::to_owned) {
            Some(base64) => value["BinaryValue"] = mutate_base64(dice, &base64).into(),
            None => value["StringValue"] = mutate(dice, value["StringValue"].as_str().unwrap_or_default()).into(),
        }
    }
    json!({"MessageBody": body, "MessageAttributes": attributes})
}

#[tokio::test(flavor = "multi_thread")]
async fn f37_each_changed_message_is_handled_or_kept_once() {
    let (account, handled) = (Account::open(Kind::MiniStack).await, Arc::new(AtomicU64::new(0)));
    let (made, queue, dead) = billing(&account, &handled).await;
    made.stop().await.expect("no hook can fail");
    let mail = service(&account, "mail").start().await.expect("it can start");
    let paid = OrderPaid::builder().order_id("7").currency("EUR").amount_minor(7).build();
    mail.publisher().publish(&paid).await.expect("there is a queue for it");
    let good = loop {
        match account.caller.receive(&queue).expect("it is there").pop() {
            Some(good) => break good,
            // It comes a little after the publish.
            None => tokio::time::sleep(LOOK).await,
        }
    };
    account.caller.delete(&queue, &good).expect("it is ours");
    let url = account.caller.url(&queue).expect("it is there");
    let (mut dice, mut taken) = (fastrand::Rng::with_seed(37), 0);
    for _ in 0..INPUTS {
        let mut mutant = mutant(&mut dice, &good);
        mutant["QueueUrl"] = url.clone().into();
        taken += u64::from(account.caller.sqs("SendMessage", &mutant).is_ok());
    }
    let (running, ..) = billing(&account, &handled).await;
    let count = |queue: &str| account.caller.count(queue).expect("it is there").into_iter().sum::<u64>();
    within(TIME, "all to be handled or kept", until(|| count(&queue) == 0)).await;
    let (well, kept) = (handled.load(Ordering::SeqCst), count(&dead));
    println!("{INPUTS} mutants: {taken} taken, {well} handled, {kept} kept");
    assert_eq!(well + kept, taken, "{well} handled, {kept} kept");
    assert!(well > 0 && kept > 0, "of both there are some");
    mail.publisher().publish(&paid).await.expect("there is a queue for it");
    within(TIME, "the neighbour", until(|| handled.load(Ordering::SeqCst) > well)).await;
    for running in [mail, running] {
        running.stop().await.expect("no hook can fail");
    }
}
