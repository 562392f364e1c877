//! Each condition in the words that `transport/aws/filter` compiles to.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::sieve::{settle, taken};
use crate::startup::{Account, KINDS};

/// An attribute's name, type and text.
type Told = (&'static str, &'static str, &'static str);

/// Each condition as it is told, with what fits it and what does not.
const CONDITIONS: [(&str, Told, bool); 14] = [
    (r#"{"a":["EUR","USD"]}"#, ("a", "String", "USD"), true),
    (r#"{"a":["EUR","USD"]}"#, ("a", "String", "usd"), false),
    (r#"{"a":["EUR"]}"#, ("b", "String", "EUR"), false),
    (r#"{"a":[{"anything-but":["EUR"]},{"exists":false}]}"#, ("a", "String", "USD"), true),
    (r#"{"a":[{"anything-but":["EUR"]},{"exists":false}]}"#, ("a", "String", "EUR"), false),
    (r#"{"a":[{"anything-but":["EUR"]},{"exists":false}]}"#, ("b", "String", "EUR"), true),
    (r#"{"a":[{"prefix":"E"},{"exists":false}]}"#, ("a", "String", "EUR"), true),
    (r#"{"a":[{"prefix":"E"},{"exists":false}]}"#, ("a", "String", "USD"), false),
    (r#"{"a":[{"prefix":"E"},{"exists":false}]}"#, ("b", "String", "USD"), true),
    (r#"{"a":[{"numeric":["=",1000000000]}]}"#, ("a", "Number", "1000000000"), true),
    (r#"{"a":[{"numeric":[">=",-1000000000]}]}"#, ("a", "Number", "-1000000000"), true),
    (r#"{"a":[{"numeric":[">=",5,"<=",9]}]}"#, ("a", "Number", "9"), true),
    (r#"{"a":[{"numeric":[">=",5,"<=",9]}]}"#, ("a", "Number", "10"), false),
    (r#"{"a":[{"numeric":["<=",9]}]}"#, ("a", "Number", "10"), false),
];
const EVENTS: [&str; 4] = ["E", "F", "G", "H"];

/// Whether a policy lets a message through.
type Verdict = (String, String, bool);

/// Each condition alone, in a topic with other events, and as one of two alternatives.
fn verdicts() -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for (policy, told, fits) in CONDITIONS {
        let named = policy.replacen('{', r#"{"tegami-event":["E"],"#, 1);
        let one_of = format!(r#"{{"$or":[{named},{{"tegami-event":["F","G"]}}]}}"#);
        for (policy, event, expected) in [
            (policy, "E", fits),
            (&*named, "E", fits),
            (&named, "F", false),
            (&one_of, "E", fits),
            (&one_of, "G", true),
            (&one_of, "H", false),
        ] {
            verdicts.push((policy.to_owned(), body(event, told), expected));
        }
        verdicts.push(("{}".to_owned(), body("E", told), true));
    }
    verdicts
}

fn body(event: &str, told: Told) -> String {
    format!("{event} {told:?}")
}

/// Publishes to a topic what has these attributes.
fn publish(account: &Account, topic: &str, (event, told): (&str, Told)) {
    let body = body(event, told);
    let mut fields = vec![("TopicArn".to_owned(), topic.to_owned()), ("Message".to_owned(), body)];
    let mark = ("tegami", "Binary", "e30=");
    for (at, (name, kind, text)) in [("tegami-event", "String", event), mark, told].into_iter().enumerate() {
        let at = format!("MessageAttributes.entry.{}", at + 1);
        let value = if kind == "Binary" { "BinaryValue" } else { "StringValue" };
        fields.push((format!("{at}.Name"), name.to_owned()));
        fields.push((format!("{at}.Value.DataType"), kind.to_owned()));
        fields.push((format!("{at}.Value.{value}"), text.to_owned()));
    }
    let fields: Vec<_> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    account.caller.sns("Publish", &fields).expect("it is taken");
}

/// A queue for each policy, by it.
fn queues<'a>(account: &Account, topic: &str, verdicts: &'a [Verdict]) -> BTreeMap<&'a str, String> {
    let mut queues: BTreeMap<&str, String> = BTreeMap::new();
    for (policy, ..) in verdicts {
        if queues.contains_key(&**policy) {
            continue;
        }
        let queue = account.name(&format!("sieve{}", queues.len()));
        account.caller.make(&queue, &json!({})).expect("it is made");
        let arn = account.arn(&queue);
        let fields = [
            ("TopicArn", topic),
            ("Protocol", "sqs"),
            ("Endpoint", &*arn),
            ("Attributes.entry.1.key", "RawMessageDelivery"),
            ("Attributes.entry.1.value", "true"),
            ("Attributes.entry.2.key", "FilterPolicy"),
            ("Attributes.entry.2.value", policy),
        ];
        account.caller.sns("Subscribe", &fields).expect("it is taken");
        queues.insert(policy, queue);
    }
    queues
}

#[tokio::test]
async fn each_condition_is_decided_as_it_is_read() {
    for kind in KINDS {
        let account = Account::open(kind).await;
        let made = account.caller.sns("CreateTopic", &[("Name", &*account.name("sieved"))]).expect("it is made");
        let topic = made.split(['<', '>']).find(|part| part.starts_with("arn:")).expect("it has an ARN").to_owned();
        let verdicts = verdicts();
        let queues = queues(&account, &topic, &verdicts);
        let told: BTreeSet<Told> = CONDITIONS.iter().map(|(_, told, _)| *told).collect();
        told.iter().for_each(|told| EVENTS.iter().for_each(|event| publish(&account, &topic, (event, *told))));
        settle().await;
        for (policy, queue) in &queues {
            let of = || verdicts.iter().filter(|(of, ..)| of == policy);
            let least = of().filter(|(.., fits)| *fits).map(|(_, body, _)| body.clone()).collect();
            let taken = taken(&account, queue, &least).await;
            for (_, body, fits) in of() {
                assert_eq!(taken.contains(body), *fits, "{kind:?}: {policy} of {body}");
            }
        }
    }
}
