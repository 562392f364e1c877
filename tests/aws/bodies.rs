//! What others put into our queues, without a word of ours beside it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde_json::json;
use tegami::{
    Context, HandlerError, Service,
    envelope::Raw,
    middleware::{Next, from_fn},
    pipeline::Incoming,
    service::Running,
    testing::{
        ReasonKind,
        transport::{LetterPosted, letter, until, within},
    },
    transport::{DeadLetter, Transport, aws::Aws},
};

use crate::{
    contracts::shop::billing::v1::ReceiptSent,
    startup::{Account, KINDS},
};

/// How soon everything is handled or given up.
const SOON: Duration = Duration::from_secs(60);
/// What S3 writes into a queue, and what EventBridge does; with spaces and escapes that a parser would not keep.
const S3: &str = r#"{"Records": [{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"eu-west-1",
  "eventTime":"2024-05-01T12:00:00.000Z","eventName":"ObjectCreated:Put",
  "s3":{"bucket":{"name":"letters"},"object":{"key":"caf\u00e9+au+lait.txt","size":1e3}}}]}"#;
const EVENT_BRIDGE: &str = r#"{"version":"0","id":"6a7e8feb-b491-4cf7-a9f1-bf3703467718",
  "detail-type":"Object Created","source":"aws.s3","account":"123456789012","time":"2024-05-01T12:00:00Z",
  "region":"eu-west-1","resources":[],"detail":{"version":"0","bucket":{"name":"letters"}, "n":1.0}}"#;
/// Bodies that are no message at all.
const NONSENSE: [&str; 6] = ["[1,2]", "5", "null", r#""x""#, "{}", "good morning"];
/// How many good ones are beside them.
const GOOD: usize = 9;

/// What handlers were given.
type Seen = Arc<Mutex<Vec<String>>>;

fn sorted(seen: &Seen) -> Vec<String> {
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
    seen.sort();
    seen
}

fn service(account: &Account) -> Service {
    Service::new("billing").prefix(account.name("")).transport(Aws::new(account.url("&wait=1&visibility=5")))
}

/// A service that takes bodies as they are, and what its handler was given. A middleware makes them the one field of an
/// event, as whoever has no contract for them would.
async fn taking_all(account: &Account) -> (Running, Seen) {
    let wrap = from_fn(|mut work: Incoming, next: Next<Incoming>| {
        let body = String::from_utf8_lossy(&work.payload.bytes);
        work.payload.bytes = json!({ "orderId": body }).to_string().into();
        next.run(work)
    });
    let seen = Seen::default();
    let noted = seen.clone();
    let note = move |receipt: ReceiptSent, _: Context| {
        noted.lock().unwrap_or_else(PoisonError::into_inner).push(receipt.order_id);
        async { Ok::<_, HandlerError>(()) }
    };
    let service = service(account).middleware(wrap);
    let service = service.on_with::<ReceiptSent>(note, |s| s.queue("foreign").envelope(Raw::json()));
    (service.start().await.expect("it starts"), seen)
}

/// A service that reads letters in tomodachi's envelope, and the numbers of those that its handler was given.
async fn taking_letters(account: &Account) -> (Running, Seen) {
    let seen = Seen::default();
    let noted = seen.clone();
    let note = move |letter: LetterPosted, _: Context| {
        noted.lock().unwrap_or_else(PoisonError::into_inner).push(letter.number.to_string());
        async { Ok::<_, HandlerError>(()) }
    };
    let service = service(account).on_with::<LetterPosted>(note, |s| s.queue("foreign"));
    (service.start().await.expect("it starts"), seen)
}

/// The dead letters of the queue, once there are so many.
async fn dead(account: &Account, count: usize) -> Vec<DeadLetter> {
    let aws = Aws::new(account.url("&wait=1"));
    let looking = async {
        loop {
            let letters = aws.dead_letters(&account.name("foreign"), usize::MAX).await.expect("they can be read");
            if letters.len() >= count {
                return letters;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    let letters = within(SOON, "the dead letters", looking).await;
    aws.close().await;
    letters
}

fn bodies(letters: &[DeadLetter]) -> BTreeMap<String, ReasonKind> {
    letters.iter().map(|dead| (String::from_utf8_lossy(dead.payload()).into_owned(), dead.reason())).collect()
}

#[tokio::test]
async fn p9_events_of_s3_and_event_bridge_reach_a_raw_subscription_byte_for_byte() {
    for kind in KINDS {
        let account = Account::open(kind).await;
        let (running, seen) = taking_all(&account).await;
        for body in [S3, EVENT_BRIDGE] {
            account.caller.send(&account.name("foreign"), body, &json!({})).expect("it is taken");
        }
        within(SOON, "both to be handled", until(|| sorted(&seen).len() == 2)).await;
        assert_eq!(sorted(&seen), [S3, EVENT_BRIDGE], "{kind:?}");
        running.stop().await.expect("no hook can fail");
    }
}

#[tokio::test]
async fn x1_what_is_no_message_is_a_dead_letter_each_and_harms_none_beside_it() {
    for kind in KINDS {
        let account = Account::open(kind).await;
        let (running, seen) = taking_letters(&account).await;
        let strange: Vec<_> = NONSENSE.into_iter().chain([S3, EVENT_BRIDGE]).collect();
        for number in 0..GOOD {
            running.publisher().publish(&letter("a", number)).await.expect("somebody listens");
            if let Some(body) = strange.get(number) {
                account.caller.send(&account.name("foreign"), body, &json!({})).expect("it is taken");
            }
        }
        within(SOON, "the good ones", until(|| sorted(&seen).len() == GOOD)).await;
        let dead = dead(&account, strange.len()).await;
        running.stop().await.expect("no hook can fail");
        assert_eq!(sorted(&seen), (0..GOOD).map(|number| number.to_string()).collect::<Vec<_>>(), "{kind:?}");
        let each = strange.iter().map(|body| ((*body).to_owned(), ReasonKind::Undecodable));
        assert_eq!((dead.len(), bodies(&dead)), (strange.len(), each.collect()), "{kind:?}");
        assert!(dead.iter().all(|dead| !dead.error().is_empty() && dead.attempts() == 1), "{dead:?}");
    }
}
