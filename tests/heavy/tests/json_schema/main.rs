//! JSON Schema contracts: the generated types accept and refuse what the `jsonschema` crate does.

use serde_json::{Value, json};
use tegami::{
    Event,
    codec::{self, Payload},
    event::Encoding,
};
use tegami_heavy_tests::heavy::json::v1::{EverythingHappened, everything_happened::Payment};

/// A payload with what is required, and this beside it.
fn payload(more: Value) -> Value {
    let mut payload = json!({
        "id": "67e55044-10b1-426f-9247-bb680e5fe0c8", "colour": "red", "must_be_told": null,
    });
    let members = payload.as_object_mut().unwrap();
    members.extend(more.as_object().unwrap().clone());
    payload
}

fn decode(text: String) -> Result<EverythingHappened, codec::DecodeError> {
    codec::decode(&Payload { encoding: Encoding::Json, bytes: text.into() })
}

fn oracle() -> jsonschema::Validator {
    let schema = EverythingHappened::schema();
    jsonschema::options().should_validate_formats(true).build(schema.as_value()).unwrap()
}

/// Each line stands for a payload with these members beside the required ones.
fn good() -> Vec<Value> {
    vec![
        json!({}),
        json!({ "text": "äöüß", "pattern": "ab-12", "constant": "always", "flag": true }),
        json!({ "whole": 10, "above": 1, "number": 1.25 }),
        json!({ "whole": -5, "number": 1 }),
        json!({ "whole": 1.0 }),
        json!({ "when": "2026-02-28T10:00:00.5Z", "day": "2024-02-29", "mail": "a.b@example.org" }),
        json!({ "when": "2026-02-28T10:00:00+02:00", "link": "https://example.org/a?b#c" }),
        json!({ "tags": ["a", "b"], "grid": [[], [0, 1]], "scores": { "a": 9, "b": -1 } }),
        json!({ "nullable": null, "must_be_told": "yes" }),
        json!({ "nullable": 3, "type": "t", "self": "s", "camelCase": "c" }),
        json!({ "inline": { "deep": {}, "unknown": [1, { "a": null }] } }),
        json!({ "payment": { "kind": "card", "digits": "1234" } }),
        json!({ "payment": { "first": { "digits": "1234", "kind": "card" }, "kind": "split" } }),
        json!({ "maybe_payment": null }),
        json!({ "maybe_payment": { "kind": "card", "digits": "1234" } }),
        json!({ "tree": { "name": "a", "left": { "name": "b" }, "children": [{ "name": "c", "children": [] }] } }),
        json!({ "price": { "minor": -3, "currency": "EUR", "unknown": 1 }, "limit": 100 }),
        json!({ "times": ["2026-02-28T10:00:00Z"] }),
    ]
}

fn bad() -> Vec<Value> {
    vec![
        json!({ "id": "67e5504410b1426f9247bb680e5fe0c8" }),
        json!({ "id": "{67e55044-10b1-426f-9247-bb680e5fe0c8}" }),
        json!({ "id": "no" }),
        json!({ "id": 1 }),
        json!({ "id": null }),
        json!({ "unknown": 1 }),
        json!({ "text": "ä" }),
        json!({ "text": "äöüßä" }),
        json!({ "text": 12 }),
        json!({ "pattern": "ab-123" }),
        json!({ "colour": "green" }),
        json!({ "colour": { "red": null } }),
        json!({ "colour": 0 }),
        json!({ "constant": "never" }),
        json!({ "whole": 11 }),
        json!({ "whole": -6 }),
        json!({ "whole": 1.5 }),
        json!({ "whole": "1" }),
        json!({ "whole": true }),
        json!({ "above": 0 }),
        json!({ "number": 0 }),
        json!({ "number": 1.5 }),
        json!({ "number": "1" }),
        json!({ "flag": 1 }),
        json!({ "flag": "true" }),
        json!({ "when": "2026-02-30T10:00:00Z" }),
        json!({ "when": "2026-02-28" }),
        json!({ "when": "2026-02-28T10:00:00" }),
        json!({ "when": 1 }),
        json!({ "day": "2026-02-29" }),
        json!({ "mail": "nobody" }),
        json!({ "link": "/relative" }),
        json!({ "tags": [] }),
        json!({ "tags": ["a", "b", "c", "d"] }),
        json!({ "tags": ["a", "a"] }),
        json!({ "tags": [""] }),
        json!({ "tags": [1] }),
        json!({ "tags": "a" }),
        json!({ "grid": [[0], [-1]] }),
        json!({ "scores": {} }),
        json!({ "scores": { "a": 1, "b": 2, "c": 3 } }),
        json!({ "scores": { "a": 10 } }),
        json!({ "scores": [] }),
        json!({ "nullable": "1" }),
        json!({ "must_be_told": 1 }),
        json!({ "inline": {} }),
        json!({ "inline": { "deep": [] } }),
        json!({ "inline": [{}] }),
        json!({ "inline": { "deep": { "value": 0.5 } } }),
        json!({ "payment": { "kind": "cash" } }),
        json!({ "payment": { "digits": "1234" } }),
        json!({ "payment": { "kind": "card", "digits": "123" } }),
        json!({ "payment": { "kind": "card", "digits": "1234", "first": 1 } }),
        json!({ "payment": ["card", "1234"] }),
        json!({ "payment": { "kind": "split", "first": { "kind": "card", "digits": "1" } } }),
        json!({ "maybe_payment": { "kind": "cash" } }),
        json!({ "tree": { "name": "" } }),
        json!({ "tree": { "name": "a", "left": { "name": "" } } }),
        json!({ "tree": { "name": "a", "children": [{ "name": "b" }, {}] } }),
        json!({ "price": { "minor": 1, "currency": "EURO" } }),
        json!({ "price": { "minor": 1 } }),
        json!({ "limit": 101 }),
        json!({ "times": ["never"] }),
    ]
}

