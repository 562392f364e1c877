//! Messages there and back: sealed, carried as AWS does it, and opened.

use std::time::{Duration, SystemTime};

use serde_json::{Value as Json, json};

use super::*;
use crate::{
    envelope::{MessageId, Sealed},
    event::{Attributes, Value, is_plain_name, is_plain_text},
    transport::{PublishErrorKind, Reason, ReasonKind},
};

const NOW: SystemTime = SystemTime::UNIX_EPOCH;

pub(super) fn message(body: impl Into<bytes::Bytes>, attributes: Attributes) -> Outgoing {
    let id = MessageId::parse("id-1").unwrap();
    Outgoing::new(id, "orders.Paid", "orders", Sealed { body: body.into(), attributes })
}

pub(super) fn sealed(message: &Outgoing) -> Letter {
    seal(message, NOW).unwrap()
}

/// As SNS hands a letter to a queue with raw delivery, and as a queue hands out what was sent to it.
fn raw(letter: Letter) -> Post {
    let (group, deduplication) = letter.order.map(|order| (order.group, order.deduplication)).unzip();
    let attributes = told::<aws_sdk_sqs::types::MessageAttributeValue>(letter.attributes);
    let attributes = attributes.into_iter().map(|(name, value)| (name, value.into())).collect();
    let sent = Some(NOW);
    Post {
        id: Some("sqs-1".into()),
        body: letter.body.into(),
        attributes,
        group,
        deduplication,
        sent,
        attempt: 1,
        ..Post::default()
    }
}

/// As SNS hands a letter to a queue without raw delivery.
fn notified(letter: Letter) -> Post {
    let body = notification(&letter.body, json!(letter.attributes)).to_string();
    raw(Letter { body, attributes: Named::new(), ..letter })
}

fn notification(message: &str, attributes: Json) -> Json {
    json!({
        "Type": "Notification",
        "MessageId": "sns-1",
        "TopicArn": "arn:aws:sns:eu-west-1:000000000000:orders",
        "Message": message,
        "Timestamp": "2012-05-02T00:54:06.655Z",
        "SignatureVersion": "1",
        "Signature": "EXAMPLE==",
        "SigningCertURL": "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0.pem",
        "UnsubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe",
        "MessageAttributes": attributes,
    })
}

fn foreign(body: impl ToString) -> Post {
    Post { id: Some("sqs-1".into()), body: body.to_string().into(), attempt: 1, sent: Some(NOW), ..Post::default() }
}

/// Every way from a publisher to us.
pub(super) fn ways(message: &Outgoing) -> [Post; 3] {
    let letter = sealed(message);
    [raw(letter.clone()), notified(letter), raw(direct(message, "http://sqs/q", NOW).unwrap())]
}

fn comes_back(message: &Outgoing) {
    for post in ways(message) {
        let arrived = open(&post);
        assert_eq!(arrived.sealed, message.sealed, "{post:?}");
        assert_eq!(arrived.id.as_ref(), Some(&message.id));
    }
}

