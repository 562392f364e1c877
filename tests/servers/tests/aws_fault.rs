//! Each trouble before a real emulator: what the client sees, and what was done.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tegami_test_servers::{Applied, AwsFault, Caller, Emulator, Kind, Refused, Rule, Trouble};

/// A queue of one test, on an emulator behind the proxy.
struct Stage {
    emulator: Emulator,
    fault: AwsFault,
    queue: String,
}

impl Stage {
    async fn on(kind: Kind) -> Self {
        let emulator = Emulator::take(kind).await;
        let fault = AwsFault::before(emulator.address(), 7).await.unwrap();
        let queue = format!("fault-{:016x}", fastrand::u64(..));
        emulator.caller().make(&queue, &json!({})).unwrap();
        Self { emulator, fault, queue }
    }

    async fn new() -> Self {
        Self::on(Kind::MiniStack).await
    }

    /// Calls through the proxy.
    fn caller(&self) -> Caller {
        Caller::new(self.fault.address())
    }

    fn send(&self, body: &str) -> Result<(), Refused> {
        self.caller().send(&self.queue, body, &json!({}))
    }

    fn send_batch(&self, ids: &[&str]) -> Value {
        let entries: Value = ids.iter().map(|id| json!({"Id": id, "MessageBody": id})).collect();
        let url = self.caller().url(&self.queue).unwrap();
        self.caller().sqs("SendMessageBatch", &json!({"QueueUrl": url, "Entries": entries})).unwrap()
    }

    /// The bodies that the queue really holds.
    fn held(&self) -> Vec<String> {
        let messages = self.emulator.caller().receive(&self.queue).unwrap();
        let mut bodies: Vec<_> = messages.iter().map(|message| message["Body"].as_str().unwrap().to_owned()).collect();
        bodies.sort();
        bodies
    }
}