#[test]
fn good_payloads_are_accepted_by_both() {
    let oracle = oracle();
    for payload in good().into_iter().map(payload) {
        assert!(oracle.is_valid(&payload), "the oracle refuses {payload}");
        decode(payload.to_string()).unwrap_or_else(|error| panic!("{payload}: {error:?}"));
    }
}

#[test]
fn bad_payloads_are_refused_by_both() {
    let oracle = oracle();
    for payload in bad().into_iter().map(payload) {
        assert!(!oracle.is_valid(&payload), "the oracle accepts {payload}");
        assert!(decode(payload.to_string()).is_err(), "{payload}");
    }
}

#[test]
fn missing_properties_are_refused_by_both() {
    let oracle = oracle();
    for name in ["id", "colour", "must_be_told"] {
        let mut payload = payload(json!({}));
        payload.as_object_mut().unwrap().remove(name);
        assert!(!oracle.is_valid(&payload), "{name}");
        assert!(decode(payload.to_string()).is_err(), "{name}");
    }
}

#[test]
fn what_is_no_object_is_refused() {
    for text in ["[]", "null", "1", r#"["67e55044-10b1-426f-9247-bb680e5fe0c8","ab"]"#, "", "{"] {
        assert!(decode(text.to_owned()).is_err(), "{text}");
    }
}

#[test]
fn duplicate_keys_are_refused_wherever_they_are() {
    let start = r#"{"id":"67e55044-10b1-426f-9247-bb680e5fe0c8","colour":"red","must_be_told":null"#;
    assert!(decode(format!("{start}}}")).is_ok());
    for more in [
        r#""colour":"red""#,
        r#""scores":{"a":1,"a":2}"#,
        r#""price":{"minor":1,"minor":1,"currency":"EUR"}"#,
        r#""payment":{"kind":"card","kind":"card","digits":"1234"}"#,
        r#""payment":{"kind":"card","digits":"1234","digits":"1234"}"#,
    ] {
        assert!(decode(format!("{start},{more}}}")).is_err(), "{more}");
    }
}

#[test]
fn integers_out_of_range_are_refused_and_never_rounded() {
    for number in ["9223372036854775808", "-9223372036854775809", "1e300", "9007199254740993.0", "0.1"] {
        let text =
            payload(json!({ "nullable": 0 })).to_string().replace("\"nullable\":0", &format!("\"nullable\":{number}"));
        assert!(decode(text).is_err(), "{number}");
    }
    let text = payload(json!({ "nullable": i64::MIN })).to_string();
    assert_eq!(decode(text).unwrap().nullable, Some(i64::MIN));
}

#[test]
fn null_of_an_optional_property_reads_as_absent() {
    let event = decode(payload(json!({ "text": null, "tree": null, "tags": null })).to_string()).unwrap();
    assert_eq!((event.text, event.tree, event.tags), (None, None, None));
}

#[test]
fn events_come_back_as_they_were_written_and_the_oracle_agrees() {
    let oracle = oracle();
    for payload in good().into_iter().map(payload) {
        let event = decode(payload.to_string()).unwrap();
        let written = codec::encode(&event, Encoding::Protobuf).unwrap();
        assert_eq!(written.encoding, Encoding::Json);
        let value: Value = serde_json::from_slice(&written.bytes).unwrap();
        assert!(oracle.is_valid(&value), "{value}");
        assert_eq!(codec::decode::<EverythingHappened>(&written).unwrap(), event);
    }
}

#[test]
fn required_property_that_may_be_null_is_written_as_null() {
    let event = decode(payload(json!({})).to_string()).unwrap();
    assert_eq!(serde_json::to_value(&event).unwrap(), payload(json!({})));
}

#[test]
fn number_that_json_cannot_say_is_refused_on_write() {
    let mut event = decode(payload(json!({})).to_string()).unwrap();
    event.number = Some(f64::NAN);
    assert!(codec::encode(&event, Encoding::Json).is_err());
}

#[test]
fn absent_attributes_do_not_travel() {
    let event = decode(payload(json!({ "colour": "light-blue", "whole": 3 })).to_string()).unwrap();
    let attributes = event.attributes();
    assert_eq!(attributes.text("colour"), Some("light-blue"));
    assert_eq!(attributes.iter().count(), 2);
    assert_eq!(event.key().as_deref(), Some("67e55044-10b1-426f-9247-bb680e5fe0c8"));
    let filter = EverythingHappened::whole().at_least(3).and(EverythingHappened::colour().is("light-blue"));
    assert!(filter.policy().matches(&attributes));
}

#[test]
fn builder_insists_on_what_is_required_only() {
    let id = "67e55044-10b1-426f-9247-bb680e5fe0c8".parse::<tegami::__private::Uuid>().unwrap();
    let colour = tegami_heavy_tests::heavy::json::v1::everything_happened::Colour::Red;
    let event = EverythingHappened::builder().id(id).colour(colour).text("abc").whole(3).build();
    assert_eq!(event.validate(), Ok(()));
    assert!(event.payment.is_none_or(|payment| matches!(payment, Payment::Card(_))));
}

#[test]
fn violations_name_the_place() {
    let text = payload(json!({ "tree": { "name": "a", "children": [{ "name": "" }] }, "text": "a" })).to_string();
    let error = decode(text).unwrap_err().to_string();
    assert!(error.contains("`tree.children.0.name`") && error.contains("`text`"), "{error}");
}
