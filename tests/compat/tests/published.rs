//! What other gates say of the same changes: the rules of `buf breaking` for the wire and for JSON, and the cases that
//! Confluent's registry holds for JSON Schema. The facts are theirs, the words are ours. Where tegami says otherwise, the
//! row says why.
//!
//! Each case of Confluent's was held against what it publishes: the examples of its tests
//! (`diff-schema-examples-2020-12.json`), and where none is of that change, its list of the kinds of change that are
//! compatible (`SchemaDiff`).

use std::{fs, path::Path};

use tegami_codegen::{Check, Direction, Encoding};

/// What one change means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    Safe,
    Breaking,
}
use Says::{Breaking, Safe};

/// A change of a message, and who says what of it.
struct Row {
    /// buf's rule.
    rule: &'static str,
    old: &'static str,
    new: &'static str,
    /// buf 1.75.0, by its categories WIRE and WIRE_JSON; `ask_buf.py` asks it anew.
    buf: [Says; 2],
    /// tegami, in protobuf and in JSON, both ways.
    tegami: [Says; 2],
    /// Why they differ; empty where they do not.
    why: &'static str,
}

const READERS: &str = "old readers of new data are asked too: they hear no more of it";
const NEVER: &str = "by itself it hurts nobody: what may come of it is a note";

#[rustfmt::skip]
const BUF: [Row; 24] = [
    Row { rule: "FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED", old: "string a = 1; string b = 2;", new: "string a = 1;", buf: [Breaking, Breaking], tegami: [Breaking, Breaking], why: "" },
    Row { rule: "FIELD_NO_DELETE_UNLESS_NAME_RESERVED", old: "string a = 1; string b = 2;", new: "string a = 1; reserved 2;", buf: [Safe, Breaking], tegami: [Breaking, Breaking], why: READERS },
    Row { rule: "FIELD_NO_DELETE_UNLESS_…, both reserved", old: "string a = 1; string b = 2;", new: "string a = 1; reserved 2; reserved \"b\";", buf: [Safe, Safe], tegami: [Breaking, Breaking], why: READERS },
    Row { rule: "FIELD_SAME_JSON_NAME", old: "string a = 1;", new: "string a = 1 [json_name = \"b\"];", buf: [Safe, Breaking], tegami: [Safe, Breaking], why: "" },
    Row { rule: "FIELD_SAME_JSON_NAME, a rename", old: "string a = 1;", new: "string b = 1;", buf: [Safe, Breaking], tegami: [Safe, Breaking], why: "" },
    Row { rule: "FIELD_SAME_ONEOF, into one", old: "string a = 1; string b = 2;", new: "oneof c { string a = 1; string b = 2; }", buf: [Breaking, Breaking], tegami: [Breaking, Breaking], why: "" },
    Row { rule: "FIELD_SAME_ONEOF, one alone", old: "string a = 1;", new: "oneof c { string a = 1; }", buf: [Breaking, Breaking], tegami: [Safe, Safe], why: "what is written of a field alone in a oneof is what was written before" },
    Row { rule: "FIELD_SAME_ONEOF, out of one", old: "oneof c { string a = 1; string b = 2; }", new: "string a = 1; string b = 2;", buf: [Breaking, Breaking], tegami: [Breaking, Breaking], why: "" },
    Row { rule: "FIELD_WIRE_COMPATIBLE_CARDINALITY", old: "int32 a = 1;", new: "repeated int32 a = 1;", buf: [Breaking, Breaking], tegami: [Breaking, Breaking], why: "" },
    Row { rule: "FIELD_WIRE_COMPATIBLE_CARDINALITY, text", old: "string a = 1;", new: "repeated string a = 1;", buf: [Breaking, Breaking], tegami: [Breaking, Breaking], why: "" },
    Row { rule: "FIELD_WIRE_COMPATIBLE_CARDINALITY, presence", old: "int32 a = 1;", new: "optional int32 a = 1;", buf: [Safe, Safe], tegami: [Safe, Safe], why: "" },
    Row { rule: "FIELD_WIRE_COMPATIBLE_TYPE, one group", old: "int32 a = 1;", new: "int64 a = 1;", buf: [Safe, Breaking], tegami: [Breaking, Breaking], why: "an old reader cuts long numbers" },
    Row { rule: "FIELD_WIRE_COMPATIBLE_TYPE, one group and bounded", old: "int32 a = 1;", new: "int64 a = 1 [(tegami.v1.field) = { minimum: -9, maximum: 9 }];", buf: [Safe, Breaking], tegami: [Breaking, Breaking], why: "numbers outside the new bounds are in old data" },
    Row { rule: "FIELD_WIRE_COMPATIBLE_TYPE, zigzag", old: "int32 a = 1;", new: "sint32 a = 1;", buf: [Breaking, Breaking], tegami: [Breaking, Safe], why: "in JSON both are numbers" },
    Row { rule: "FIELD_WIRE_COMPATIBLE_TYPE, fixed", old: "fixed32 a = 1;", new: "sfixed32 a = 1;", buf: [Safe, Safe], tegami: [Breaking, Breaking], why: "large numbers become negative ones" },
    Row { rule: "FIELD_WIRE_COMPATIBLE_TYPE, text to bytes", old: "string a = 1;", new: "bytes a = 1;", buf: [Safe, Breaking], tegami: [Breaking, Breaking], why: "an old reader refuses bytes that are no text" },
    Row { rule: "FIELD_WIRE_JSON_COMPATIBLE_TYPE, enum to number", old: "E a = 1;", new: "int32 a = 1;", buf: [Breaking, Breaking], tegami: [Safe, Breaking], why: "an enum is written as its number" },
    Row { rule: "FIELD_WIRE_COMPATIBLE_TYPE, another number", old: "string a = 1;", new: "string a = 2;", buf: [Breaking, Breaking], tegami: [Breaking, Safe], why: "JSON goes by names" },
    Row { rule: "ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED", old: "E a = 1;", new: "E a = 1; // -B", buf: [Breaking, Breaking], tegami: [Safe, Breaking], why: "an unnamed number stays a number; in JSON its name is refused" },
    Row { rule: "ENUM_VALUE_SAME_NAME", old: "E a = 1;", new: "E a = 1; // B=C", buf: [Safe, Breaking], tegami: [Breaking, Breaking], why: "a number that has another name is read as another value" },
    Row { rule: "an enum's new value, which buf allows", old: "E a = 1;", new: "E a = 1; // +C", buf: [Safe, Safe], tegami: [Safe, Breaking], why: "in JSON old readers refuse a name that they do not know" },
    Row { rule: "RESERVED_MESSAGE_NO_DELETE", old: "string a = 1; reserved 2;", new: "string a = 1;", buf: [Breaking, Breaking], tegami: [Safe, Safe], why: NEVER },
    Row { rule: "RESERVED_MESSAGE_NO_DELETE, and used", old: "string a = 1; reserved 2;", new: "string a = 1; string b = 2;", buf: [Breaking, Breaking], tegami: [Breaking, Breaking], why: "" },
    Row { rule: "MESSAGE_SAME_REQUIRED_FIELDS", old: "string a = 1;", new: "string a = 1 [(tegami.v1.field) = { required: true }];", buf: [Safe, Safe], tegami: [Breaking, Breaking], why: "proto3 has no required fields of its own, tegami has" },
];

