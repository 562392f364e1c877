//! Messages as large as AWS takes them, and larger (P7): body and attributes count together, by their names, types and
//! values. On LocalStack, for MiniStack counts the base64 of an attribute that is bytes.

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

/// How often a message is asked for: SNS hands on when it likes.
const RECEIVES: usize = 500;

fn message(plan: &QueuePlan, body: Vec<u8>) -> Outgoing {
    let attributes = Attributes::new().with("colour", "red").with("count", 7).with("is_new", true);
    let sealed = Sealed { body: body.into(), attributes };
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

/// A queue of an account, and the way to its topic.
async fn letters() -> (Account, QueuePlan, Aws) {
    let account = Account::open(Kind::LocalStack).await;
    let plan = account.plan("letters", &["letters"]);
    let aws = Aws::new(account.url(""));
    aws.provision(&topology(std::slice::from_ref(&plan)), Provision::Create).await.expect("it can start");
    (account, plan, aws)
}

/// Publishes a body that must arrive, and tells what it was for AWS.
async fn arrives(aws: &Aws, account: &Account, plan: &QueuePlan, body: Vec<u8>) -> usize {
    let length = body.len();
    aws.publish(message(plan, body)).await.unwrap_or_else(|error| panic!("{length} bytes: {error}"));
    taken(account, plan)
}

/// Publishes a body that must be refused before anybody is asked.
async fn refused(aws: &Aws, account: &Account, plan: &QueuePlan, body: Vec<u8>) {
    let (calls, length) = (account.fault.calls("*"), body.len());
    let refused = aws.publish(message(plan, body)).await.map_err(|error| error.kind());
    assert_eq!(refused, Err(PublishErrorKind::TooLarge), "{length} bytes");
    assert_eq!(account.fault.calls("*"), calls, "nobody was asked about {length} bytes");
}

#[tokio::test]
async fn f39_what_fills_the_limit_arrives_and_what_is_larger_is_not_sent() {
    let (account, plan, aws) = letters().await;
    let beside = "colour".len() + "red".len() + "count".len() + "7".len() + "is_new".len() + "true".len();
    let most = aws.capabilities().message_limit - beside;
    for length in [most - 1, most] {
        assert!(arrives(&aws, &account, &plan, vec![b'x'; length]).await <= LIMIT);
    }
    for length in [most + 1, LIMIT, LIMIT + 1, 10 * LIMIT] {
        refused(&aws, &account, &plan, vec![b'x'; length]).await;
    }
    aws.close().await;
}

#[tokio::test]
async fn f39_bytes_that_are_no_text_fill_the_limit_sooner() {
    let (account, plan, aws) = letters().await;
    // Three bytes become four letters.
    let around = arrives(&aws, &account, &plan, vec![0; 3]).await - 4;
    let most = (LIMIT - around) / 4 * 3;
    assert_eq!(arrives(&aws, &account, &plan, vec![0; most]).await, around + most / 3 * 4);
    refused(&aws, &account, &plan, vec![0; most + 1]).await;
    aws.close().await;
}
