//! JSON that is odd but legal, and JSON that is refused.

use tegami::codec::json;
use tegami_heavy_tests::heavy::v1::{Crossed, Everything, crossed::Way};

fn text(input: &str) -> Option<String> {
    let read: Everything = json::from_slice(input.as_bytes()).ok()?;
    Some(String::from_utf8(json::to_vec(&read).expect("what was read can be written")).expect("JSON is UTF-8"))
}

/// What is read, and how it is written again.
const LEGAL: [(&str, &str); 44] = [
    ("{}", "{}"),
    (" \t\r\n{ \n} ", "{}"),
    (r#"{"int32_field": 1}"#, r#"{"int32Field": 1}"#),
    (r#"{"int32Field": "1"}"#, r#"{"int32Field": 1}"#),
    (r#"{"int32Field": 1.0}"#, r#"{"int32Field": 1}"#),
    (r#"{"int32Field": 1e2}"#, r#"{"int32Field": 100}"#),
    (r#"{"int32Field": "1e2"}"#, r#"{"int32Field": 100}"#),
    (r#"{"int32Field": -2147483648}"#, r#"{"int32Field": -2147483648}"#),
    (r#"{"int32Field": null}"#, "{}"),
    (r#"{"int32Field": 0}"#, "{}"),
    (r#"{"int32Field": -0}"#, "{}"),
    (r#"{"int64Field": 9223372036854775807}"#, r#"{"int64Field": "9223372036854775807"}"#),
    (r#"{"uint64Field": "18446744073709551615"}"#, r#"{"uint64Field": "18446744073709551615"}"#),
    (r#"{"doubleField": 1}"#, r#"{"doubleField": 1.0}"#),
    (r#"{"doubleField": "-1.5e3"}"#, r#"{"doubleField": -1500.0}"#),
    (r#"{"doubleField": "NaN"}"#, r#"{"doubleField": "NaN"}"#),
    (r#"{"floatField": "-Infinity"}"#, r#"{"floatField": "-Infinity"}"#),
    (r#"{"floatField": 3.4028235e38}"#, r#"{"floatField": 3.4028235e+38}"#),
    (r#"{"floatField": 1e-60}"#, "{}"),
    (r#"{"optionalInt32": 0}"#, r#"{"optionalInt32": 0}"#),
    (r#"{"optionalInt32": null}"#, "{}"),
    (r#"{"optionalString": ""}"#, r#"{"optionalString": ""}"#),
    (r#"{"bytesField": "-_"}"#, r#"{"bytesField": "+w=="}"#),
    (r#"{"bytesField": "AQ"}"#, r#"{"bytesField": "AQ=="}"#),
    (r#"{"colour": "COLOUR_RED"}"#, r#"{"colour": "COLOUR_RED"}"#),
    (r#"{"colour": 1}"#, r#"{"colour": "COLOUR_RED"}"#),
    (r#"{"colour": 77}"#, r#"{"colour": 77}"#),
    (r#"{"strings": null}"#, "{}"),
    (r#"{"strings": []}"#, "{}"),
    (r#"{"byBool": {"false": "1"}}"#, r#"{"byBool": {"false": "1"}}"#),
    (r#"{"part": null}"#, "{}"),
    (r#"{"part": {}}"#, r#"{"part": {}}"#),
    (r#"{"choiceText": ""}"#, r#"{"choiceText": ""}"#),
    (r#"{"choiceText": null, "choiceNumber": 1}"#, r#"{"choiceNumber": "1"}"#),
    (r#"{"choiceNumber": 1, "choiceText": null}"#, r#"{"choiceNumber": "1"}"#),
    (r#"{"choiceValue": null}"#, r#"{"choiceValue": null}"#),
    (r#"{"value": null}"#, r#"{"value": null}"#),
    (r#"{"values": [null, 1]}"#, r#"{"values": [null, 1.0]}"#),
    (r#"{"timestamp": "1970-01-01T01:00:00.10+01:00"}"#, r#"{"timestamp": "1970-01-01T00:00:00.100Z"}"#),
    (r#"{"duration": "-0.5s"}"#, r#"{"duration": "-0.500s"}"#),
    (r#"{"fieldMask": ""}"#, r#"{"fieldMask": ""}"#),
    (r#"{"int64Value": 0}"#, r#"{"int64Value": "0"}"#),
    (r#"{"unknown": {"a": [1, null]}, "unknown": 2}"#, "{}"),
    (r#"{"with_digit_2_x": 1, "\u0074ype": "x"}"#, r#"{"type": "x", "withDigit2X": 1}"#),
];

const REFUSED: [&str; 64] = [
    "",
    "null",
    "1",
    "[]",
    "\"\"",
    "{",
    "{}}",
    "{} {}",
    "{\"a\"}",
    "{,}",
    "{\"type\": \"a\",}",
    "{'type': 'a'}",
    "{type: \"a\"}",
    "{\"type\": \"a\" \"colour\": 1}",
    "{\"type\": \"\\ud800\"}",
    "{\"type\": \"\\x41\"}",
    "{\"type\": \"\n\"}",
    "{\"doubleField\": NaN}",
    "{\"doubleField\": Infinity}",
    "{\"int32Field\": 01}",
    "{\"int32Field\": +1}",
    "{\"int32Field\": 0x1}",
    "{/**/}",
    "\u{feff}{}",
    r#"{"type": 1}"#,
    r#"{"type": true}"#,
    r#"{"type": ["a"]}"#,
    r#"{"int32Field": 2147483648}"#,
    r#"{"int32Field": 0.5}"#,
    r#"{"int32Field": "0.5"}"#,
    r#"{"int32Field": " 1"}"#,
    r#"{"int32Field": "+1"}"#,
    r#"{"int32Field": ""}"#,
    r#"{"int32Field": true}"#,
    r#"{"int32Field": [1]}"#,
    r#"{"uint32Field": -1}"#,
    r#"{"uint64Field": 18446744073709551616}"#,
    r#"{"int64Field": 9223372036854775808}"#,
    r#"{"int64Field": 9007199254740993.0}"#,
    r#"{"boolField": "true"}"#,
    r#"{"boolField": 1}"#,
    r#"{"floatField": 3.5e38}"#,
    r#"{"doubleField": 1e400}"#,
    r#"{"doubleField": "inf"}"#,
    r#"{"doubleField": ""}"#,
    r#"{"bytesField": "A"}"#,
    r#"{"bytesField": "AQ==!"}"#,
    r#"{"bytesField": "+_"}"#,
    r#"{"colour": "RED"}"#,
    r#"{"colour": 1.5}"#,
    r#"{"colour": 2147483648}"#,
    r#"{"strings": "a"}"#,
    r#"{"strings": [null]}"#,
    r#"{"parts": [null]}"#,
    r#"{"byInt32": {"x": {}}}"#,
    r#"{"byString": {"a": "1", "a": "2"}}"#,
    r#"{"byBool": {"True": 1}}"#,
    r#"{"part": []}"#,
    r#"{"type": "a", "type": "a"}"#,
    r#"{"int32Field": 1, "int32_field": 1}"#,
    r#"{"choiceText": "a", "choiceNumber": 1}"#,
    r#"{"timestamp": "2024-01-01"}"#,
    r#"{"duration": "1"}"#,
    r#"{"fieldMask": "a_b"}"#,
];

#[test]
fn odd_but_legal_json_is_read() {
    for (input, written) in LEGAL {
        assert_eq!(text(input).as_deref(), Some(written), "{input}");
    }
}

#[test]
fn bad_json_is_refused() {
    for input in REFUSED {
        assert_eq!(text(input), None, "{input}");
    }
}

/// A name in JSON goes before a name in the contract.
#[test]
fn a_field_is_not_read_by_what_another_one_is_called_in_json() {
    for way in [Some(Way::Road("a".to_owned())), Some(Way::Rail("b".to_owned())), None] {
        let crossed = Crossed { id: "1".to_owned(), order_ref: "2".to_owned(), way };
        let text = json::to_vec(&crossed).expect("it can be written");
        assert_eq!(json::from_slice::<Crossed>(&text).expect("it can be read"), crossed);
    }
    let read: Crossed = json::from_slice(br#"{"id": "2", "rail": "b"}"#).expect("it can be read");
    assert_eq!(read, Crossed { order_ref: "2".to_owned(), way: Some(Way::Road("b".to_owned())), ..Crossed::default() });
    let read: Crossed = json::from_slice(br#"{"order_ref": "2"}"#).expect("its own name is nobody else's");
    assert_eq!(read.order_ref, "2");
}