#[test]
fn the_rules_of_buf() {
    for Row { rule, old, new, buf, tegami, why } in BUF {
        assert_eq!(buf == tegami, why.is_empty(), "{rule}: say why they differ, where they do");
        let values = if new.contains("-B") {
            "A = 0;"
        } else if new.contains("B=C") {
            "A = 0; C = 1;"
        } else if new.contains("+C") {
            "A = 0; B = 1; C = 2;"
        } else {
            "A = 0; B = 1;"
        };
        let text = |fields: &str, values: &str| {
            format!(
                "syntax = \"proto3\"; package buf.v1; import \"tegami/v1/options.proto\";\n\
                 message Happened {{ option (tegami.v1.event) = {{}};\n{fields}\n}} enum E {{ {values} }}"
            )
        };
        let (old, new) = (text(old, "A = 0; B = 1;"), text(new, values));
        let said = [Encoding::Protobuf, Encoding::Json]
            .map(|encoding| says("buf", ("a.proto", &old, &new), |check| check.encoding(encoding)));
        assert_eq!(said, tegami, "{rule}");
    }
}

/// A change of one property, which new readers of old data are asked about.
struct Case {
    what: &'static str,
    old: &'static str,
    new: &'static str,
    confluent: Says,
    tegami: Says,
    why: &'static str,
}

