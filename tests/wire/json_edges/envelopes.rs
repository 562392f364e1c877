//! Envelopes that are not whole, or not what they must be, beside those that only look so.

use tegami::envelope::DecodeErrorKind::{Undecodable, VersionMismatch};

use super::{Edge, METADATA, SERVICE, around, edge};

fn metadata(inside: &str) -> String {
    format!(r#"{{"metadata": {{{inside}}}, "data": 1}}"#)
}

fn raw(more: &str) -> String {
    metadata(&format!(r#""data_encoding": "raw", {more}"#))
}

fn tegami(value: &str) -> String {
    format!(r#"{{{METADATA}, "data": 1, "tegami": {value}}}"#)
}

fn packed(data: &str) -> String {
    format!(r#"{{"metadata": {{"data_encoding": "base64_gzip_json"}}, "data": {data}}}"#)
}

fn good() -> String {
    String::from_utf8(around(b"1")).unwrap()
}

/// Each envelope of these kinds.
pub(super) fn all() -> Vec<Edge> {
    let read = read().into_iter().map(|(name, body)| edge(format!("envelope: {name}"), body, None));
    let refused = [around_it(), parts(), fields()].concat();
    let refused = refused.into_iter().map(|(name, body)| edge(format!("envelope: {name}"), body, Some(Undecodable)));
    let versions = VERSIONS.map(|(name, version)| {
        edge(format!("envelope: {name}"), raw(&format!(r#""protocol_version": "{version}""#)), Some(VersionMismatch))
    });
    read.chain(refused).chain(foreign()).chain(versions).collect()
}

fn read() -> Vec<(&'static str, String)> {
    let (good, long) = (good(), "x".repeat(100_000));
    vec![
        ("as it is", good.clone()),
        ("line feed after", good.clone() + "\n"),
        ("blanks before", format!(" \r\n\t{good}")),
        ("no service", format!(r#"{{{METADATA}, "data": 1}}"#)),
        ("empty service", format!(r#"{{"service": {{}}, {METADATA}, "data": 1}}"#)),
        ("members in another order", format!(r#"{{"data": 1, {METADATA}, {SERVICE}}}"#)),
        ("members spelled with escapes", good.replace("data\"", r#"d\u0061ta""#)),
        ("unknown members", format!(r#"{{"x": [1], {METADATA}, "data": 1, "": null}}"#)),
        ("members in capitals beside its own", format!(r#"{{"Metadata": 1, {METADATA}, "DATA": 2, "data": 1}}"#)),
        ("envelope within an envelope", String::from_utf8(around(good.as_bytes())).unwrap()),
        ("member that its payload adds", String::from_utf8(around(br#"1, "x": 2"#)).unwrap()),
        ("metadata with its encoding only", metadata(r#""data_encoding": "raw""#)),
        ("encoding spelled with an escape", metadata(r#""data_encoding": "r\u0061w""#)),
        ("whole timestamp", raw(r#""timestamp": 1795224550"#)),
        ("timestamp before 1970", raw(r#""timestamp": -1.5"#)),
        ("timestamp of minus zero", raw(r#""timestamp": -0.0"#)),
        ("timestamp that rounds to zero", raw(r#""timestamp": 5e-324"#)),
        ("timestamp in milliseconds", raw(r#""timestamp": 1795224550768"#)),
        ("timestamp in the year 10000", raw(r#""timestamp": 253402300800"#)),
        ("compatible versions of any kind", raw(r#""compatible_protocol_versions": 5"#)),
        ("patch version of another", raw(r#""protocol_version": "tomodachi-json-base--1.0.1""#)),
        ("minor version of another", raw(r#""protocol_version": "tomodachi-json-base--1.999""#)),
        ("version from before the versions", raw(r#""protocol_version": "json_base-wip""#)),
        ("id of 128 characters", raw(&format!(r#""message_uuid": "{}""#, "i".repeat(128)))),
        ("id of every sign", raw(r##""message_uuid": "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~""##)),
        ("topic of 100,000 characters", raw(&format!(r#""topic": "{long}""#))),
        ("topic that writes lines", raw(r#""topic": "t\r\n\u001b[31m""#)),
        ("key of 100,000 characters", tegami(&format!(r#"{{"key": "{long}"}}"#))),
        ("key of a NUL", tegami(r#"{"key": "\u0000"}"#)),
        ("empty extras", tegami("{}")),
        ("unknown extras", tegami(r#"{"later": [1]}"#)),
        ("compressed", packed(r#""eJwzBAAAMgAy""#)),
        ("compressed, spelled with escapes", packed(r#""\u0065JwzBAAAMgAy""#)),
    ]
}

/// What stands before it, after it, or around it.
fn around_it() -> Vec<(&'static str, String)> {
    let good = good();
    vec![
        ("empty", String::new()),
        ("blanks only", "  \n".into()),
        ("byte order mark", format!("\u{feff}{good}")),
        ("byte order mark after", format!("{good}\u{feff}")),
        ("no-break space before", format!("\u{a0}{good}")),
        ("record separator before", format!("\u{1e}{good}\n")),
        ("guard of a web page before", format!(")]}}',\n{good}")),
        ("call of a function around", format!("callback({good})")),
        ("NUL after", format!("{good}\0")),
        ("NUL before", format!("\0{good}")),
        ("text after", format!("{good}x")),
        ("comma after", format!("{good},")),
        ("semicolon after", format!("{good};")),
        ("comment after", format!("{good} // end")),
        ("a second envelope after", good.clone() + &good),
        ("a second envelope on a line after", format!("{good}\n{good}")),
        ("closing bracket after", good.clone() + "}"),
        ("payload that ends its envelope and begins another", good.replace("1}", "1}, {\"data\": 1}")),
        ("cut by one", good[..good.len() - 1].to_owned()),
        ("cut in half", good[..good.len() / 2].to_owned()),
        ("first bracket only", "{".into()),
        ("list", format!("[{good}]")),
        ("list of its members", r#"[{"name": null}, {"data_encoding": "raw"}, 1, {}]"#.into()),
        ("text", "\"envelope\"".into()),
        ("text of an envelope", serde_json::Value::from(good).to_string()),
        ("number", "1".into()),
        ("true", "true".into()),
        ("null", "null".into()),
    ]
}

/// Parts that are missing, or of another kind.
fn parts() -> Vec<(&'static str, String)> {
    let service = |value: &str| format!(r#"{{"service": {value}, {METADATA}, "data": 1}}"#);
    let metadata = |value: &str| format!(r#"{{"metadata": {value}, "data": 1}}"#);
    vec![
        ("empty object", "{}".into()),
        ("only a payload", r#"{"a": 1}"#.into()),
        ("data missing", format!("{{{METADATA}}}")),
        ("data in capitals", format!(r#"{{{METADATA}, "Data": 1}}"#)),
        ("data with a blank after its name", format!(r#"{{{METADATA}, "data ": 1}}"#)),
        ("data with a letter that looks alike", format!("{{{METADATA}, \"d\u{430}ta\": 1}}")),
        ("data within metadata", r#"{"metadata": {"data_encoding": "raw", "data": 1}}"#.into()),
        ("metadata missing", r#"{"data": 1}"#.into()),
        ("metadata within data", r#"{"data": {"metadata": {"data_encoding": "raw"}}}"#.into()),
        ("metadata within service", r#"{"service": {"metadata": {"data_encoding": "raw"}}, "data": 1}"#.into()),
        ("metadata null", metadata("null")),
        ("metadata true", metadata("true")),
        ("metadata a number", metadata("1")),
        ("metadata a text", metadata("\"raw\"")),
        ("metadata a text of an object", metadata(r#""{\"data_encoding\": \"raw\"}""#)),
        ("metadata a list", metadata(r#"[null, null, 1.5, "t", "raw"]"#)),
        ("metadata empty", metadata("{}")),
        ("service null", service("null")),
        ("service false", service("false")),
        ("service a number", service("0")),
        ("service a text", service("\"svc\"")),
        ("service a list", service(r#"["svc", null]"#)),
        ("extras null", tegami("null")),
        ("extras false", tegami("false")),
        ("extras a number", tegami("0")),
        ("extras a text", tegami("\"x\"")),
        ("extras a list", tegami(r#"["e"]"#)),
    ]
}

/// Members whose value is of the right kind, and wrong.
fn fields() -> Vec<(&'static str, String)> {
    let encoding = |name: &str| metadata(&format!(r#""data_encoding": {name}"#));
    let time = |number: &str| raw(&format!(r#""timestamp": {number}"#));
    let id = |text: &str| raw(&format!(r#""message_uuid": {text}"#));
    vec![
        ("encoding missing", metadata(r#""topic": "t""#)),
        ("encoding unknown", encoding("\"zstd\"")),
        ("encoding in capitals", encoding("\"RAW\"")),
        ("encoding with a blank after it", encoding("\"raw \"")),
        ("encoding with a NUL after it", encoding(r#""raw\u0000""#)),
        ("encoding of 100,000 characters", encoding(&format!("\"{}\"", "raw".repeat(33_333)))),
        ("encoding of the other envelope", encoding("\"proto\"")),
        ("compressed encoding of the other envelope", encoding("\"gzip_proto\"")),
        ("timestamp beyond every clock", time("1e300")),
        ("timestamp beyond the clock", time("1e19")),
        ("timestamp before every clock", time("-1e19")),
        ("timestamp out of range", time("1e400")),
        ("timestamp NaN", time("NaN")),
        ("timestamp with a leading zero", time("01")),
        ("id with a blank", id("\"a b\"")),
        ("id of a blank", id("\" \"")),
        ("id with a NUL", id(r#""a\u0000b""#)),
        ("id with a line feed", id(r#""a\n""#)),
        ("id with a DEL", id("\"a\x7f\"")),
        ("id not ASCII", id("\"é\"")),
        ("id of a lone surrogate", id(r#""\ud800""#)),
        ("id of 129 characters", id(&format!("\"{}\"", "i".repeat(129)))),
        ("id of 100,000 characters", id(&format!("\"{}\"", "i".repeat(100_000)))),
        ("extra id with a blank", tegami(r#"{"correlation_id": "a b"}"#)),
        ("extra id of a cause, not ASCII", tegami(r#"{"causation_id": "é"}"#)),
        ("extra id of 129 characters", tegami(&format!(r#"{{"causation_id": "{}"}}"#, "i".repeat(129)))),
        ("compressed null", packed("null")),
        ("compressed number", packed("1")),
        ("compressed list", packed(r#"["eJwzBAAAMgAy"]"#)),
        ("compressed object", packed("{}")),
        ("compressed payload that is not compressed", packed(r#"{"a": 1}"#)),
        ("compressed empty text", packed("\"\"")),
        ("compressed lone surrogate", packed(r#""\ud800""#)),
        ("compressed, and base64 of another alphabet", packed(r#""eJwzBAAAMgAy_-_-""#)),
        ("compressed, and a line feed within", packed(r#""eJwz\nBAAAMgAy""#)),
    ]
}

/// The envelope in encodings of text that are not UTF-8.
fn foreign() -> [Edge; 6] {
    let good = good();
    let units: Vec<u16> = good.encode_utf16().collect();
    let little = units.iter().flat_map(|unit| unit.to_le_bytes());
    let big = units.iter().flat_map(|unit| unit.to_be_bytes());
    let wide = good.chars().flat_map(|char| u32::from(char).to_le_bytes());
    let marked = |mark: &[u8], bytes: &[u8]| [mark, bytes].concat();
    let (little, big): (Vec<u8>, Vec<u8>) = (little.collect(), big.collect());
    [
        edge("envelope: UTF-16", little.clone(), Some(Undecodable)),
        edge("envelope: UTF-16 with its mark", marked(b"\xff\xfe", &little), Some(Undecodable)),
        edge("envelope: UTF-16, the other way round", big.clone(), Some(Undecodable)),
        edge("envelope: UTF-16, the other way round, with its mark", marked(b"\xfe\xff", &big), Some(Undecodable)),
        edge("envelope: UTF-32", wide.collect::<Vec<u8>>(), Some(Undecodable)),
        edge("envelope: UTF-7", good.replace('{', "+AHs-"), Some(Undecodable)),
    ]
}

const VERSIONS: [(&str, &str); 9] = [
    ("later major version", "tomodachi-json-base--2.0.0"),
    ("later major version of two digits", "tomodachi-json-base--10.0.0"),
    ("earlier major version", "tomodachi-json-base--0.9.0"),
    ("version of the other envelope", "tomodachi-protobuf-base--1.0.0"),
    ("version in capitals", "Tomodachi-Json-Base--1.0.0"),
    ("version with a blank before it", " tomodachi-json-base--1.0.0"),
    ("version without its family", "1.0.0"),
    ("version without its parts", "tomodachi-json-base--1"),
    ("version of a point", "."),
];
