//! Dead letters of ordered queues: all of each key are seen, leave by choice, and go back in order.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::json;
use tegami::{
    envelope::{MessageId, Sealed},
    time::Dice,
    transport::{
        DeadLetter, Delivery, Fate, Outgoing, Provision, QueuePlan, Reason, ReasonKind, Sorter, Transport, aws::Aws,
    },
};
use tegami_test_servers::{Kind, Rule, Trouble};

use crate::startup::{Account, KINDS, topology};

/// An ordered queue, and the way to it.
struct Desk {
    account: Account,
    plan: QueuePlan,
    aws: Aws,
}

impl Desk {
    async fn open(kind: Kind) -> Self {
        let account = Account::open(kind).await;
        let plan = QueuePlan { concurrency: 10, ..account.plan("letters.fifo", &["letters.fifo"]) };
        let aws = Aws::new(account.url("&wait=1"));
        aws.provision(&topology(std::slice::from_ref(&plan)), Provision::Create).await.expect("it can start");
        Self { account, plan, aws }
    }

    /// Puts a message of this key into a queue as SQS has it after it has put it aside itself, or as earlier releases did:
    /// in the group that is its key.
    fn put(&self, queue: &str, key: &str, number: usize) {
        let url = self.account.caller.url(queue).expect("it is there");
        let message = json!({"QueueUrl": url, "MessageBody": format!("{key} {number}"), "MessageGroupId": key,
            "MessageDeduplicationId": format!("{key}-{number}")});
        self.account.caller.sqs("SendMessage", &message).expect("it is taken");
    }

    /// So many of these keys, dead, one after the other.
    fn dead(&self, keys: &[(&str, usize)]) -> Vec<String> {
        let mut bodies = Vec::new();
        for (key, count) in keys {
            for number in 0..*count {
                self.put(&self.plan.dead_letters, key, number);
                bodies.push(format!("{key} {number}"));
            }
        }
        bodies
    }

    /// What is shown, sorted.
    async fn shown(&self) -> Vec<String> {
        let mut bodies = self.listed().await;
        bodies.sort_by_key(|body| place(body));
        bodies
    }

    async fn listed(&self) -> Vec<String> {
        let letters = self.aws.dead_letters(&self.plan.name, usize::MAX).await.expect("they can be read");
        letters.iter().map(body).collect()
    }

    async fn publish(&self, key: &str, number: usize) {
        let sealed = Sealed { body: format!("{key} {number}").into(), ..Sealed::default() };
        let mut message =
            Outgoing::new(MessageId::draw(&Dice::system()), "paid", self.plan.bindings[0].topic.clone(), sealed);
        (message.key, message.ordered) = (Some(key.to_owned()), true);
        self.aws.publish(message).await.expect("it is taken");
    }

    /// Takes so many deliveries, and does this with each; their bodies.
    async fn take(&self, count: usize, settle: impl AsyncFn(Delivery)) -> Vec<String> {
        let (mut deliveries, mut bodies) = (self.aws.consume(&self.plan).await.expect("it is there"), Vec::new());
        while bodies.len() < count {
            for delivery in deliveries.next(count - bodies.len()).await.expect("it can be read") {
                bodies.push(String::from_utf8_lossy(&delivery.sealed.body).into_owned());
                settle(delivery).await;
            }
        }
        bodies
    }

    /// Puts so many of each of these keys through the queue, dead.
    async fn bury(&self, keys: &[&str], each: usize) {
        for number in 0..each {
            for key in keys {
                self.publish(key, number).await;
            }
        }
        let reason = || Reason::new(ReasonKind::Permanent, "never", 1, std::time::UNIX_EPOCH);
        self.take(keys.len() * each, async |delivery| delivery.dead_letter(reason()).await.expect("it is kept")).await;
    }

    fn counts(&self) -> [u64; 3] {
        self.account.caller.count(&self.plan.dead_letters).expect("it is there")
    }
}

fn body(letter: &DeadLetter) -> String {
    String::from_utf8_lossy(letter.payload()).into_owned()
}

fn place(body: &str) -> (String, usize) {
    let (key, number) = body.split_once(' ').expect("a key and a number");
    (key.to_owned(), number.parse().expect("a number"))
}

/// The numbers of each key, as they came.
fn by_key(bodies: &[String]) -> BTreeMap<String, Vec<usize>> {
    let mut keys = BTreeMap::<_, Vec<usize>>::new();
    for (key, number) in bodies.iter().map(|body| place(body)) {
        keys.entry(key).or_default().push(number);
    }
    keys
}

/// Chooses by the body, and notes what it was asked about.
struct Chosen<'a> {
    fate: &'a (dyn Fn(&str) -> Fate + Sync),
    asked: Vec<String>,
}

#[async_trait]
impl Sorter for Chosen<'_> {
    fn fate(&mut self, letter: &DeadLetter) -> Fate {
        let body = body(letter);
        self.asked.push(body.clone());
        (self.fate)(&body)
    }
}

