//! What means the same becomes the same; what means something else has another fingerprint.

mod common;

use std::{collections::BTreeSet, fs, path::Path};

use common::{compile, folder};

const PROTO: &str = r#"
syntax = "proto3";
package shop.v1;
import "tegami/v1/options.proto";
message OrderPaid {
  option (tegami.v1.event) = { ordered: true };
  string id = 1 [(tegami.v1.field) = { key: true, min_length: 2 }];
  Line line = 2;
  oneof payment { string card = 3; int64 account = 4; }
  message Line { string sku = 1; repeated Size sizes = 2; }
}
enum Size { SMALL = 0; LARGE = 1; }
"#;

const SCHEMA: &str = r##"
{ "$id": "shop.v2.OrderPaid", "type": "object", "x-tegami": { "event": {}, "key": "id" },
  "properties": { "id": { "type": "string", "minLength": 2 }, "size": { "$ref": "#/$defs/Size" } },
  "required": ["id"], "additionalProperties": false,
  "$defs": { "Size": { "enum": ["small", "large"] } } }
"##;

/// The fingerprints in what a contract becomes, and all of the text.
fn output(name: &str, file: &str, text: &str) -> (String, String) {
    let folder = folder(name);
    fs::write(folder.join(file), text.trim_start()).unwrap();
    let files = compile(&folder).unwrap_or_else(|error| panic!("{error}"));
    let text = files.into_values().collect::<String>();
    let (_, fingerprint) = text.split_once("fingerprint: \"").expect("there is an event");
    (fingerprint[..16].to_owned(), text)
}

fn fingerprint(file: &str, text: &str) -> String {
    // Tests run beside each other: each has a folder.
    output(std::thread::current().name().expect("a test has a name"), file, text).0
}

/// The contract with one part in place of another, which must be there.
fn with(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from}");
    text.replace(from, to)
}

#[test]
fn comments_and_order_change_no_fingerprint() {
    let proto = fingerprint("a.proto", PROTO);
    for (from, to) in [
        ("  Line line = 2;", "  // A comment.\n  Line line = 2; // Another."),
        ("SMALL = 0; LARGE = 1;", "SMALL = 0; /* large */ LARGE = 1;"),
        ("string card = 3; int64 account = 4;", "int64 account = 4; string card = 3;"),
        ("string sku = 1; repeated Size sizes = 2;", "repeated Size sizes = 2; string sku = 1;"),
        ("message OrderPaid", "message Unused {}\nmessage OrderPaid"),
        ("key: true, min_length: 2", "min_length: 2 key: true"),
    ] {
        assert_eq!(fingerprint("a.proto", &with(PROTO, from, to)), proto, "{to}");
    }
    let schema = fingerprint("a.schema.json", SCHEMA);
    for (from, to) in [
        ("\"minLength\": 2", "\"minLength\": 2, \"description\": \"The order.\""),
        ("[\"small\", \"large\"]", "[\"large\", \"small\"]"),
        (
            "\"id\": { \"type\": \"string\", \"minLength\": 2 }, \"size\": { \"$ref\": \"#/$defs/Size\" }",
            "\"size\": { \"$ref\": \"#/$defs/Size\" }, \"id\": { \"type\": \"string\", \"minLength\": 2 }",
        ),
    ] {
        assert_eq!(fingerprint("a.schema.json", &with(SCHEMA, from, to)), schema, "{to}");
    }
}

#[test]
fn every_change_of_meaning_changes_the_fingerprint() {
    let mut known = BTreeSet::from([fingerprint("a.proto", PROTO), fingerprint("a.schema.json", SCHEMA)]);
    for (from, to) in [
        ("ordered: true", ""),
        ("ordered: true", "ordered: true topic: \"other\""),
        ("min_length: 2", "min_length: 3"),
        ("min_length: 2", "min_length: 2, attribute: true"),
        ("string id = 1", "int64 id = 1"),
        ("min_length: 2", ""),
        ("Line line = 2;", "Line line = 5;"),
        ("Line line = 2;", "repeated Line line = 2;"),
        ("Line line = 2;", "Line lines = 2;"),
        ("string sku = 1;", "optional string sku = 1;"),
        ("string sku = 1;", "string sku = 1; bool gift = 3;"),
        ("int64 account = 4", "int64 account = 5"),
        ("LARGE = 1", "LARGE = 2"),
        ("LARGE = 1", "HUGE = 1"),
        ("LARGE = 1;", "LARGE = 1; HUGE = 2;"),
        ("LARGE = 1;", "LARGE = 1; HUGE = 1; option allow_alias = true;"),
        ("LARGE = 1;", "HUGE = 1; LARGE = 1; option allow_alias = true;"),
        ("oneof payment", "oneof paid_by"),
    ] {
        let changed = with(PROTO, from, to).replace("key: true,  }", "key: true }");
        let changed = if to.starts_with("int64 id") { changed.replace(", min_length: 2", "") } else { changed };
        assert!(known.insert(fingerprint("a.proto", &changed)), "{to}");
    }
    for (from, to) in [
        ("\"minLength\": 2", "\"minLength\": 3"),
        ("\"additionalProperties\": false,", ""),
        ("[\"id\"]", "[\"id\", \"size\"]"),
        ("\"large\"]", "\"huge\"]"),
        ("\"event\": {}", "\"event\": { \"routing_key\": \"x\" }"),
    ] {
        assert!(known.insert(fingerprint("a.schema.json", &with(SCHEMA, from, to))), "{to}");
    }
}

#[test]
fn neither_the_order_of_files_nor_their_place_changes_a_byte() {
    let files = [("b/z.proto", PROTO), ("a/y.schema.json", SCHEMA)];
    let write = |folder: &Path, order: &mut dyn Iterator<Item = &(&str, &str)>| {
        for (name, text) in order {
            fs::create_dir_all(folder.join(name).parent().unwrap()).unwrap();
            fs::write(folder.join(name), text.trim_start()).unwrap();
        }
        compile(folder).unwrap()
    };
    let (one, other) = (folder("one/proto"), folder("other/place/proto"));
    let (first, second) = (write(&one, &mut files.iter()), write(&other, &mut files.iter().rev()));
    assert_eq!(first.keys().collect::<Vec<_>>(), second.keys().collect::<Vec<_>>());
    for (first, second) in first.values().zip(second.values()) {
        let shown = |folder: &Path| folder.to_string_lossy().replace('\\', "/");
        assert_eq!(first.replace(&shown(&one), ""), second.replace(&shown(&other), ""));
    }
}
