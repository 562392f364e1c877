//! What SQS hands out: notifications of SNS, direct sends, strangers' messages, and dead letters.

use serde_json::json;
use tegami::{
    testing::doors::{amqp, aws},
    transport::DeadLetter,
};

use super::{amqp::header, assert_plain, text, texts};

/// The most attributes that are read from one text of JSON; a mark in one has a text of its own.
const MOST: usize = 256;

/// A body, then an attribute's name, type and value.
pub fn notification(data: &[u8]) {
    let data = text(data);
    let [body, name, kind, value] = texts(&data);
    let attributes = [(name, kind, value)];
    let attributes = if name.is_empty() { &[][..] } else { &attributes };
    let read = aws::read(body, attributes);
    assert!(read.sealed.body.len() <= body.len(), "reading makes nothing larger");
    assert!(read.sealed.attributes.len() <= attributes.len() + 3 * MOST);
    read.id.iter().for_each(|id| assert_plain(id.as_str()));
    dead(&read.dead);
    if !body.trim_ascii_start().starts_with('{') && name != "tegami" {
        assert_eq!(read.sealed.body, body, "a stranger's message is handed on as it came");
    }
    let notification = json!({"Type": "Notification", "TopicArn": "arn", "MessageId": "sns-1", "Message": body});
    let read = aws::read(&notification.to_string(), &[]);
    assert_eq!(read.sealed.body, body, "a notification is taken off");
    assert_eq!(read.id.expect("it has one").as_str(), "sns-1");
}

/// What says why a message is dead, and the attributes of one that is given up on.
pub fn dead_letter(data: &[u8]) {
    let data = text(data);
    let [written, body, name, kind, value] = texts(&data);
    dead(&aws::read("{}", &[("tegami-reason", "String", written)]).dead);
    dead(&amqp::read(&header("tegami-reason", written)).expect("the parser reads it").dead);
    // One that is there already is forged, and goes.
    if name.is_empty() || name == "tegami-reason" {
        return;
    }
    let (before, attributes) = (aws::read(body, &[(name, kind, value)]), [(name, kind, value)]);
    let ([copy, back], many) = aws::buried(body, &attributes, written);
    assert!(many <= 10, "SQS takes no more");
    dead(&copy.dead);
    assert_eq!(copy.dead.attempts(), 3);
    for read in [copy, back] {
        assert_eq!(read.sealed.body, before.sealed.body);
        assert_eq!(format!("{:?}", read.sealed.attributes), format!("{:?}", before.sealed.attributes));
    }
}

/// What a tool prints of a dead letter forges no lines, and is not long.
pub fn dead(letter: &DeadLetter) {
    let reason = letter.details();
    for told in [&reason.error, &reason.service, &reason.queue].into_iter().chain(&reason.event) {
        assert_plain(told);
        assert!(told.len() <= 1024, "{} bytes", told.len());
    }
}
