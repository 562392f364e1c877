//! Which messages a subscription lets through.

use serde_json::json;

use super::place::{Found, Place, bodies, refused};

/// Does this policy let the first through and not the second? Each is one attribute.
fn splits(place: &Place, policy: &str, [in_, out]: [[&str; 3]; 2]) -> Found {
    let (topic, queue) = (place.topic("", &[])?, place.queue("", &json!({}))?);
    place.subscribe(&topic, &queue, &[("RawMessageDelivery", "true"), ("FilterPolicy", policy)])?;
    place.publish(&topic, "out", &[out])?;
    place.publish(&topic, "in", &[in_])?;
    Ok(bodies(&place.next(&queue)?) == ["in"] && place.stays_empty(&queue)?)
}

pub fn exact(place: &Place) -> Found {
    splits(place, r#"{"a": ["one", "other"]}"#, [["a", "String", "other"], ["a", "String", "others"]])
}

pub fn prefix(place: &Place) -> Found {
    splits(place, r#"{"a": [{"prefix": "o"}]}"#, [["a", "String", "one"], ["a", "String", "two"]])
}

pub fn anything_but(place: &Place) -> Found {
    splits(place, r#"{"a": [{"anything-but": ["one"]}]}"#, [["a", "String", "two"], ["a", "String", "one"]])
}

pub fn range(place: &Place) -> Found {
    let policy = r#"{"a": [{"numeric": [">=", 1, "<", 2.5]}]}"#;
    splits(place, policy, [["a", "Number", "2"], ["a", "Number", "2.5"]])
}

pub fn text_is_no_number(place: &Place) -> Found {
    splits(place, r#"{"a": [{"numeric": ["=", 1]}]}"#, [["a", "Number", "1"], ["a", "String", "1"]])
}

pub fn absent(place: &Place) -> Found {
    splits(place, r#"{"a": [{"exists": false}]}"#, [["b", "String", "x"], ["a", "String", "x"]])
}

pub fn array(place: &Place) -> Found {
    let arrays = [r#"["one", "two"]"#, r#"["two", "three"]"#];
    splits(place, r#"{"a": ["one"]}"#, arrays.map(|array| ["a", "String.Array", array]))
}

pub fn no_policy(place: &Place) -> Found {
    let (topic, queue) = (place.topic("", &[])?, place.queue("", &json!({}))?);
    let asked = place.subscribe(&topic, &queue, &[("FilterPolicy", r#"{"a": [{"sounds-like": "one"}]}"#)]);
    refused(asked, &["InvalidParameter"])
}