const fn case(what: &'static str, old: &'static str, new: &'static str, both: Says) -> Case {
    Case { what, old, new, confluent: both, tegami: both, why: "" }
}

const WRITTEN: &str = "tegami writes only what is declared, so that no other property is in its data";

#[rustfmt::skip]
const CONFLUENT: [Case; 60] = [
    case("another title", r#"{"value":{"type":"string","title":"a"}}"#, r#"{"value":{"type":"string","title":"b"}}"#, Safe),
    case("another description", r#"{"value":{"type":"string","description":"a"}}"#, r#"{"value":{"type":"string","description":"b"}}"#, Safe),
    case("another type", r#"{"value":{"type":"string"}}"#, r#"{"value":{"type":"boolean"}}"#, Breaking),
    case("a longer least length", r#"{"value":{"type":"string","minLength":10}}"#, r#"{"value":{"type":"string","minLength":11}}"#, Breaking),
    case("a shorter least length", r#"{"value":{"type":"string","minLength":11}}"#, r#"{"value":{"type":"string","minLength":10}}"#, Safe),
    case("a least length is added", r#"{"value":{"type":"string"}}"#, r#"{"value":{"type":"string","minLength":1}}"#, Breaking),
    case("a least length is removed", r#"{"value":{"type":"string","minLength":1}}"#, r#"{"value":{"type":"string"}}"#, Safe),
    case("a longer greatest length", r#"{"value":{"type":"string","maxLength":10}}"#, r#"{"value":{"type":"string","maxLength":12}}"#, Safe),
    case("a shorter greatest length", r#"{"value":{"type":"string","maxLength":12}}"#, r#"{"value":{"type":"string","maxLength":10}}"#, Breaking),
    case("a greatest length is added", r#"{"value":{"type":"string"}}"#, r#"{"value":{"type":"string","maxLength":10}}"#, Breaking),
    case("a pattern is removed", r#"{"value":{"type":"string","pattern":"a"}}"#, r#"{"value":{"type":"string"}}"#, Safe),
    case("a pattern is added", r#"{"value":{"type":"string"}}"#, r#"{"value":{"type":"string","pattern":"a"}}"#, Breaking),
    case("another pattern", r#"{"value":{"type":"string","pattern":"a"}}"#, r#"{"value":{"type":"string","pattern":"b"}}"#, Breaking),
    case("the same pattern", r#"{"value":{"type":"string","pattern":"a"}}"#, r#"{"value":{"type":"string","pattern":"a"}}"#, Safe),
    case("a maximum is removed", r#"{"value":{"type":"number","maximum":10}}"#, r#"{"value":{"type":"number"}}"#, Safe),
    case("a maximum is added", r#"{"value":{"type":"number"}}"#, r#"{"value":{"type":"number","maximum":10}}"#, Breaking),
    case("a greater maximum", r#"{"value":{"type":"number","maximum":10}}"#, r#"{"value":{"type":"number","maximum":11}}"#, Safe),
    case("a smaller maximum", r#"{"value":{"type":"number","maximum":11}}"#, r#"{"value":{"type":"number","maximum":10}}"#, Breaking),
    case("a minimum is removed", r#"{"value":{"type":"number","minimum":10}}"#, r#"{"value":{"type":"number"}}"#, Safe),
    case("a greater minimum", r#"{"value":{"type":"number","minimum":10}}"#, r#"{"value":{"type":"number","minimum":11}}"#, Breaking),
    case("a smaller minimum", r#"{"value":{"type":"number","minimum":11}}"#, r#"{"value":{"type":"number","minimum":10}}"#, Safe),
    case("a greater exclusive minimum", r#"{"value":{"type":"number","exclusiveMinimum":1}}"#, r#"{"value":{"type":"number","exclusiveMinimum":2}}"#, Breaking),
    case("a smaller exclusive maximum", r#"{"value":{"type":"number","exclusiveMaximum":2}}"#, r#"{"value":{"type":"number","exclusiveMaximum":1}}"#, Breaking),
    case("a number becomes an integer", r#"{"value":{"type":"number"}}"#, r#"{"value":{"type":"integer"}}"#, Breaking),
    Case { what: "an integer becomes a number", old: r#"{"value":{"type":"integer"}}"#, new: r#"{"value":{"type":"number"}}"#, confluent: Safe, tegami: Breaking, why: "whole numbers beyond 2^53 are rounded" },
    case("a small integer becomes a number", r#"{"value":{"type":"integer","minimum":0,"maximum":99}}"#, r#"{"value":{"type":"number","minimum":0,"maximum":99}}"#, Safe),
    case("a value of an enum for another", r#"{"value":{"enum":["red"]}}"#, r#"{"value":{"enum":["blue"]}}"#, Breaking),
    case("a further value of an enum", r#"{"value":{"enum":["red"]}}"#, r#"{"value":{"enum":["red","blue"]}}"#, Safe),
    case("a value of an enum less", r#"{"value":{"enum":["red","blue"]}}"#, r#"{"value":{"enum":["red"]}}"#, Breaking),
    case("null is allowed", r#"{"value":{"type":"string"}}"#, r#"{"value":{"type":["string","null"]}}"#, Safe),
    Case { what: "null is no longer allowed, of what may be left out", old: r#"{"value":{"type":["string","null"]}}"#, new: r#"{"value":{"type":"string"}}"#, confluent: Breaking, tegami: Safe, why: "tegami reads null as absent there" },
    case("one property for another", r#"{"value":{"type":"string"},"+":false}"#, r#"{"other":{"type":"string"},"+":false}"#, Breaking),
    Case { what: "one property for another, open", old: r#"{"value":{"type":"string"}}"#, new: r#"{"other":{"type":"string"}}"#, confluent: Breaking, tegami: Safe, why: WRITTEN },
    case("a property is added to a closed object", r#"{"value":{"type":"string"},"+":false}"#, r#"{"value":{"type":"string"},"other":{"type":"number"},"+":false}"#, Safe),
    case("a required property is added to a closed object", r#"{"value":{"type":"string"},"+":false}"#, r#"{"value":{"type":"string"},"other":{"type":"number"},"!":["other"],"+":false}"#, Breaking),
    Case { what: "a property is added to an open object", old: r#"{"value":{"type":"string"}}"#, new: r#"{"value":{"type":"string"},"other":{"type":"number"}}"#, confluent: Breaking, tegami: Safe, why: WRITTEN },
    case("a property is removed from an open object", r#"{"value":{"type":"string"},"other":{"type":"number"}}"#, r#"{"value":{"type":"string"}}"#, Safe),
    case("a property is removed from a closed object", r#"{"value":{"type":"string"},"other":{"type":"number"},"+":false}"#, r#"{"value":{"type":"string"},"+":false}"#, Breaking),
    case("an object is closed", r#"{"value":{"type":"string"}}"#, r#"{"value":{"type":"string"},"+":false}"#, Breaking),
    case("an object is opened", r#"{"value":{"type":"string"},"+":false}"#, r#"{"value":{"type":"string"}}"#, Safe),
    case("it is required", r#"{"value":{"type":"string"}}"#, r#"{"value":{"type":"string"},"!":["value"]}"#, Breaking),
    case("it is no longer required", r#"{"value":{"type":"string"},"!":["value"]}"#, r#"{"value":{"type":"string"}}"#, Safe),
    case("no item may come twice", r#"{"value":{"type":"array","items":{"type":"string"}}}"#, r#"{"value":{"type":"array","items":{"type":"string"},"uniqueItems":true}}"#, Breaking),
    case("more items must be there", r#"{"value":{"type":"array","items":{"type":"string"},"minItems":1}}"#, r#"{"value":{"type":"array","items":{"type":"string"},"minItems":2}}"#, Breaking),
    case("items of another type", r#"{"value":{"type":"array","items":{"type":"string"}}}"#, r#"{"value":{"type":"array","items":{"type":"boolean"}}}"#, Breaking),
    case("a greater exclusive maximum", r#"{"value":{"type":"number","exclusiveMaximum":1}}"#, r#"{"value":{"type":"number","exclusiveMaximum":2}}"#, Safe),
    case("an exclusive minimum is removed", r#"{"value":{"type":"number","exclusiveMinimum":1}}"#, r#"{"value":{"type":"number"}}"#, Safe),
    case("an item may come twice again", r#"{"value":{"type":"array","items":{"type":"string"},"uniqueItems":true}}"#, r#"{"value":{"type":"array","items":{"type":"string"}}}"#, Safe),
    case("fewer items must be there", r#"{"value":{"type":"array","items":{"type":"string"},"minItems":2}}"#, r#"{"value":{"type":"array","items":{"type":"string"},"minItems":1}}"#, Safe),
    case("no items must be there", r#"{"value":{"type":"array","items":{"type":"string"},"minItems":1}}"#, r#"{"value":{"type":"array","items":{"type":"string"}}}"#, Safe),
    case("fewer items may be there", r#"{"value":{"type":"array","items":{"type":"string"},"maxItems":2}}"#, r#"{"value":{"type":"array","items":{"type":"string"},"maxItems":1}}"#, Breaking),
    case("more items may be there", r#"{"value":{"type":"array","items":{"type":"string"},"maxItems":1}}"#, r#"{"value":{"type":"array","items":{"type":"string"},"maxItems":2}}"#, Safe),
    case("values of a map of another type", r#"{"value":{"type":"object","additionalProperties":{"type":"string"}}}"#, r#"{"value":{"type":"object","additionalProperties":{"type":"number"}}}"#, Breaking),
    case("more members may be in a map", r#"{"value":{"type":"object","additionalProperties":{"type":"string"},"maxProperties":1}}"#, r#"{"value":{"type":"object","additionalProperties":{"type":"string"},"maxProperties":2}}"#, Safe),
    case("fewer members may be in a map", r#"{"value":{"type":"object","additionalProperties":{"type":"string"},"maxProperties":2}}"#, r#"{"value":{"type":"object","additionalProperties":{"type":"string"},"maxProperties":1}}"#, Breaking),
    case("more members must be in a map", r#"{"value":{"type":"object","additionalProperties":{"type":"string"},"minProperties":1}}"#, r#"{"value":{"type":"object","additionalProperties":{"type":"string"},"minProperties":2}}"#, Breaking),
    case("fewer members must be in a map", r#"{"value":{"type":"object","additionalProperties":{"type":"string"},"minProperties":2}}"#, r#"{"value":{"type":"object","additionalProperties":{"type":"string"},"minProperties":1}}"#, Safe),
    case("the type moves behind a reference", r#"{"value":{"type":"string"}}"#, r##"{"value":{"$ref":"#/$defs/text"},"$":{"text":{"type":"string"}}}"##, Safe),
    case("the type comes from behind a reference", r##"{"value":{"$ref":"#/$defs/text"},"$":{"text":{"type":"string"}}}"##, r#"{"value":{"type":"string"}}"#, Safe),
    case("what is referred to has another type", r##"{"value":{"$ref":"#/$defs/text"},"$":{"text":{"type":"string"}}}"##, r##"{"value":{"$ref":"#/$defs/text"},"$":{"text":{"type":"number"}}}"##, Breaking),
];

#[test]
fn the_cases_of_confluent() {
    for Case { what, old, new, confluent, tegami, why } in CONFLUENT {
        assert_eq!(confluent == tegami, why.is_empty(), "{what}: say why they differ, where they do");
        let (old, new) = (schema(old), schema(new));
        let said = says("confluent", ("a.schema.json", &old, &new), |check| check.direction(Direction::NewReadsOld));
        assert_eq!(said, tegami, "{what}");
    }
}

/// A schema with these properties; `!` are those required, `+` is whether there may be others, `$` what is referred to.
fn schema(properties: &str) -> String {
    let mut properties: serde_json::Value = serde_json::from_str(properties).unwrap();
    let members = properties.as_object_mut().unwrap();
    let definitions = members.remove("$").unwrap_or_else(|| serde_json::json!({}));
    let required = members.remove("!").unwrap_or_else(|| serde_json::json!([]));
    let others = members.remove("+").unwrap_or_else(|| serde_json::json!(true));
    let schema = serde_json::json!({
        "$id": "confluent.v1.Happened", "type": "object", "x-tegami": { "event": {} },
        "properties": properties, "required": required, "additionalProperties": others,
        "$defs": definitions,
    });
    schema.to_string()
}

fn says(folder: &str, (file, old, new): (&str, &str, &str), look: impl FnOnce(Check) -> Check) -> Says {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder);
    for (name, text) in [("old", old), ("new", new)] {
        let folder = folder.join(name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(file), text).unwrap();
    }
    let check = Check::of(folder.join("new")).against(folder.join("old").to_string_lossy());
    let report = look(check).run().unwrap_or_else(|error| panic!("{error}\n{old}\n{new}"));
    if report.is_compatible() { Safe } else { Breaking }
}