fn ids(answer: &Value, of: &str) -> Vec<String> {
    let entries = answer[of].as_array().cloned().unwrap_or_default();
    entries.iter().map(|entry| entry["Id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_rule_everything_passes_and_is_counted() {
    for kind in [Kind::LocalStack, Kind::MiniStack] {
        let stage = Stage::on(kind).await;
        stage.send("one").unwrap();
        stage.send("other").unwrap();
        assert_eq!((stage.fault.calls("SendMessage"), stage.fault.calls("Send*"), stage.fault.struck("*")), (2, 2, 0));
        assert_eq!(stage.held(), ["one", "other"]);
        assert_eq!(stage.fault.counts(), [("GetQueueUrl".to_owned(), 2), ("SendMessage".to_owned(), 2)]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn urls_of_queues_lead_back() {
    for kind in [Kind::LocalStack, Kind::MiniStack] {
        let stage = Stage::on(kind).await;
        let made = stage.caller().make(&stage.queue, &json!({})).unwrap();
        assert!(made.starts_with(&stage.fault.endpoint()), "{kind:?}: {made}");
        assert_eq!(stage.caller().url(&stage.queue).unwrap(), made);
        let listed = stage.caller().sqs("ListQueues", &json!({"QueueNamePrefix": stage.queue})).unwrap();
        assert_eq!(listed["QueueUrls"], json!([made]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_in_the_words_of_the_service() {
    let stage = Stage::new().await;
    for (trouble, status, code) in [
        (Trouble::EXPIRED, 403, "ExpiredToken"),
        (Trouble::DENIED, 403, "AccessDenied"),
        (Trouble::INTERNAL, 500, "InternalFailure"),
        (Trouble::UNAVAILABLE, 503, "ServiceUnavailable"),
    ] {
        stage.fault.put(Rule::on("*", trouble));
        let [sqs, sns] = [stage.send("x").unwrap_err(), stage.caller().sns("ListTopics", &[]).unwrap_err()];
        assert_eq!((sqs.status, sqs.code.as_str()), (status, code));
        assert_eq!((sns.status, sns.code.as_str()), (status, code));
        stage.fault.lift();
    }
    stage.fault.put(Rule::on("*", Trouble::Throttled));
    let [sqs, sns] = [stage.send("x").unwrap_err(), stage.caller().sns("ListTopics", &[]).unwrap_err()];
    assert_eq!((sqs.status, sqs.code.as_str()), (400, "RequestThrottled"));
    assert_eq!((sns.status, sns.code.as_str()), (429, "Throttled"));
    assert_eq!(stage.held(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_strikes_so_many_calls_and_no_others() {
    let stage = Stage::new().await;
    stage.fault.put(Rule::on("SendMessage", Trouble::INTERNAL).times(2));
    let sent: Vec<_> = (0..4).map(|_| stage.send("x").is_ok()).collect();
    assert_eq!((sent, stage.fault.struck("SendMessage")), (vec![false, false, true, true], 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_strikes_the_named_queue_alone() {
    let stage = Stage::new().await;
    let dead = format!("{}-dead", stage.queue);
    stage.caller().make(&dead, &json!({})).unwrap();
    stage.fault.put(Rule::on("SendMessage", Trouble::DENIED).to("-dead"));
    assert_eq!(stage.caller().send(&dead, "x", &json!({})).unwrap_err().code, "AccessDenied");
    stage.send("x").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_is_kept_and_comes_from_the_seed() {
    let hits = async || {
        let stage = Stage::new().await;
        stage.fault.put(Rule::on("ListQueues", Trouble::INTERNAL).share(0.5));
        (0..40).map(|_| stage.caller().list("none").is_err()).collect::<Vec<_>>()
    };
    let (one, other) = (hits().await, hits().await);
    assert_eq!(one, other);
    let struck = one.iter().filter(|hit| **hit).count();
    assert!((10..=30).contains(&struck), "{struck} of 40");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_reset_is_not_done_and_a_lost_answer_is() {
    let stage = Stage::new().await;
    stage.fault.put(Rule::on("SendMessage", Trouble::Reset).times(1));
    stage.fault.put(Rule::on("SendMessage", Trouble::LostAnswer).times(1));
    for body in ["reset", "lost"] {
        let refused = stage.send(body).unwrap_err();
        assert!(refused.status == 0 && refused.text.contains("reset"), "{refused:?}");
    }
    assert_eq!(stage.held(), ["lost"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_answer_says_its_length_and_ends_before() {
    let stage = Stage::new().await;
    stage.fault.put(Rule::on("SendMessage", Trouble::Cut));
    let refused = stage.send("cut").unwrap_err();
    let (came, said) = refused.text.split_once(" bytes of ").unwrap_or_else(|| panic!("{refused:?}"));
    let [came, said] = [came, said].map(|count| count.parse::<usize>().unwrap());
    assert!(came > 0 && came == said / 2, "{came} of {said}");
    assert_eq!(stage.held(), ["cut"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_answer_comes_whole() {
    let stage = Stage::new().await;
    stage.fault.put(Rule::on("ListQueues", Trouble::Drip(Duration::from_millis(10))));
    let began = Instant::now();
    assert_eq!(stage.caller().list(&stage.queue).unwrap(), std::slice::from_ref(&stage.queue));
    assert!(began.elapsed() >= Duration::from_millis(300), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_hangs_goes_on_when_that_is_lifted() {
    let stage = Stage::new().await;
    stage.fault.put(Rule::on("SendMessage", Trouble::Hang));
    let (caller, queue) = (stage.caller(), stage.queue.clone());
    let send = tokio::task::spawn_blocking(move || caller.send(&queue, "late", &json!({})));
    while stage.fault.struck("SendMessage") == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(stage.held(), [""; 0]);
    stage.fault.lift();
    send.await.unwrap().unwrap();
    assert_eq!(stage.held(), ["late"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_other_entry_of_a_batch_fails() {
    for (applied, held) in [(Applied::No, vec!["b", "d"]), (Applied::Yes, vec!["a", "b", "c", "d", "e"])] {
        let stage = Stage::new().await;
        stage.fault.put(Rule::on("SendMessageBatch", Trouble::PartlyFailed(applied)));
        let answer = stage.send_batch(&["a", "b", "c", "d", "e"]);
        assert_eq!(
            (ids(&answer, "Successful"), ids(&answer, "Failed")),
            (vec!["b".into(), "d".into()], vec!["a".into(), "c".into(), "e".into()])
        );
        assert_eq!(stage.held(), held, "{applied:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_one_fails_whole() {
    for (applied, held) in [(Applied::No, vec![]), (Applied::Yes, vec!["a"])] {
        let stage = Stage::new().await;
        stage.fault.put(Rule::on("SendMessageBatch", Trouble::PartlyFailed(applied)));
        let answer = stage.send_batch(&["a"]);
        assert_eq!((ids(&answer, "Successful"), ids(&answer, "Failed")), (vec![], vec!["a".to_owned()]));
        assert_eq!(stage.held(), held, "{applied:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_other_entry_of_a_published_batch_fails() {
    for kind in [Kind::LocalStack, Kind::MiniStack] {
        for (applied, held) in [(Applied::No, vec!["b"]), (Applied::Yes, vec!["a", "b", "c"])] {
            let stage = Stage::on(kind).await;
            let topic = subscribe(&stage);
            stage.fault.put(Rule::on("PublishBatch", Trouble::PartlyFailed(applied)));
            let answer = publish_batch(&stage, &topic, &["a", "b", "c"]);
            let (good, bad) = answer.split_once("<Failed>").unwrap();
            assert!(good.contains("<Id>b</Id>") && !good.contains("<Id>a</Id>"), "{answer}");
            assert!(
                bad.contains("<Id>a</Id>") && bad.contains("<Id>c</Id>") && !bad.contains("<Id>b</Id>"),
                "{answer}"
            );
            assert_eq!(soon_held(&stage, held.len()).await, held, "{kind:?} {applied:?}");
        }
    }
}

/// A topic with the queue behind it; its ARN.
fn subscribe(stage: &Stage) -> String {
    let made = stage.caller().sns("CreateTopic", &[("Name", &stage.queue)]).unwrap();
    let topic = made.split_once("<TopicArn>").unwrap().1.split_once('<').unwrap().0.to_owned();
    let queue = topic.replace(":sns:", ":sqs:");
    let raw = [("Attributes.entry.1.key", "RawMessageDelivery"), ("Attributes.entry.1.value", "true")];
    let to = [("TopicArn", topic.as_str()), ("Protocol", "sqs"), ("Endpoint", &queue), raw[0], raw[1]];
    stage.caller().sns("Subscribe", &to).unwrap();
    topic
}

fn publish_batch(stage: &Stage, topic: &str, ids: &[&str]) -> String {
    let mut fields = vec![("TopicArn".to_owned(), topic.to_owned())];
    for (n, id) in ids.iter().enumerate() {
        for name in ["Id", "Message"] {
            fields.push((format!("PublishBatchRequestEntries.member.{}.{name}", n + 1), (*id).to_owned()));
        }
    }
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    stage.caller().sns("PublishBatch", &fields).unwrap()
}

/// What the queue holds once it is so much: topics take their time.
async fn soon_held(stage: &Stage, count: usize) -> Vec<String> {
    let end = Instant::now() + Duration::from_secs(5);
    let mut held = Vec::new();
    while held.len() < count && Instant::now() < end {
        held.extend(stage.held());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    held.sort();
    held
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_receive_comes_again() {
    let stage = Stage::new().await;
    stage.send("once").unwrap();
    let first = stage.caller().receive(&stage.queue).unwrap();
    stage.caller().delete(&stage.queue, &first[0]).unwrap();
    stage.fault.put(Rule::on("ReceiveMessage", Trouble::EarlierReceive).times(1));
    assert_eq!(stage.caller().receive(&stage.queue).unwrap(), first);
    assert_eq!(stage.caller().receive(&stage.queue).unwrap(), [Value::Null; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pretended_delete_is_none() {
    let stage = Stage::new().await;
    stage.send("kept").unwrap();
    let message = &stage.caller().receive(&stage.queue).unwrap()[0];
    stage.fault.put(Rule::on("DeleteMessage*", Trouble::Pretended));
    stage.caller().delete(&stage.queue, message).unwrap();
    let url = stage.caller().url(&stage.queue).unwrap();
    let entry = json!({"Id": "a", "ReceiptHandle": message["ReceiptHandle"]});
    let answer = stage.caller().sqs("DeleteMessageBatch", &json!({"QueueUrl": url, "Entries": [entry]})).unwrap();
    assert_eq!((ids(&answer, "Successful"), ids(&answer, "Failed")), (vec!["a".to_owned()], vec![]));
    assert_eq!(stage.caller().count(&stage.queue).unwrap(), [0, 1, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn digests_are_wrong() {
    let stage = Stage::new().await;
    stage.send("x").unwrap();
    stage.fault.put(Rule::on("ReceiveMessage", Trouble::WrongDigest));
    let message = &stage.caller().receive(&stage.queue).unwrap()[0];
    assert_eq!((message["Body"].as_str(), message["MD5OfBody"].as_str()), (Some("x"), Some("0".repeat(32).as_str())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_one_is_not_there_until_that_is_lifted() {
    let stage = Stage::new().await;
    stage.fault.close();
    while std::net::TcpStream::connect(stage.fault.address()).is_ok() {}
    assert_eq!(stage.send("x").unwrap_err().status, 0);
    stage.fault.lift();
    while stage.send("y").is_err() {}
    assert_eq!(stage.held(), ["y"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_strikes_only_calls_that_are_signed_with_its_key() {
    let stage = Stage::new().await;
    stage.fault.put(Rule::on("SendMessage", Trouble::EXPIRED).signed_with("another"));
    stage.send("one").unwrap();
    stage.fault.put(Rule::on("SendMessage", Trouble::EXPIRED).signed_with("test"));
    assert_eq!(stage.send("other").unwrap_err().code, "ExpiredToken");
    assert_eq!(stage.held(), ["one"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_that_are_taken_away_leave_what_hangs_hanging() {
    let stage = Stage::new().await;
    stage.fault.put(Rule::on("SendMessage", Trouble::Hang));
    let (caller, queue) = (stage.caller(), stage.queue.clone());
    let hanging = tokio::task::spawn_blocking(move || caller.send(&queue, "one", &json!({})));
    while stage.fault.struck("SendMessage") == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    stage.fault.spare();
    stage.send("other").unwrap();
    assert_eq!(stage.held(), ["other"]);
    assert!(!hanging.is_finished());
    stage.fault.lift();
    hanging.await.unwrap().unwrap();
    assert_eq!(stage.held(), ["one"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_call_is_known_by_what_it_was_for_and_by_its_key() {
    let stage = Stage::new().await;
    ["one", "two"].iter().for_each(|body| stage.send(body).unwrap());
    let made = stage.fault.made();
    let known = |operation: &str| made.iter().filter(|made| made.operation == operation).collect::<Vec<_>>();
    let ([find], [send]) = (&known("GetQueueUrl")[..], &known("SendMessage")[..]) else { panic!("{made:?}") };
    assert_eq!((&*find.target, &*find.key), (&*stage.queue, "test"));
    assert!(send.target.starts_with("http://") && send.target.ends_with(&stage.queue), "{made:?}");
}
