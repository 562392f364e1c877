//! What a property of JSON Schema becomes in Rust, where the words for it are few and easily misread.

mod common;

use std::fs;

use common::{compile, folder};

/// The Rust type of a required property with this schema.
fn required(case: &str, schema: &str) -> String {
    let folder = folder(case);
    let defs = r#""Carrier": { "enum": ["dhl", "ups"] }, "Route": { "enum": ["air", null] },
        "Only": { "oneOf": [{ "$ref": "x.schema.json#/$defs/Carrier" }] }"#;
    let text = format!(
        r#"{{ "$id": "shop.v1.X", "type": "object", "properties": {{ "value": {schema} }}, "required": ["value"],
        "$defs": {{ {defs} }} }}"#
    );
    fs::write(folder.join("x.schema.json"), text).unwrap();
    let files = compile(&folder).unwrap_or_else(|error| panic!("{schema}: {error}"));
    let (_, rest) = files["shop.v1.rs"].split_once("pub value: ").expect("the property is a field");
    rest.split_once(",\n").expect("another line follows").0.to_owned()
}

#[test]
fn one_of_a_single_branch_is_that_branch() {
    for (schema, expected) in [
        (r##"{ "oneOf": [{ "$ref": "#/$defs/Carrier" }] }"##, "x::Carrier"),
        (r##"{ "oneOf": [{ "$ref": "#/$defs/Carrier" }, { "type": "null" }] }"##, "Option<x::Carrier>"),
        (r##"{ "oneOf": [{ "$ref": "#/$defs/Route" }] }"##, "Option<x::Route>"),
        (r##"{ "oneOf": [{ "type": "string" }] }"##, "String"),
        (r##"{ "oneOf": [{ "type": ["string", "null"] }] }"##, "Option<String>"),
        (r##"{ "$ref": "#/$defs/Only" }"##, "x::Carrier"),
    ] {
        assert_eq!(required("single_branch", schema), expected, "{schema}");
    }
}

#[test]
fn an_enum_takes_null_where_both_its_values_and_its_type_do() {
    for (schema, expected) in [
        (r#"{ "enum": ["a", "b"] }"#, "x::Value"),
        (r#"{ "enum": ["a", "b", null] }"#, "Option<x::Value>"),
        (r#"{ "type": ["string", "null"], "enum": ["a", null] }"#, "Option<x::Value>"),
        (r#"{ "type": ["string", "null"], "enum": ["a", "b"] }"#, "x::Value"),
        (r#"{ "type": ["string", "null"], "const": "a" }"#, "x::Value"),
        (r#"{ "type": "string", "enum": ["a", null] }"#, "x::Value"),
        (r##"{ "$ref": "#/$defs/Route" }"##, "Option<x::Route>"),
    ] {
        assert_eq!(required("enum_of_null", schema), expected, "{schema}");
    }
}

#[test]
fn branches_are_told_apart_by_the_property_whose_values_differ() {
    let folder = folder("told_apart");
    let branch = |kind: &str| {
        format!(
            r#"{{ "type": "object", "required": ["version", "kind"],
            "properties": {{ "version": {{ "const": "v1" }}, "kind": {{ "const": "{kind}" }} }} }}"#
        )
    };
    let text = format!(
        r#"{{ "$id": "shop.v1.X", "type": "object", "properties": {{ "by": {{ "oneOf": [{}, {}] }} }} }}"#,
        branch("card"),
        branch("bill")
    );
    fs::write(folder.join("x.schema.json"), text).unwrap();
    let files = compile(&folder).unwrap_or_else(|error| panic!("{error}"));
    assert!(files["shop.v1.rs"].contains(r#"tag = "kind""#), "{}", files["shop.v1.rs"]);
}
