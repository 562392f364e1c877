//! Messages as large as AWS takes them, and one byte larger (P7): body and attributes count together, by their names,
//! types and values. On LocalStack, for MiniStack counts the base64 of an attribute that is bytes.

use serde_json::Value;
use tegami::{
    envelope::{MessageId, Sealed},
    event::Attributes,
    time::Dice,
    transport::{Outgoing, Provision, PublishErrorKind, QueuePlan, Transport, aws::Aws},
};

use tegami_test_servers::Kind;

use crate::startup::{Account, topology};

/// What SNS takes.
const LIMIT: usize = 256 * 1024;
/// The first body, to see what goes beside one.
const SMALL: usize = 1_000;

/// How often a message is asked for: SNS hands on when it likes.
const RECEIVES: usize = 500;

fn message(plan: &QueuePlan, length: usize) -> Outgoing {
    let attributes = Attributes::new().with("colour", "red").with("count", 7).with("is_new", true);
    let sealed = Sealed { body: vec![b'x'; length].into(), attributes };
    let mut message = Outgoing::new(MessageId::draw(&Dice::system()), "paid", plan.bindings[0].topic.clone(), sealed);
    message.key = Some("a key".to_owned());
    message
}

/// The message as AWS counts it.
fn size(post: &Value) -> usize {
    let text = |value: &Value| value.as_str().map_or(0, str::len);
    let attributes = post["MessageAttributes"].as_object().expect("there are some").iter();
    let each = attributes.map(|(name, value)| {
        let bytes = value["BinaryValue"].as_str().map_or(0, |base64| base64.trim_end_matches('=').len() * 3 / 4);
        name.len() + text(&value["DataType"]) + text(&value["StringValue"]) + bytes
    });
    text(&post["Body"]) + each.sum::<usize>()
}

/// What is in the queue, and nobody else.
fn taken(account: &Account, plan: &QueuePlan) -> usize {
    let received = std::iter::repeat_with(|| account.caller.receive(&plan.name).expect("it is there"));
    let posts = received.take(RECEIVES).find(|posts| !posts.is_empty()).unwrap_or_default();
    let [post] = &posts[..] else { panic!("{} messages", posts.len()) };
    account.caller.delete(&plan.name, post).expect("it is ours");
    size(post)
}

#[tokio::test]
async fn f39_what_fills_the_limit_to_its_last_byte_arrives_and_one_byte_more_is_not_sent() {
    let account = Account::open(Kind::LocalStack).await;
    let plan = account.plan("letters", &["letters"]);
    let aws = Aws::new(account.url(""));
    aws.provision(&topology(std::slice::from_ref(&plan)), Provision::Create).await.expect("it can start");
    aws.publish(message(&plan, SMALL)).await.expect("it is small");
    let most = LIMIT - (taken(&account, &plan) - SMALL);
    for length in [most - 1, most] {
        aws.publish(message(&plan, length)).await.expect("it fits");
        assert_eq!(taken(&account, &plan), LIMIT - (most - length));
    }
    let calls = account.fault.calls("*");
    for length in [most + 1, LIMIT, LIMIT + 1, 10 * LIMIT] {
        let refused = aws.publish(message(&plan, length)).await.map_err(|error| error.kind());
        assert_eq!(refused, Err(PublishErrorKind::TooLarge), "{length} bytes");
    }
    assert_eq!(account.fault.calls("*"), calls, "nobody was asked");
    aws.close().await;
}
