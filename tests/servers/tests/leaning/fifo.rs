//! Queues in order.

use serde_json::{Value, json};
use tegami_test_servers::Refused;

use super::place::{Found, Place, bodies};

pub fn group_waits(place: &Place) -> Found {
    let queue = place.fifo()?;
    for body in ["1", "2"] {
        place.send_in_order(&queue, "a", body)?;
    }
    let first = one(place, &queue)?;
    place.send_in_order(&queue, "b", "3")?;
    let meanwhile = place.caller.receive(&queue)?;
    place.caller.delete(&queue, &first[0])?;
    Ok(bodies(&first) == ["1"] && bodies(&meanwhile) == ["3"] && bodies(&place.next(&queue)?) == ["2"])
}

pub fn order_of_redelivery(place: &Place) -> Found {
    let queue = place.fifo()?;
    for body in ["1", "2"] {
        place.send_in_order(&queue, "a", body)?;
    }
    let first = one(place, &queue)?;
    place.hide(&queue, &first[0], 0)?;
    Ok(bodies(&place.next(&queue)?) == ["1", "2"])
}

pub fn repeat(place: &Place) -> Found {
    let queue = place.fifo()?;
    place.send_in_order(&queue, "a", "1")?;
    let first = place.next(&queue)?;
    place.caller.delete(&queue, &first[0])?;
    place.send_in_order(&queue, "a", "1")?;
    place.stays_empty(&queue)
}

pub fn from_topic(place: &Place) -> Found {
    let queue = behind_topic(place, &[("1", "1"), ("2", "2")])?;
    let first = one(place, &queue)?;
    let is_of_group = first.first().is_some_and(|first| first["Attributes"]["MessageGroupId"] == "a");
    Ok(bodies(&first) == ["1"] && is_of_group && place.stays_empty(&queue)?)
}

pub fn repeat_to_topic(place: &Place) -> Found {
    let queue = behind_topic(place, &[("1", "x"), ("2", "x")])?;
    let first = place.next(&queue)?;
    place.caller.delete(&queue, &first[0])?;
    Ok(bodies(&first) == ["1"] && place.stays_empty(&queue)?)
}

/// A queue behind a topic in order, to which these bodies were published, each with what is not to be repeated.
fn behind_topic(place: &Place, bodies: &[(&str, &str)]) -> Result<String, Refused> {
    let (topic, queue) = (place.topic(".fifo", &[("FifoTopic", "true")])?, place.fifo()?);
    place.subscribe(&topic, &queue, &[("RawMessageDelivery", "true")])?;
    for (body, id) in bodies {
        let what = [("TopicArn", topic.as_str()), ("Message", body)];
        let order = [("MessageGroupId", "a"), ("MessageDeduplicationId", id)];
        place.caller.sns("Publish", &[what, order].concat())?;
    }
    Ok(queue)
}

/// Receives one message.
fn one(place: &Place, queue: &str) -> Result<Vec<Value>, Refused> {
    let url = place.caller.url(queue)?;
    let wish = json!({"QueueUrl": url, "MaxNumberOfMessages": 1, "WaitTimeSeconds": 5,
        "MessageSystemAttributeNames": ["All"]});
    Ok(place.caller.sqs("ReceiveMessage", &wish)?["Messages"].as_array().cloned().unwrap_or_default())
}
