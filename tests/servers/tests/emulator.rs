//! What is done to an emulator is felt by its clients, and taken back; on both kinds.

use std::net::TcpStream;

use serde_json::{Value, json};
use tegami_test_servers::{Emulator, Kind};

const KINDS: [Kind; 2] = [Kind::LocalStack, Kind::MiniStack];

/// A name that no test before had.
fn new(name: &str) -> String {
    format!("{name}-{:016x}", fastrand::u64(..))
}

#[tokio::test]
async fn what_is_sent_by_hand_is_there() {
    for kind in KINDS {
        let (emulator, queue) = (Emulator::take(kind).await, new("sent"));
        let caller = emulator.caller();
        caller.make(&queue, &json!({})).unwrap();
        caller.send(&queue, "hello \"you\"", &json!({"n": {"DataType": "Number", "StringValue": "1"}})).unwrap();
        assert_eq!(caller.count(&queue).unwrap(), [1, 0, 0], "{kind:?}");
        let messages = caller.receive(&queue).unwrap();
        let [message] = &messages[..] else { panic!("{kind:?}: {messages:?}") };
        assert_eq!(message["Body"], "hello \"you\"");
        assert_eq!(message["MessageAttributes"]["n"]["StringValue"], "1");
        assert_eq!(caller.count(&queue).unwrap(), [0, 1, 0], "{kind:?}");
        caller.delete(&queue, message).unwrap();
        assert_eq!(caller.list(&queue).unwrap(), std::slice::from_ref(&queue));
        caller.remove(&queue).unwrap();
        assert_eq!(caller.receive(&queue).unwrap_err().code, "QueueDoesNotExist");
    }
}

#[tokio::test]
async fn sns_answers_and_refuses_by_hand() {
    for kind in KINDS {
        let (emulator, topic) = (Emulator::take(kind).await, new("topic"));
        let made = emulator.caller().sns("CreateTopic", &[("Name", &topic)]).unwrap();
        assert!(made.contains(&format!(":{topic}</TopicArn>")), "{kind:?}: {made}");
        let nowhere = "arn:aws:sns:eu-west-1:000000000000:nobody-made-this";
        let refused = emulator.caller().sns("Publish", &[("TopicArn", nowhere), ("Message", "x")]).unwrap_err();
        assert_eq!((refused.status, refused.code.as_str()), (404, "NotFound"), "{kind:?}");
    }
}

#[tokio::test]
async fn a_killed_one_is_gone_and_has_forgotten_everything() {
    for kind in KINDS {
        let (emulator, queue) = (Emulator::take(kind).await, new("killed"));
        emulator.caller().make(&queue, &Value::Null).unwrap();
        emulator.kill9().await;
        assert!(TcpStream::connect(emulator.address()).is_err(), "{kind:?}");
        emulator.start().await;
        assert_eq!(emulator.caller().list(&queue).unwrap(), [""; 0], "{kind:?}");
    }
}

#[tokio::test]
async fn one_that_is_left_frozen_is_mended_for_the_next() {
    for kind in KINDS {
        let emulator = Emulator::take(kind).await;
        emulator.freeze().await;
        drop(emulator);
        // Another instance may be free: this one is among as many as there are.
        for emulator in [Emulator::take(kind).await, Emulator::take(kind).await] {
            emulator.caller().list("").unwrap();
        }
    }
}

#[tokio::test]
async fn nobody_else_has_the_same() {
    for kind in KINDS {
        let (one, other) = tokio::join!(Emulator::take(kind), Emulator::take(kind));
        assert_ne!(one.address(), other.address());
    }
}