#[tokio::test]
async fn x7_all_that_died_of_a_key_is_shown_oldest_first_and_goes_back_in_order() {
    for kind in KINDS {
        let desk = Desk::open(kind).await;
        desk.bury(&["a", "b"], 13).await;
        for _ in 0..2 {
            let listed = by_key(&desk.listed().await);
            let all: Vec<_> = (0..13).collect();
            assert_eq!(listed, [("a".into(), all.clone()), ("b".into(), all)].into(), "{kind:?}");
        }
        assert_eq!(desk.counts(), [26, 0, 0], "what was shown is hidden no more: {kind:?}");
        assert_eq!(desk.aws.redrive(&desk.plan.name).await.expect("they can be put back"), 26);
        let again = desk.take(26, async |delivery| delivery.ack().await.expect("it is acked")).await;
        assert!(by_key(&again).values().all(|numbers| numbers.is_sorted()), "{kind:?}: {again:?}");
        assert_eq!(desk.counts(), [0; 3], "{kind:?}");
        desk.aws.close().await;
    }
}

#[tokio::test]
async fn x7_a_key_that_a_full_answer_breaks_off_in_is_shown_whole_and_left_as_it_is() {
    for kind in KINDS {
        let desk = Desk::open(kind).await;
        // An answer has room for ten.
        let bodies = desk.dead(&[("a", 7), ("b", 5), ("c", 9), ("d", 1), ("e", 2)]);
        let before = desk.account.changes();
        for _ in 0..2 {
            assert_eq!(desk.shown().await, bodies, "{kind:?}");
        }
        assert_eq!(desk.account.changes(), before, "nothing was moved: {kind:?}");
        assert_eq!(desk.counts(), [24, 0, 0], "{kind:?}");
        desk.aws.close().await;
    }
}

#[tokio::test]
async fn x7_what_is_behind_ten_of_a_key_is_shown_and_leaves_by_choice() {
    for kind in KINDS {
        let desk = Desk::open(kind).await;
        let mut bodies = desk.dead(&[("a", 34), ("b", 3)]);
        assert_eq!(desk.shown().await, bodies, "{kind:?}");
        assert_eq!(desk.counts(), [37, 0, 0], "none is doubled: {kind:?}");
        desk.put(&desk.plan.dead_letters, "a", 34);
        bodies.insert(34, "a 34".into());
        let fate = |body: &str| match body {
            "a 25" | "a 34" => Fate::Drop,
            "a 33" | "a 8" | "b 1" => Fate::Back,
            _ => Fate::Stay,
        };
        let mut chosen = Chosen { fate: &fate, asked: Vec::new() };
        desk.aws.sort_dead_letters(&desk.plan.name, &mut chosen).await.expect("they can be sorted");
        chosen.asked.sort_by_key(|body| place(body));
        assert_eq!(chosen.asked, bodies, "each is asked about once: {kind:?}");
        bodies.retain(|body| fate(body) == Fate::Stay);
        assert_eq!(desk.shown().await, bodies, "{kind:?}");
        let back = desk.take(3, async |delivery| delivery.ack().await.expect("it is acked")).await;
        assert_eq!(by_key(&back), [("a".into(), vec![8, 33]), ("b".into(), vec![1])].into(), "in order: {kind:?}");
        desk.aws.close().await;
    }
}

#[tokio::test]
async fn x7_who_may_not_write_there_is_shown_what_can_be_seen() {
    let desk = Desk::open(Kind::MiniStack).await;
    let bodies = desk.dead(&[("a", 12), ("b", 1)]);
    desk.account.fault.put(Rule::on("SendMessage*", Trouble::DENIED));
    assert_eq!(desk.shown().await, [&bodies[..10], &bodies[12..]].concat());
    desk.account.fault.lift();
    assert_eq!(desk.shown().await, bodies);
    desk.aws.close().await;
}

#[tokio::test]
async fn o2_what_sqs_itself_puts_back_stays_in_order_with_its_key() {
    let desk = Desk::open(Kind::MiniStack).await;
    desk.bury(&["a"], 3).await;
    // As its own redrive moves them: as they are.
    for message in desk.account.caller.receive(&desk.plan.dead_letters).expect("they can be read") {
        let system = &message["Attributes"];
        let url = desk.account.caller.url(&desk.plan.name).expect("it is there");
        let moved = json!({"QueueUrl": url, "MessageBody": message["Body"],
            "MessageAttributes": message["MessageAttributes"], "MessageGroupId": system["MessageGroupId"], "MessageDeduplicationId": system["MessageDeduplicationId"]});
        desk.account.caller.sqs("SendMessage", &moved).expect("it is taken");
    }
    let mut deliveries = desk.aws.consume(&desk.plan).await.expect("it is there");
    for number in 0..3 {
        let mut next = deliveries.next(10).await.expect("it can be read");
        assert_eq!(next.len(), 1, "one of a key at a time");
        let delivery = next.remove(0);
        assert_eq!(delivery.sealed.body, format!("a {number}"));
        delivery.ack().await.expect("it is acked");
    }
    desk.aws.close().await;
}
