//! Topics, and what they write into queues.

use serde_json::{Value, json};
use tegami_test_servers::Refused;

use super::place::{Found, Place, pairs, refused};

/// Larger than all entries of a batch may be together, in three of them.
const LARGE: usize = 100_000;

pub fn raw_delivery(place: &Place) -> Found {
    let (topic, queue) = (place.topic("", &[])?, place.queue("", &json!({}))?);
    place.subscribe(&topic, &queue, &[("RawMessageDelivery", "true")])?;
    place.publish(&topic, "{\"a\": 1}", &[["n", "Number", "1"], ["s", "String", "text"]])?;
    let messages = place.next(&queue)?;
    let [message] = &messages[..] else { return Ok(false) };
    let attributes = &message["MessageAttributes"];
    let kept = |name: &str, kind, text| attributes[name]["DataType"] == kind && attributes[name]["StringValue"] == text;
    Ok(message["Body"] == "{\"a\": 1}" && kept("n", "Number", "1") && kept("s", "String", "text"))
}

pub fn bytes_of_a_batch(place: &Place) -> Found {
    let (topic, queue) = (place.topic("", &[])?, place.queue("", &json!({}))?);
    place.subscribe(&topic, &queue, &[("RawMessageDelivery", "true")])?;
    let entry = [("Id", "a"), ("Message", "x")];
    let bytes = [("Name", "b"), ("Value.DataType", "Binary"), ("Value.BinaryValue", "AAH/")];
    let mut fields = pairs(&[("TopicArn", &topic)]);
    let at = "PublishBatchRequestEntries.member.1";
    fields.extend(entry.map(|(name, value)| (format!("{at}.{name}"), value.to_owned())));
    fields.extend(bytes.map(|(name, value)| (format!("{at}.MessageAttributes.entry.1.{name}"), value.to_owned())));
    place.sns("PublishBatch", &fields)?;
    let messages = place.next(&queue)?;
    Ok(messages[0]["MessageAttributes"]["b"] == json!({"DataType": "Binary", "BinaryValue": "AAH/"}))
}

pub fn notification(place: &Place) -> Found {
    let (topic, queue) = notifying(place)?;
    place.publish(&topic, "hello", &[["n", "Number", "1"]])?;
    let Some(told) = told(place, &queue)? else { return Ok(false) };
    let head = told["Type"] == "Notification" && told["TopicArn"] == topic.as_str() && told["Message"] == "hello";
    Ok(head && told["MessageAttributes"]["n"] == json!({"Type": "Number", "Value": "1"}))
}

pub fn bytes(place: &Place) -> Found {
    let (topic, queue) = notifying(place)?;
    let what = [("TopicArn", topic.as_str()), ("Message", "hello"), ("MessageAttributes.entry.1.Name", "b")];
    let value = "MessageAttributes.entry.1.Value";
    let value =
        [(format!("{value}.DataType"), "Binary".to_owned()), (format!("{value}.BinaryValue"), "AAH/".to_owned())];
    place.sns("Publish", &[pairs(&what), value.to_vec()].concat())?;
    let Some(told) = told(place, &queue)? else { return Ok(false) };
    Ok(told["MessageAttributes"]["b"] == json!({"Type": "Binary", "Value": "AAH/"}))
}

/// A topic, and the queue that it notifies.
fn notifying(place: &Place) -> Result<(String, String), Refused> {
    let (topic, queue) = (place.topic("", &[])?, place.queue("", &json!({}))?);
    place.subscribe(&topic, &queue, &[])?;
    Ok((topic, queue))
}

/// What the one notification in a queue says.
fn told(place: &Place, queue: &str) -> Result<Option<Value>, Refused> {
    let messages = place.next(queue)?;
    let [message] = &messages[..] else { return Ok(None) };
    Ok(serde_json::from_str(message["Body"].as_str().unwrap_or_default()).ok())
}

pub fn made_again(place: &Place) -> Found {
    let attributes = [("DisplayName", "one")];
    Ok(place.topic("", &attributes)? == place.topic("", &attributes)?)
}

pub fn made_otherwise(place: &Place) -> Found {
    place.topic("", &[("DisplayName", "one")])?;
    refused(place.topic("", &[("DisplayName", "other")]), &["InvalidParameter"])
}

pub fn no_name(place: &Place) -> Found {
    refused(place.topic(" with spaces", &[]), &["InvalidParameter"])
}

pub fn large_batch(place: &Place) -> Found {
    let topic = place.topic("", &[])?;
    let mut fields = pairs(&[("TopicArn", &topic)]);
    for n in 1..=3 {
        let at = format!("PublishBatchRequestEntries.member.{n}");
        fields.push((format!("{at}.Id"), n.to_string()));
        fields.push((format!("{at}.Message"), "x".repeat(LARGE)));
    }
    refused(place.sns("PublishBatch", &fields), &["BatchRequestTooLong"])
}