#[test]
fn p9_every_body_comes_back() {
    let bodies: [&[u8]; 9] =
        [b"", b"{}", b" ", b"-", b"\0", b"\xff\xfe", "é𝄞\u{fffd}".as_bytes(), "\u{ffff}".as_bytes(), b"a\r\nb\tc\x1b"];
    for body in bodies {
        comes_back(&message(body, Attributes::new()));
    }
    let looks = notification("{}", json!({ "tegami": { "Type": "String", "Value": r#"{"id": "other"}"# } }));
    comes_back(&message(looks.to_string(), Attributes::new()));
}

#[test]
fn p9_every_attribute_comes_back_or_travels_in_the_mark() {
    let values = [
        ("text", Value::from("a\tb é")),
        ("empty", Value::from("")),
        ("control", Value::from("a\u{1b}[0m")),
        ("quotes", Value::from("{\"a\": 1}")),
        ("backslash", Value::from("a\\b")),
        ("none", Value::from("\u{fffe}")),
        ("AWS.mine", Value::from("a")),
        ("a..b", Value::from("a")),
        (".a", Value::from("a")),
        ("é name", Value::from("a")),
        ("tegami", Value::from("{}")),
        ("tegami-reason", Value::from("{}")),
        ("yes", Value::Bool(true)),
        ("max", Value::Integer(i128::MAX)),
        ("min", Value::Integer(i128::MIN)),
        ("cents", Value::Integer(123_456_789_012)),
        ("one", Value::Float(1.0)),
        ("minus", Value::Float(-0.0)),
        ("huge", Value::Float(1e300)),
        ("tiny", Value::Float(5e-324)),
        ("inf", Value::Float(f64::INFINITY)),
        ("less", Value::Float(f64::NEG_INFINITY)),
        ("no", Value::Bool(false)),
    ];
    for (name, value) in &values {
        let message = message("{}", Attributes::new().with(*name, value.clone()));
        comes_back(&message);
        for (name, attribute) in &sealed(&message).attributes {
            assert!(is_plain_name(name) && attribute.as_text().is_none_or(is_plain_text), "{name}");
            assert_eq!(attribute.as_text().is_none(), name == "tegami");
        }
    }
    let all = values.into_iter().fold(Attributes::new(), |all, (name, value)| all.with(name, value));
    comes_back(&message("{}", all.clone()));
    let nan = open(&raw(sealed(&message("{}", Attributes::new().with("nan", Value::Float(f64::NAN))))));
    assert!(matches!(nan.sealed.attributes.get("nan"), Some(Value::Float(number)) if number.is_nan()));
}

#[test]
fn filters_see_the_event_and_numbers_and_ten_attributes_are_the_most() {
    let mut attributes: Attributes = Attributes::new();
    for number in 0..40 {
        attributes.set(format!("n{number:02}"), Value::Integer(i128::from(number) * 10_i128.pow(9)));
    }
    attributes.set("tegami-event", "orders.Paid");
    let message = message("{}", attributes);
    let letter = sealed(&message);
    assert_eq!(letter.attributes.len(), 10);
    assert!(letter.attributes.contains_key("tegami-event") && letter.attributes.contains_key("n07"));
    assert!(!letter.attributes.contains_key("n08"));
    comes_back(&message);
}

#[test]
fn p7_size_is_counted_as_aws_does_with_the_mark_and_after_base64() {
    let small = sealed(&message("body", Attributes::new().with("n", 5)));
    assert_eq!(
        small.size(),
        "body".len() + "n".len() + "Number".len() + "5".len() + "tegami".len() + "String".len() + 14
    );
    let around = small.size() - "body".len() - "nNumber5".len();
    assert!(seal(&message("x".repeat(SNS_LIMIT - around), Attributes::new()), NOW).is_ok());
    let error = seal(&message("x".repeat(SNS_LIMIT - around + 1), Attributes::new()), NOW).unwrap_err();
    assert_eq!(error.kind(), PublishErrorKind::TooLarge);
    assert_eq!(error.to_string(), "message `id-1` has 262145 bytes on the wire, the limit is 262144");
    let binary = message(vec![0xff; 200_000], Attributes::new());
    assert_eq!(seal(&binary, NOW).unwrap_err().kind(), PublishErrorKind::TooLarge, "base64 makes four of three");
    assert!(direct(&binary, "http://sqs/q", NOW).is_ok(), "SQS takes more");
    let larger = message(vec![0xff; 800_000], Attributes::new());
    assert_eq!(direct(&larger, "http://sqs/q", NOW).unwrap_err().kind(), PublishErrorKind::TooLarge);
}

#[test]
fn o2_each_key_has_a_group_of_its_own_whatever_it_says() {
    let long = "k".repeat(129);
    let plain = ["o-1", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", "id-1", &long[1..]];
    let others = ["", "a b", "é", "\u{ffff}", &long];
    let mut groups = std::collections::BTreeSet::new();
    for key in plain.into_iter().chain(others) {
        let message = Outgoing { key: Some(key.to_owned()), ordered: true, ..message("{}", Attributes::new()) };
        comes_back(&message);
        let order = sealed(&message).order.unwrap();
        assert_eq!(order.deduplication, "id-1", "a resend keeps it (P6)");
        assert_eq!(order.group == key, plain.contains(&key), "{key}");
        assert!(MessageId::parse(&order.group).is_some(), "AWS takes it: {}", order.group);
        assert!(groups.insert(order.group), "{key}");
    }
}

#[test]
fn o3_a_message_without_a_key_waits_for_no_other() {
    let message = Outgoing { ordered: true, ..message("{}", Attributes::new()) };
    assert_eq!(sealed(&message).order.unwrap().group, "id-1");
    comes_back(&message);
    let unordered = Outgoing { key: Some("k".into()), ordered: false, ..message };
    assert_eq!(sealed(&unordered).order, None);
}

#[test]
fn a_delay_is_the_time_before_which_nobody_handles_it() {
    let delay = |delay| Outgoing { delay: Some(delay), ..message("{}", Attributes::new()) };
    let minute = Duration::from_secs(60);
    for post in ways(&delay(minute)) {
        assert_eq!(open(&post).not_before, Some(NOW + minute));
    }
    assert_eq!(open(&raw(sealed(&delay(Duration::ZERO)))).not_before, None);
    let year = open(&raw(sealed(&delay(minute * 60 * 24 * 365))));
    assert_eq!(year.not_before, Some(NOW + minute * 60 * 24), "nobody has a message wait for ever (R5)");
}

#[test]
fn a_direct_send_is_tomodachis_to_the_letter() {
    let attributes = Attributes::new().with("n", Value::Integer(4711));
    let now = NOW + Duration::from_millis(1_708_432_496_789);
    let letter = direct(&message("{\"a\": \"é\"}", attributes), "http://localhost/000000000000/q", now).unwrap();
    let expected = concat!(
        r#"{"Type": "Message", "QueueUrl": "http://localhost/000000000000/q", "Version": "0", "#,
        r#""Message": "{\"a\": \"\u00e9\"}", "Timestamp": "2024-02-20T12:34:56.789Z", "#,
        r#""MessageAttributes": {"n": {"Type": "Number", "Value": "4711"}, "#,
        r#""tegami": {"Type": "Binary", "Value": "eyJpZCI6ICJpZC0xIn0="}}}"#,
    );
    assert_eq!(letter.body, expected);
    assert_eq!(letter.attributes, Named::from([("n".to_owned(), Attribute::from(&Value::Integer(4711)))]));
    let whole = direct(&message("{}", Attributes::new()), "q", NOW).unwrap();
    assert!(whole.body.contains(r#""Timestamp": "1970-01-01T00:00:00.000Z""#), "{}", whole.body);
}

#[test]
fn what_tomodachi_sends_is_read() {
    let attributes = json!({
        "s": { "Type": "String", "Value": "v" }, "t": { "Type": "String.Array", "Value": "true" },
        "i": { "Type": "Number", "Value": "4711" }, "f": { "Type": "Number", "Value": "1e+20" },
        "l": { "Type": "String.Array", "Value": "[\"a\", 1]" }, "b": { "Type": "Binary", "Value": "AAH/" },
    });
    let expected = Attributes::new().with("s", "v").with("t", true).with("i", Value::Integer(4711));
    let expected = expected.with("f", 1e20).with("l", r#"["a", 1]"#).with("b", "AAH/");
    let notified = open(&foreign(notification("{\"service\": {}}", attributes.clone())));
    assert_eq!(notified.sealed, Sealed { body: "{\"service\": {}}".into(), attributes: expected.clone() });
    assert_eq!(notified.id, MessageId::parse("sns-1"));

    let body = json!({
        "Type": "Message", "QueueUrl": "http://q", "Version": "0", "Message": "{\"service\": {}}",
        "Timestamp": "2024-02-20T12:34:56.789Z", "MessageAttributes": attributes,
    });
    let mut post = foreign(body);
    post.attributes.insert("i".into(), Attribute::from(&Value::Integer(4712)));
    let sent = open(&post);
    assert_eq!(sent.sealed.body, "{\"service\": {}}");
    assert_eq!(sent.sealed.attributes, expected.with("i", Value::Integer(4712)), "what stands outside is preferred");
    assert_eq!(sent.id, MessageId::parse("sqs-1"), "SNS gave it none");
}

#[test]
fn the_body_of_a_notification_without_escapes_is_not_copied() {
    let post = foreign(notification("bG9uZw==", json!({})));
    let (body, arrived) = (post.body.as_ptr_range(), open(&post));
    assert!(body.contains(&arrived.sealed.body.as_ptr()));
}

#[test]
fn x3_what_others_send_is_handed_on_as_it_came() {
    let s3 = r#"{"Records":[{"eventSource":"aws:s3","s3":{"object":{"key":"a"}}}]}"#;
    let bridge = r#"{"version":"0","id":"1","detail-type":"x","source":"aws.ec2","detail":{}}"#;
    let lacks = |name: &str| {
        let mut body = notification("{}", json!({}));
        body.as_object_mut().unwrap().remove(name);
        body.to_string()
    };
    let with = |name: &str, value: Json| {
        let mut body = notification("{}", json!({}));
        body[name] = value;
        body.to_string()
    };
    let deep = format!("{{\"Type\": \"Notification\", \"a\": {}", "[".repeat(1_000_000));
    let bodies = [
        s3.to_owned(),
        bridge.to_owned(),
        "[1, 2]".into(),
        "5".into(),
        String::new(),
        " ".into(),
        "not JSON".into(),
        "{".into(),
        "{\"Type\": \"Notification\"".into(),
        lacks("Type"),
        lacks("TopicArn"),
        lacks("Message"),
        with("Type", json!("Other")),
        with("Type", json!("Message")),
        with("Type", json!("SubscriptionConfirmation")),
        with("Message", json!({})),
        with("Message", json!(null)),
        with("TopicArn", json!(5)),
        with("MessageAttributes", json!([])),
        with("MessageAttributes", json!("x")),
        format!("{} {{}}", lacks("Signature")),
        lacks("Signature").replacen('{', "{\"Type\": \"x\", ", 1),
        deep,
    ];
    for body in bodies {
        let mut post = foreign(&body);
        post.attributes.insert("mine".into(), Attribute::text("1".into()));
        let arrived = open(&post);
        let shown = &body[..body.len().min(200)];
        assert_eq!(
            arrived.sealed,
            Sealed { body: body.clone().into(), attributes: Attributes::new().with("mine", "1") },
            "{shown}"
        );
        assert_eq!((arrived.id, arrived.not_before), (MessageId::parse("sqs-1"), None));
    }
    assert_eq!(open(&foreign(lacks("MessageAttributes"))).sealed, Sealed { body: "{}".into(), ..Sealed::default() });
    assert_eq!(open(&foreign(with("MessageAttributes", json!(null)))).sealed.body, "{}");
}

#[test]
fn x3_a_forged_mark_loses_nothing() {
    for text in ["", "{}", "5", r#"{"id": "1", "body": "base64"}"#, r#"{"id": "1", "body": "zip"}"#, r#"{"id": ""}"#] {
        let mut post = foreign("not base64!");
        post.attributes.insert("tegami".into(), Attribute::text(text.into()));
        let arrived = open(&post);
        assert_eq!(
            arrived.sealed,
            Sealed { body: "not base64!".into(), attributes: Attributes::new().with("tegami", text) }
        );
        assert_eq!(arrived.id, MessageId::parse("sqs-1"));
        let inside = notification("not base64!", json!({ "tegami": { "Type": "String", "Value": text } }));
        let arrived = open(&foreign(inside));
        assert_eq!(
            arrived.sealed,
            Sealed { body: "not base64!".into(), attributes: Attributes::new().with("tegami", text) }
        );
        assert_eq!(arrived.id, MessageId::parse("sns-1"));
    }
}

#[test]
fn r5_whatever_sqs_says_the_attempt_is_within_bounds() {
    use aws_sdk_sqs::types::{Message, MessageSystemAttributeName as Name};
    for (said, taken) in [("1", 1), ("7", 7), ("0", 1), ("-1", 1), ("1001", 1_000), ("99999999999", 1_000), ("many", 1)]
    {
        let message = Message::builder().body("b").attributes(Name::ApproximateReceiveCount, said);
        let message =
            message.attributes(Name::SentTimestamp, "1500").attributes(Name::MessageGroupId, "g").message_id("m");
        let post = Post::from(message.attributes(Name::MessageDeduplicationId, "d").build());
        assert_eq!((post.attempt, post.sent), (taken, Some(NOW + Duration::from_millis(1_500))));
        assert_eq!((post.group.as_deref(), post.is_fifo(), post.is_moved), (Some("g"), true, false));
    }
    assert_eq!(open(&Post::from(Message::builder().build())).sealed, Sealed::default());
}

pub(super) fn reason(error: impl Into<String>) -> Reason {
    let mut reason = Reason::new(ReasonKind::HandlerError, error, 6, NOW + Duration::from_secs(5));
    (reason.service, reason.queue) = ("billing".into(), "billing-orders".into());
    reason
}

/// What the dead-letter queue hands out of such a copy.
pub(super) fn kept(letter: Letter) -> Post {
    Post { id: Some("sqs-2".into()), ..raw(letter) }
}

#[test]
fn x1_a_dead_letter_has_the_body_as_it_came_and_the_reason() {
    let out = Outgoing {
        key: Some("k".into()),
        ordered: true,
        ..message(b"\xff".as_slice(), Attributes::new().with("empty", ""))
    };
    for post in ways(&out) {
        let post = Post { group: Some("k".into()), deduplication: Some("d".into()), ..post };
        let letter = buried(&post, &reason("no ink"));
        assert_eq!(letter.body.as_bytes(), post.body);
        let order = Order { group: "sqs-1".into(), deduplication: "sqs-1".into() };
        assert_eq!(letter.order, Some(order), "a group of its own");
        let copy = kept(letter);
        let dead = dead_letter(&copy, "billing-orders");
        assert_eq!((dead.payload(), dead.attributes()), (&out.sealed.body, &out.sealed.attributes));
        assert_eq!((dead.id(), dead.details()), (Some(&out.id), &reason("no ink")));
        let again = back(&copy);
        assert_eq!((&again.body, &again.attributes), (&back(&post).body, &post.attributes), "as if never tried");
        let order = Order { group: "k".into(), deduplication: "sqs-2".into() };
        assert_eq!(again.order, Some(order), "in its group, and not dropped as a resend");
        assert_eq!((shared_group(&copy), key(&copy)), (None, Some("k".into())), "also if SQS puts it back as it is");
        assert_eq!(key(&kept(buried(&copy, &reason("again")))), Some("k".into()));
    }
}

/// As SQS moves a message of a FIFO queue when nobody lived to say what became of it.
fn moved(number: u64) -> Post {
    let sent = Some(NOW + Duration::from_millis(number / 50));
    let (group, deduplication) = (Some("k".into()), Some(format!("d-{number}")));
    let sequence = Some(format!("{number}"));
    let id = Some(format!("sqs-{number}"));
    Post { id, group, deduplication, sequence, sent, is_moved: true, ..foreign("{}") }
}

#[test]
fn x7_a_dead_letter_that_gets_a_group_of_its_own_keeps_its_reason_its_age_and_its_way_back() {
    let numbers = [9, 10, 11, 99, 100];
    let posts = numbers.map(moved);
    assert!(posts.iter().all(|post| shared_group(post) == Some("k")));
    let copies = posts.each_ref().map(|post| Post {
        sent: Some(NOW + Duration::from_secs(60)),
        sequence: Some("7".into()),
        ..kept(apart(post, "q").expect("there is room"))
    });
    assert!(copies.iter().all(|copy| shared_group(copy).is_none()));
    assert!(copies.is_sorted_by_key(age) && posts.is_sorted_by_key(age));
    for (copy, post) in copies.iter().zip(&posts) {
        assert_eq!(dead_since(copy), post.sent);
        assert_eq!(dead_letter(copy, "q").details(), dead_letter(post, "q").details());
        assert_eq!(back(copy).order.unwrap().group, "k");
    }
    let earlier = Post { is_moved: false, ..kept(buried(&foreign("{}"), &reason("no ink"))) };
    let earlier = Post { group: Some("k".into()), deduplication: Some("d".into()), ..earlier };
    assert_eq!(shared_group(&earlier), Some("k"), "as earlier releases left it");
    assert_eq!(dead_letter(&kept(apart(&earlier, "q").unwrap()), "q").details(), &reason("no ink"));
    assert_eq!(apart(&Post { body: "x".repeat(SQS_LIMIT).into(), ..moved(1) }, "q"), None);
}

#[test]
fn x7_a_forged_group_or_time_keeps_no_dead_letter_from_going_back() {
    let note = |place: &str| {
        let mut post = kept(buried(&moved(1), &reason("forged")));
        let text = post.attributes["tegami-reason"].as_text().unwrap().replace(r#""group": "k""#, place);
        post.attributes.insert("tegami-reason".into(), Attribute::text(text));
        post
    };
    for group in ["", "a b", "é", &"x".repeat(129)] {
        let post = note(&format!(r#""group": "{group}""#));
        assert_eq!((key(&post), back(&post).order.unwrap().group.as_str()), (Some("sqs-1".into()), "sqs-1"), "{group}");
    }
    for since in ["-1", "1e300", "0.5", "null"] {
        let _ = age(&note(&format!(r#""group": "k", "since": {since}"#)));
    }
    assert_eq!(dead_letter(&note(r#""group": 5"#), "q").reason(), ReasonKind::DeliveryLimit, "no note of ours");
}

#[test]
fn x2_beside_ten_attributes_the_reason_takes_one_in() {
    let all = (0..20).fold(Attributes::new(), |all, n| all.with(format!("n{n:02}"), Value::Integer(n)));
    let out = message("{}", all);
    let post = raw(sealed(&out));
    assert_eq!(post.attributes.len(), 10);
    let letter = buried(&post, &reason("no ink"));
    assert_eq!(letter.attributes.len(), 10);
    assert!(letter.attributes.contains_key("tegami"));
    let dead = dead_letter(&kept(letter.clone()), "q");
    assert_eq!((dead.attributes(), dead.error()), (&out.sealed.attributes, "no ink"));
    assert_eq!(back(&kept(letter.clone())).attributes, post.attributes);
    assert_eq!(open(&kept(letter)).sealed, out.sealed, "also if somebody else moves it back as it is");
    let bytes = (0..12).map(|n| (format!("b{n:02}"), Attribute::told("Binary.png", "AAH/".into())));
    let foreign = Post { attributes: bytes.collect(), ..foreign("{}") };
    assert_eq!(back(&kept(buried(&foreign, &reason("")))).attributes, foreign.attributes, "types and bytes stay");
}

#[test]
fn x2_a_copy_is_within_the_limit_whatever_the_reason_says() {
    // As long as an error is told.
    let long = reason("\u{1}é".repeat(341));
    let size = |length: usize, reason: &Reason| {
        let post = foreign("x".repeat(length));
        let letter = buried(&post, reason);
        assert!(letter.size() <= SQS_LIMIT && letter.body.as_bytes() == post.body);
        dead_letter(&kept(letter), "q")
    };
    assert_eq!(size(SQS_LIMIT - 20_000, &long).error().chars().count(), 2 * 341);
    let shortened = size(SQS_LIMIT - 1_000, &long);
    assert!((1..1_024).contains(&shortened.error().len()) && shortened.details().service == "billing");
    let least = buried(&foreign(""), &reason("")).size();
    assert_eq!(size(SQS_LIMIT - least, &long).reason(), ReasonKind::HandlerError);
    assert_eq!(size(SQS_LIMIT - least, &long).error(), "");
    assert_eq!(
        size(SQS_LIMIT - least + 1, &long).reason(),
        ReasonKind::DeliveryLimit,
        "there is no room for any reason"
    );
    assert_eq!(size(SQS_LIMIT, &long).reason(), ReasonKind::DeliveryLimit);
}

#[test]
fn x6_what_the_broker_put_aside_says_so_even_with_a_forged_reason() {
    let bare = dead_letter(&foreign("{}"), "q");
    assert_eq!((bare.reason(), bare.attempts(), bare.details().queue.as_str()), (ReasonKind::DeliveryLimit, 0, "q"));
    let copy = kept(buried(&foreign("{}"), &reason("forged")));
    let moved = dead_letter(&Post { is_moved: true, ..copy }, "q");
    assert_eq!(moved.reason(), ReasonKind::DeliveryLimit);
    assert!(!moved.error().contains("forged"));
}

#[test]
fn x2_a_forged_reason_harms_nobody() {
    let dead = dead_letter(&kept(buried(&foreign("{}"), &reason("a\nb\u{1b}[31m"))), "q");
    assert_eq!(dead.error(), "a b [31m");
    for text in [
        "",
        "5",
        "[]",
        "{}",
        r#"["handler-error", "", null, "", "", 1, "2024-02-20T12:34:56Z", "2024-02-20T12:34:56Z"]"#,
    ] {
        let mut post = foreign("{}");
        post.attributes.insert("tegami-reason".into(), Attribute::text(text.into()));
        let dead = dead_letter(&post, "q");
        assert_eq!(dead.reason(), ReasonKind::DeliveryLimit, "{text}");
        assert_eq!(dead.attributes(), &Attributes::new().with("tegami-reason", text), "nothing is lost");
    }
}

/// The largest bodies that SQS hands out, each made to be slow to read. (The bound is for a build without optimisation.)
#[test]
fn x3_the_largest_body_is_opened_at_once_whatever_is_in_it() {
    let begin = r#"{"Type": "Notification", "TopicArn": "t", "Message": "m", "#;
    let filled = |begin: &str, fill: &dyn Fn(usize) -> String, end: &str| {
        let mut body = begin.to_owned();
        (0..)
            .map(fill)
            .take_while(|part| {
                body.len() + part.len() + end.len() <= SQS_LIMIT && {
                    body += part;
                    true
                }
            })
            .for_each(drop);
        body + end
    };
    let mark = |n: usize| format!(r#""{n}": {{"Type": "Number", "Value": "{n}"}}, "#);
    let bodies = [
        filled(begin, &|n| format!(r#""{n}":0,"#), r#""x": 0}"#),
        filled(begin, &|n| format!(r#""\\u{n:04x}{n}":0,"#), r#""x": 0}"#),
        filled(begin, &|_| "[".into(), ""),
        filled(&format!("{begin}\"x\": ["), &|_| "[],".into(), "1]}"),
        filled(r#"{"Type": "Notification", "TopicArn": "t", "Message": ""#, &|_| r"\u00e9\ud83d\ude00".into(), r#""}"#),
        filled(&format!("{begin}\"MessageAttributes\": {{"), &mark, r#""x": 0}}"#),
        filled(&format!("{begin}\"MessageAttributes\": {{\"a\": "), &|_| r#"{"Value": "#.into(), ""),
        filled("", &|_| " ".into(), "{}"),
        filled("1", &|_| "0".into(), ""),
    ];
    for body in bodies {
        assert!((SQS_LIMIT - 40..=SQS_LIMIT).contains(&body.len()), "{}", body.len());
        let (mut post, began) = (foreign(&body), std::time::Instant::now());
        let outside = open(&post);
        assert!(
            outside.sealed.body == body
                || outside.sealed.body == "m"
                || outside.sealed.body.starts_with("é".as_bytes())
        );
        post.body = "{}".into();
        post.attributes.insert("tegami".into(), Attribute::text(body.replacen("{\"Type", "{\"id\": \"1\", \"Type", 1)));
        post.attributes.insert("tegami-reason".into(), Attribute::text(body));
        assert_eq!(dead_letter(&post, "q").payload(), "{}");
        assert!(began.elapsed() < std::time::Duration::from_secs(3), "{:?}", began.elapsed());
    }
}
