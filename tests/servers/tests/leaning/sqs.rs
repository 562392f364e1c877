//! Queues and their messages.

use std::{
    thread::{sleep, spawn},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::place::{Found, Place, bodies, refused};

/// Time enough for a call to have begun.
const BEGUN: Duration = Duration::from_millis(300);

pub fn wakes(place: &Place) -> Found {
    let queue = place.queue("", &json!({}))?;
    let (url, caller) = (place.caller.url(&queue)?, place.caller);
    let receive = spawn(move || caller.sqs("ReceiveMessage", &json!({"QueueUrl": url, "WaitTimeSeconds": 10})));
    sleep(BEGUN);
    let sent = Instant::now();
    place.caller.send(&queue, "x", &json!({}))?;
    let received = receive.join().expect("nothing there panics")?;
    Ok(received["Messages"][0]["Body"] == "x" && sent.elapsed() < Duration::from_secs(2))
}

pub fn visibility(place: &Place) -> Found {
    let queue = place.queue("", &json!({"VisibilityTimeout": "1"}))?;
    place.caller.send(&queue, "x", &json!({}))?;
    let first = place.next(&queue)?;
    let is_hidden = place.caller.receive(&queue)?.is_empty();
    let again = place.next(&queue)?;
    let count = |messages: &[Value]| messages[0]["Attributes"]["ApproximateReceiveCount"].clone();
    Ok(is_hidden && count(&first) == "1" && !again.is_empty() && count(&again) == "2")
}

pub fn not_in_flight(place: &Place) -> Found {
    let queue = place.queue("", &json!({}))?;
    place.caller.send(&queue, "x", &json!({}))?;
    let first = place.next(&queue)?;
    place.hide(&queue, &first[0], 0)?;
    refused(place.hide(&queue, &first[0], 30), &["NotInflight"])
}

pub fn redrive(place: &Place) -> Found {
    let dead = place.queue("-dead", &json!({}))?;
    let policy = json!({"deadLetterTargetArn": place.arn_of(&dead)?, "maxReceiveCount": "1"}).to_string();
    let queue = place.queue("", &json!({"RedrivePolicy": policy}))?;
    place.caller.send(&queue, "x", &json!({"n": {"DataType": "Number", "StringValue": "1"}}))?;
    let first = place.next(&queue)?;
    place.hide(&queue, &first[0], 0)?;
    let moved = place.stays_empty(&queue)?;
    let letters = place.next(&dead)?;
    Ok(moved && bodies(&letters) == ["x"] && letters[0]["MessageAttributes"]["n"]["StringValue"] == "1")
}

pub fn array(place: &Place) -> Found {
    let queue = place.queue("", &json!({}))?;
    place.caller.send(&queue, "x", &json!({"b": {"DataType": "String.Array", "StringValue": "true"}}))?;
    let messages = place.next(&queue)?;
    Ok(messages[0]["MessageAttributes"]["b"] == json!({"DataType": "String.Array", "StringValue": "true"}))
}

pub fn empty_attribute(place: &Place) -> Found {
    let queue = place.queue("", &json!({}))?;
    let sent = place.caller.send(&queue, "x", &json!({"a": {"DataType": "String", "StringValue": ""}}));
    refused(sent, &["InvalidParameterValue"])
}

pub fn eleventh(place: &Place) -> Found {
    let queue = place.queue("", &json!({}))?;
    let attributes: Value =
        (0..11).map(|n| (n.to_string(), json!({"DataType": "Number", "StringValue": "1"}))).collect();
    refused(place.caller.send(&queue, "x", &attributes), &["InvalidParameterValue"])
}

pub fn control(place: &Place) -> Found {
    let queue = place.queue("", &json!({}))?;
    refused(place.caller.send(&queue, "\u{1}", &json!({})), &["InvalidMessageContents", "InvalidParameterValue"])
}

pub fn made_otherwise(place: &Place) -> Found {
    place.queue("", &json!({"VisibilityTimeout": "30"}))?;
    refused(place.queue("", &json!({"VisibilityTimeout": "40"})), &["QueueNameExists", "QueueAlreadyExists"])
}
