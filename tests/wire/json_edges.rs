//! JSON at its edges: over a hundred named bodies, each with what opening it must come to.

use tegami::envelope::{
    DecodeErrorKind::{self, Undecodable, VersionMismatch},
    Envelope, JsonBase, Sealed,
};

use crate::{events::Anything, sealed};

/// A named body, and why it is refused (`None`: it is read).
type Edge = (String, Vec<u8>, Option<DecodeErrorKind>);

const SERVICE: &str = r#""service": {"name": "svc", "uuid": null}"#;
const METADATA: &str = r#""metadata": {"data_encoding": "raw", "timestamp": 1.5, "topic": "t"}"#;

fn edge(name: impl Into<String>, body: impl Into<Vec<u8>>, refused: Option<DecodeErrorKind>) -> Edge {
    (name.into(), body.into(), refused)
}

/// An envelope around this payload text.
fn around(data: &[u8]) -> Vec<u8> {
    [format!("{{{SERVICE}, {METADATA}, \"data\": ").as_bytes(), data, b"}"].concat()
}

fn nested(depth: usize, open: &str, inside: &str, close: &str) -> String {
    open.repeat(depth) + inside + &close.repeat(depth)
}

/// Payloads that are read as they are.
fn good_payloads() -> Vec<Edge> {
    let table: [(&str, &str); 22] = [
        ("null", "null"),
        ("true", "true"),
        ("zero", "0"),
        ("minus zero", "-0"),
        ("minus zero as a float", "-0.0"),
        ("2^53 + 1", "9007199254740993"),
        ("2^63", "9223372036854775808"),
        ("2^64 - 1", "18446744073709551615"),
        ("2^64", "18446744073709551616"),
        ("least i64", "-9223372036854775808"),
        ("greatest float", "1.7976931348623157e308"),
        ("least float", "5e-324"),
        ("float that rounds to zero", "1e-400"),
        ("exponent with a sign and capital", "1E+2"),
        ("empty text", r#""""#),
        ("empty object", "{}"),
        ("empty list", "[]"),
        ("escaped NUL", r#""\u0000""#),
        ("surrogate pair", r#""\ud83d\ude00""#),
        ("every escape", r#""\"\\\/\b\f\n\r\t""#),
        ("blanks everywhere", "\r\n\t [ 1 ,\t{ \"a\" : 2 } ]\n"),
        ("noncharacter", "\"\u{ffff}\""),
    ];
    table.into_iter().map(|(name, data)| edge(format!("payload: {name}"), around(data.as_bytes()), None)).collect()
}

/// Payloads that are not JSON.
fn bad_payloads() -> Vec<Edge> {
    let table: [(&str, &[u8]); 48] = [
        ("nothing", b""),
        ("NaN", b"NaN"),
        ("Infinity", b"Infinity"),
        ("minus Infinity", b"-Infinity"),
        ("NaN in a list", b"[1, NaN]"),
        ("1e400", b"1e400"),
        ("minus 1e400", b"-1e400"),
        ("1e400 deep inside", br#"{"a": [{"b": 1e400}]}"#),
        ("leading zero", b"01"),
        ("leading plus", b"+1"),
        ("leading point", b".5"),
        ("trailing point", b"5."),
        ("exponent without digits", b"1e"),
        ("hexadecimal", b"0x10"),
        ("underscored", b"1_000"),
        ("two minus", b"--1"),
        ("minus alone", b"-"),
        ("lone high surrogate", br#""\ud800""#),
        ("lone low surrogate", br#""\udc00""#),
        ("surrogates in the wrong order", br#""\udc00\ud800""#),
        ("high surrogate before text", br#""\ud800x""#),
        ("lone surrogate in a name", br#"{"\ud800": 1}"#),
        ("escape cut short", br#""\u12""#),
        ("escape without hex digits", br#""\uzzzz""#),
        ("unknown escape", br#""\x41""#),
        ("bare NUL in text", b"\"\0\""),
        ("bare line feed in text", b"\"\n\""),
        ("bare tab in text", b"\"\t\""),
        ("bare control character in text", b"\"\x1f\""),
        ("text without an end", br#""abc"#),
        ("single quotes", b"'abc'"),
        ("bare word", b"abc"),
        ("capital True", b"True"),
        ("None", b"None"),
        ("undefined", b"undefined"),
        ("comment", b"1 /* one */"),
        ("line comment", b"1 // one\n"),
        ("comma before the end of a list", b"[1,]"),
        ("comma before the end of an object", br#"{"a": 1,}"#),
        ("two commas", b"[1,,2]"),
        ("no comma", b"[1 2]"),
        ("no colon", br#"{"a" 1}"#),
        ("name that is no text", b"{1: 1}"),
        ("bare name", b"{a: 1}"),
        ("list without an end", b"[1"),
        ("wrong bracket", b"[1}"),
        ("no-break space", "\u{a0}1".as_bytes()),
        ("vertical tab", b"\x0b1"),
    ];
    let named = table.into_iter().map(|(name, data)| (format!("payload: {name}"), data));
    named.map(|(name, data)| edge(name, around(data), Some(Undecodable))).collect()
}

/// Bytes that are not UTF-8, each in a payload's text.
fn bad_utf8() -> Vec<Edge> {
    let table: [(&str, &[u8]); 9] = [
        ("lone continuation", b"\x80"),
        ("two bytes, one missing", b"\xc3"),
        ("overlong slash", b"\xc0\xaf"),
        ("overlong NUL", b"\xc0\x80"),
        ("surrogate", b"\xed\xa0\x80"),
        ("beyond U+10FFFF", b"\xf4\x90\x80\x80"),
        ("five bytes", b"\xf8\x88\x80\x80\x80"),
        ("0xff", b"\xff"),
        ("Latin-1", b"\xe9"),
    ];
    let texts = table.into_iter().map(|(name, bytes)| (name, [b"\"", bytes, b"\""].concat()));
    texts.map(|(name, text)| edge(format!("not UTF-8: {name}"), around(&text), Some(Undecodable))).collect()
}

/// One name twice, at each level of the envelope and in the payload.
fn twice() -> Vec<Edge> {
    let table = [
        ("service", format!(r#"{{{SERVICE}, {SERVICE}, {METADATA}, "data": 1}}"#)),
        ("metadata", format!(r#"{{{METADATA}, {METADATA}, "data": 1}}"#)),
        ("data", format!(r#"{{{METADATA}, "data": 1, "data": 1}}"#)),
        ("tegami", format!(r#"{{{METADATA}, "data": 1, "tegami": {{}}, "tegami": {{}}}}"#)),
        ("an unknown member", format!(r#"{{{METADATA}, "data": 1, "x": 1, "x": 1}}"#)),
        ("spelled with an escape", format!(r#"{{{METADATA}, "data": 1, "d\u0061ta": 1}}"#)),
        ("service.name", format!(r#"{{"service": {{"name": "a", "name": "b"}}, {METADATA}, "data": 1}}"#)),
        (
            "metadata.data_encoding",
            r#"{"metadata": {"data_encoding": "raw", "data_encoding": "raw"}, "data": 1}"#.into(),
        ),
        ("metadata.unknown", r#"{"metadata": {"data_encoding": "raw", "x": 1, "x": 2}, "data": 1}"#.into()),
        ("tegami.key", format!(r#"{{{METADATA}, "data": 1, "tegami": {{"key": "a", "key": "a"}}}}"#)),
        ("data.a", format!(r#"{{{METADATA}, "data": {{"a": 1, "a": 1}}}}"#)),
        ("data.a.b", format!(r#"{{{METADATA}, "data": {{"a": {{"b": 1, "b": 1}}}}}}"#)),
        ("data, in a list", format!(r#"{{{METADATA}, "data": [1, {{"b": 1, "b": 1}}]}}"#)),
        ("deep in an unknown member", format!(r#"{{{METADATA}, "data": 1, "x": [{{"y": 1, "y": 1}}]}}"#)),
    ];
    table.into_iter().map(|(name, body)| edge(format!("twice: {name}"), body, Some(Undecodable))).collect()
}

/// Nesting, in the payload and in what is skipped.
fn deep() -> Vec<Edge> {
    let (lists, objects) = (|n| nested(n, "[", "", "]"), |n| nested(n, "{\"a\":", "1", "}"));
    let skipped = |inside: String| format!(r#"{{{METADATA}, "data": 1, "x": {inside}}}"#);
    vec![
        edge("deep: 100 lists", around(lists(100).as_bytes()), None),
        edge("deep: 100 objects", around(objects(100).as_bytes()), None),
        edge("deep: 126 lists, the last that fit", around(lists(126).as_bytes()), None),
        edge("deep: 127 lists, one beyond", around(lists(127).as_bytes()), Some(Undecodable)),
        edge("deep: 1,000 lists", around(lists(1_000).as_bytes()), Some(Undecodable)),
        edge("deep: 100,000 lists", around(lists(100_000).as_bytes()), Some(Undecodable)),
        edge("deep: 100,000 objects", around(objects(100_000).as_bytes()), Some(Undecodable)),
        edge("deep: 100,000 lists in what is skipped", skipped(lists(100_000)), Some(Undecodable)),
        edge("deep: 100,000 lists without an end", "[".repeat(100_000), Some(Undecodable)),
        edge("deep: brackets in a text", around(format!("\"{}\"", "[".repeat(100_000)).as_bytes()), None),
        edge("wide: 100,000 items", around(format!("[{}0]", "0,".repeat(100_000)).as_bytes()), None),
    ]
}

/// Envelopes that are not whole, or not what they must be.
fn envelopes() -> Vec<Edge> {
    let good = String::from_utf8(around(b"1")).unwrap();
    let metadata = |inside: &str| format!(r#"{{"metadata": {{{inside}}}, "data": 1}}"#);
    let raw = |more: &str| metadata(&format!(r#""data_encoding": "raw", {more}"#));
    let tegami = |value: &str| format!(r#"{{{METADATA}, "data": 1, "tegami": {value}}}"#);
    let packed = |data: &str| format!(r#"{{"metadata": {{"data_encoding": "base64_gzip_json"}}, "data": {data}}}"#);
    let read = vec![
        ("as it is", good.clone()),
        ("line feed after", good.clone() + "\n"),
        ("blanks before", format!(" \r\n\t{good}")),
        ("no service", format!(r#"{{{METADATA}, "data": 1}}"#)),
        ("members in another order", format!(r#"{{"data": 1, {METADATA}, {SERVICE}}}"#)),
        ("unknown members", format!(r#"{{"x": [1], {METADATA}, "data": 1, "": null}}"#)),
        ("metadata with its encoding only", metadata(r#""data_encoding": "raw""#)),
        (
            "metadata of nulls",
            raw(r#""message_uuid": null, "timestamp": null, "topic": null, "protocol_version": null"#),
        ),
        ("whole timestamp", raw(r#""timestamp": 1795224550"#)),
        ("compatible versions of any kind", raw(r#""compatible_protocol_versions": 5"#)),
        ("empty extras", tegami("{}")),
        ("unknown extras", tegami(r#"{"later": [1]}"#)),
    ];
    let refused = vec![
        ("empty", String::new()),
        ("blanks only", "  \n".into()),
        ("byte order mark", format!("\u{feff}{good}")),
        ("NUL after", format!("{good}\0")),
        ("NUL before", format!("\0{good}")),
        ("text after", format!("{good}x")),
        ("a second envelope after", good.clone() + &good),
        ("closing bracket after", good.clone() + "}"),
        ("cut by one", good[..good.len() - 1].to_owned()),
        ("cut in half", good[..good.len() / 2].to_owned()),
        ("list", format!("[{good}]")),
        ("list of its members", r#"[{"name": null}, {"data_encoding": "raw"}, 1, {}]"#.into()),
        ("text", "\"envelope\"".into()),
        ("number", "1".into()),
        ("null", "null".into()),
        ("empty object", "{}".into()),
        ("only a payload", r#"{"a": 1}"#.into()),
        ("data missing", format!("{{{METADATA}}}")),
        ("metadata missing", r#"{"data": 1}"#.into()),
        ("metadata null", r#"{"metadata": null, "data": 1}"#.into()),
        ("metadata a list", r#"{"metadata": [null, null, 1.5, "t", "raw"], "data": 1}"#.into()),
        ("service null", format!(r#"{{"service": null, {METADATA}, "data": 1}}"#)),
        ("service a text", format!(r#"{{"service": "svc", {METADATA}, "data": 1}}"#)),
        ("service name a number", format!(r#"{{"service": {{"name": 5}}, {METADATA}, "data": 1}}"#)),
        ("encoding missing", metadata(r#""topic": "t""#)),
        ("encoding null", metadata(r#""data_encoding": null"#)),
        ("encoding empty", metadata(r#""data_encoding": """#)),
        ("encoding unknown", metadata(r#""data_encoding": "zstd""#)),
        ("encoding in capitals", metadata(r#""data_encoding": "RAW""#)),
        ("encoding of the other envelope", metadata(r#""data_encoding": "proto""#)),
        ("timestamp a text", raw(r#""timestamp": "1.5""#)),
        ("timestamp beyond every clock", raw(r#""timestamp": 1e300"#)),
        ("timestamp NaN", raw(r#""timestamp": NaN"#)),
        ("timestamp true", raw(r#""timestamp": true"#)),
        ("topic a number", raw(r#""topic": 1"#)),
        ("id a number", raw(r#""message_uuid": 1"#)),
        ("id with a blank", raw(r#""message_uuid": "a b""#)),
        ("id with a NUL", raw(r#""message_uuid": "a\u0000b""#)),
        ("id not ASCII", raw(r#""message_uuid": "é""#)),
        ("version a number", raw(r#""protocol_version": 1"#)),
        ("extras null", tegami("null")),
        ("extras a text", tegami("\"x\"")),
        ("extras a list", tegami(r#"["e"]"#)),
        ("service a list", format!(r#"{{"service": ["svc", null], {METADATA}, "data": 1}}"#)),
        ("extra id with a blank", tegami(r#"{"correlation_id": "a b"}"#)),
        ("extra key a number", tegami(r#"{"key": 1}"#)),
        ("compressed null", packed("null")),
        ("compressed object", packed("{}")),
        ("compressed empty text", packed("\"\"")),
        ("compressed lone surrogate", packed(r#""\ud800""#)),
    ];
    let read = read.into_iter().map(|(name, body)| edge(format!("envelope: {name}"), body, None));
    let refused = refused.into_iter().map(|(name, body)| edge(format!("envelope: {name}"), body, Some(Undecodable)));
    let version = raw(r#""protocol_version": "tomodachi-json-base--2.0.0""#);
    let version = edge("envelope: later major version", version, Some(VersionMismatch));
    read.chain(refused).chain([version]).collect()
}

fn edges() -> Vec<Edge> {
    [good_payloads(), bad_payloads(), bad_utf8(), twice(), deep(), envelopes()].concat()
}

fn refusal(body: Vec<u8>) -> Option<DecodeErrorKind> {
    let sealed: Sealed = sealed(body);
    let opened = JsonBase::default().open(&sealed).err().map(|error| error.kind());
    let decoded = JsonBase::default().decode::<Anything>(&sealed).err().map(|error| error.kind());
    assert_eq!(opened, decoded, "what opens is an event, for an event that is any JSON");
    decoded
}

#[test]
fn every_edge_has_its_outcome() {
    let wrong: Vec<String> = edges()
        .into_iter()
        .filter_map(|(name, body, expected)| {
            let found = refusal(body);
            (found != expected).then(|| format!("{name}: {found:?}, not {expected:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn compressed_payloads_have_the_same_edges() {
    let payloads = [good_payloads(), bad_payloads(), bad_utf8()].concat();
    let head = around(b"").len() - 1;
    for (name, body, expected) in payloads {
        let data = &body[head..body.len() - 1];
        let text = ::base64::Engine::encode(&::base64::engine::general_purpose::STANDARD, crate::zlib::packed(data));
        let body = format!(r#"{{"metadata": {{"data_encoding": "base64_gzip_json"}}, "data": "{text}"}}"#);
        assert_eq!(refusal(body.into()), expected, "{name}");
    }
}

#[test]
fn edges_are_many_and_each_has_its_own_name() {
    let names: std::collections::BTreeSet<String> = edges().into_iter().map(|(name, ..)| name).collect();
    assert_eq!(names.len(), edges().len());
    assert_eq!(names.len(), 167, "the corpus only grows");
}
