use serde_json::{Value as Json, json};

use super::*;

const QUEUE: &str = "arn:aws:sqs:eu-west-1:123456789012:billing";

fn topic(name: &str) -> String {
    format!("arn:aws:sns:eu-west-1:123456789012:{name}")
}

fn topics(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| topic(name)).collect()
}

fn written(existing: &str, names: &[&str]) -> String {
    merged(existing, QUEUE, &topics(names)).expect("it fits").expect("it changes").text
}

fn parsed(text: &str) -> Json {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn sns_alone_may_write_from_these_topics_alone() {
    let expected = json!({"Version": "2012-10-17", "Statement": [{
        "Sid": "tegami",
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": QUEUE,
        "Condition": {"ArnEquals": {"aws:SourceArn": [topic("orders"), topic("users")]}},
    }]});
    assert_eq!(parsed(&written("", &["users", "orders"])), expected);
}

#[test]
fn n7_what_is_right_is_not_written_again() {
    let text = written("", &["orders", "users"]);
    assert_eq!(merged(&text, QUEUE, &topics(&["users", "orders"])), Ok(None));
    assert_eq!(merged(&text, QUEUE, &topics(&["users"])), Ok(None), "a newer version may listen to both");
    let spelt = text.replace("sqs:SendMessage", "SQS:SendMessage");
    assert_eq!(merged(&spelt, QUEUE, &topics(&["users"])), Ok(None));
    let one = written("", &["users"]).replace(&format!("[\"{}\"]", topic("users")), &format!("{:?}", topic("users")));
    assert_eq!(merged(&one, QUEUE, &topics(&["users"])), Ok(None), "{one}");
}

#[test]
fn n7_topics_that_are_let_in_stay() {
    let text = written(&written("", &["orders"]), &["users"]);
    assert_eq!(parsed(&text), parsed(&written("", &["orders", "users"])));
}

#[test]
fn n7_statements_of_others_stay_letter_by_letter() {
    let foreign = r#"{"Sid":"a","Effect":"Deny", "Principal":"*","Action":"sqs:*","Resource":"*","Condition":{"NumericLessThan":{"aws:x":1.50e3,"aws:big":123456789012345678901234567890}}}"#;
    let list = format!(r#"{{"Version":"2008-10-17","Id":"theirs","Statement":[{foreign}]}}"#);
    let alone = format!(r#"{{"Version":"2008-10-17","Id":"theirs","Statement":{foreign}}}"#);
    for existing in [list, alone] {
        let text = written(&existing, &["orders"]);
        assert!(text.contains(foreign), "{text}");
        let document = parsed(&text);
        assert_eq!((&document["Version"], &document["Id"]), (&json!("2008-10-17"), &json!("theirs")));
        assert_eq!(document["Statement"].as_array().map(Vec::len), Some(2));
        assert_eq!(merged(&text, QUEUE, &topics(&["orders"])), Ok(None));
    }
}

/// As tomodachi writes it whenever it starts.
fn tomodachis(source: &str) -> String {
    let statement = json!({
        "Sid": "9d6a1b2c1767225600000", "Effect": "Allow", "Principal": "*", "Action": "SQS:SendMessage",
        "Resource": QUEUE, "Condition": {"ArnEquals": {"aws:SourceArn": source}},
    });
    json!({"Version": "2012-10-17", "Id": format!("{QUEUE}/SQSDefaultPolicy"), "Statement": [statement]}).to_string()
}

#[test]
fn tomodachis_statement_is_not_ours() {
    let theirs = tomodachis(&topic("orders"));
    let document = parsed(&written(&theirs, &["orders", "users"]));
    assert_eq!(document["Statement"][0], parsed(&theirs)["Statement"][0]);
    assert_eq!(document["Statement"][1]["Sid"], "tegami");
}

#[test]
fn our_statement_is_mended_where_it_lets_in_more_than_it_should() {
    let good = written("", &["orders"]);
    for (said, instead) in [
        (r#"{"Service":"sns.amazonaws.com"}"#, r#""*""#),
        (r#""sqs:SendMessage""#, r#"["sqs:SendMessage","sqs:ReceiveMessage"]"#),
        (r#""Allow""#, r#""Deny""#),
        (QUEUE, "*"),
    ] {
        let spoilt = good.replace(said, instead);
        assert_ne!(spoilt, good);
        assert_eq!(parsed(&written(&spoilt, &["orders"])), parsed(&good));
    }
    let without = good.replace("aws:SourceArn", "aws:SourceAccount");
    assert_eq!(parsed(&written(&without, &["orders"])), parsed(&good));
}

#[test]
fn n7_more_topics_than_fit_are_named_by_how_they_begin() {
    let names: Vec<String> = (0..300).map(|number| format!("staging-shop-orders-{number}")).collect();
    let arns: Vec<String> = names.iter().map(|name| topic(name)).collect();
    let wide = merged("", QUEUE, &arns).unwrap().unwrap();
    assert_eq!(wide.sources.to_string(), topic("staging-shop-orders-*"));
    assert!(parsed(&wide.text)["Statement"][0]["Condition"]["ArnLike"].is_object(), "{}", wide.text);
    assert_eq!(merged(&wide.text, QUEUE, &arns), Ok(None));
    let more = merged(&wide.text, QUEUE, &[topic("users")]).unwrap().unwrap();
    assert_eq!(more.sources.to_string(), format!("{}, {}", topic("staging-shop-orders-*"), topic("users")));
}

#[test]
fn a_beginning_stays_within_one_account_and_region() {
    let far = |number: usize| format!("arn:aws:sns:eu-west-1:123456789013:{}{number}", "x".repeat(200));
    let near = |number: usize| format!("arn:aws:sns:eu-west-1:123456789012:{}{number}", "y".repeat(200));
    let arns: Vec<String> = (0..40).map(far).chain((0..40).map(near)).collect();
    let wide = merged("", QUEUE, &arns).unwrap().unwrap().sources.to_string();
    assert!(wide.contains("123456789012:y") && wide.contains("123456789013:x"), "{wide}");
    let unlike = merged("", QUEUE, &(0..40).map(|n| topic(&format!("{n}{}", "z".repeat(200)))).collect::<Vec<_>>());
    assert_eq!(unlike.unwrap().unwrap().sources.to_string(), topic("*"));
}

#[test]
fn the_exact_list_is_used_to_the_last_byte() {
    let of = |length: usize| [topic(&"a".repeat(length)), topic(&"b".repeat(200))];
    let short = merged("", QUEUE, &of(1)).unwrap().unwrap().text.len();
    let foreign = |length: usize| {
        let statement = json!({"Sid": "theirs", "Effect": "Deny", "Principal": "*", "Action": "x".repeat(length)});
        json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
    };
    let beside = merged(&foreign(1), QUEUE, &of(1)).unwrap().unwrap().text.len() - short - 1;
    let room = BYTES - short - beside;
    let full = merged(&foreign(room), QUEUE, &of(1)).unwrap().unwrap();
    assert_eq!((full.text.len(), full.sources.are_exact()), (BYTES, true));
    let wide = merged(&foreign(room + 1), QUEUE, &of(1)).unwrap().unwrap();
    assert!(!wide.sources.are_exact());
    let error = merged(&foreign(room + 1_000), QUEUE, &of(1)).unwrap_err();
    assert!(error.contains("8192 are allowed"), "{error}");
}

#[test]
fn a_policy_that_cannot_be_read_is_not_written_over() {
    for existing in ["nonsense", "[]", "7", "{\"Statement\":"] {
        let error = merged(existing, QUEUE, &topics(&["orders"])).unwrap_err();
        assert!(error.contains("no JSON object"), "{error}");
    }
    let crowd: Vec<Json> = (0..20).map(|number| json!({"Sid": number.to_string()})).collect();
    let error = merged(&json!({"Statement": crowd}).to_string(), QUEUE, &topics(&["orders"])).unwrap_err();
    assert!(error.contains("21 statements, 20 are allowed"), "{error}");
}

#[test]
fn n7_what_others_let_in_already_is_not_said_once_more() {
    assert_eq!(merged(&tomodachis(&topic("orders")), QUEUE, &topics(&["orders"])), Ok(None));
    assert_eq!(merged(&tomodachis(&topic("shop-*")), QUEUE, &topics(&["shop-orders", "shop-users"])), Ok(None));
}

#[test]
fn d1_what_others_do_not_quite_let_in_is_said() {
    let theirs = tomodachis(&topic("orders"));
    let missed = |existing: &str, names: &[&str]| {
        let text = written(existing, names);
        assert_eq!(parsed(&text)["Statement"].as_array().map(Vec::len), Some(2), "{text}");
    };
    missed(&theirs, &["orders", "users"]);
    missed(&tomodachis("*"), &["orders"]);
    missed(&tomodachis("arn:aws:sns:*"), &["orders"]);
    for (said, other) in [
        ("Allow", "Deny"),
        ("SQS:SendMessage", "SQS:ReceiveMessage"),
        ("\"*\"", "{\"AWS\":\"123456789012\"}"),
        (":billing\"", ":accounts\""),
        ("ArnEquals", "ArnNotEquals"),
        ("aws:SourceArn", "aws:PrincipalArn"),
        ("\"Condition\":{", "\"Condition\":{\"Bool\":{\"aws:SecureTransport\":\"true\"},"),
    ] {
        assert!(theirs.contains(said), "{said}");
        missed(&theirs.replace(said, other), &["orders"]);
    }
}
