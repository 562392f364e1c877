//! Members of an envelope: a value of each kind in each of them, and each of them twice.

use tegami::envelope::DecodeErrorKind::{self, Undecodable, VersionMismatch};

use super::{Edge, METADATA, SERVICE, edge};

/// Where a member stands.
const MEMBERS: [(&str, &str); 11] = [
    ("service", "name"),
    ("service", "uuid"),
    ("metadata", "message_uuid"),
    ("metadata", "protocol_version"),
    ("metadata", "timestamp"),
    ("metadata", "topic"),
    ("metadata", "data_encoding"),
    ("tegami", "event"),
    ("tegami", "correlation_id"),
    ("tegami", "causation_id"),
    ("tegami", "key"),
];

/// A value of each kind.
const VALUES: [(&str, &str); 7] = [
    ("null", "null"),
    ("true", "true"),
    ("a number", "1"),
    ("an empty text", r#""""#),
    ("a text of a number", r#""1.5""#),
    ("a list of a text", r#"["a"]"#),
    ("an object", "{}"),
];

/// An envelope in which these members stand in one of its objects.
fn holding(object: &str, members: &str) -> String {
    let usual = [
        ("service", r#""name": "svc""#),
        ("metadata", r#""data_encoding": "raw""#),
        ("tegami", r#""event": "shop.Paid""#),
    ];
    let objects = usual.map(|(name, inside)| {
        let inside = if name == object { members } else { inside };
        format!(r#""{name}": {{{inside}}}"#)
    });
    format!(r#"{{{}, "data": 1}}"#, objects.join(", "))
}

/// The same, with what an envelope cannot be without.
fn with(object: &str, member: &str, value: &str) -> String {
    let lacks_encoding = object == "metadata" && member != "data_encoding";
    let needed = if lacks_encoding { r#""data_encoding": "raw", "# } else { "" };
    holding(object, &format!(r#"{needed}"{member}": {value}"#))
}

/// Absent and empty are one; a value of another kind is refused, never made fit.
fn refused(member: &str, value: &str) -> Option<DecodeErrorKind> {
    match (member, value) {
        ("timestamp", "null" | "a number") => None,
        ("timestamp" | "data_encoding", _) => Some(Undecodable),
        ("protocol_version", "a text of a number") => Some(VersionMismatch),
        (_, "null" | "an empty text" | "a text of a number") => None,
        _ => Some(Undecodable),
    }
}

/// A value of each kind in each member.
pub(super) fn values() -> Vec<Edge> {
    let all = MEMBERS.into_iter().flat_map(|member| VALUES.into_iter().map(move |value| (member, value)));
    let told = all.map(|((object, member), (name, value))| {
        edge(format!("{object}.{member}: {name}"), with(object, member, value), refused(member, name))
    });
    told.collect()
}

/// One name twice, in each object of the envelope and in the payload.
pub(super) fn twice() -> Vec<Edge> {
    let members = MEMBERS.into_iter().map(|(object, member)| {
        let value = if member == "timestamp" { "1.5" } else { r#""raw""# };
        let body = with(object, member, &format!(r#"{value}, "{member}": {value}"#));
        (format!("{object}.{member}"), body)
    });
    let table = [
        ("service", format!(r#"{{{SERVICE}, {SERVICE}, {METADATA}, "data": 1}}"#)),
        ("metadata", format!(r#"{{{METADATA}, {METADATA}, "data": 1}}"#)),
        ("data", format!(r#"{{{METADATA}, "data": 1, "data": 1}}"#)),
        ("data, at first null", format!(r#"{{"data": null, {METADATA}, "data": 1}}"#)),
        ("data, around all others", format!(r#"{{"data": 1, {METADATA}, {SERVICE}, "data": 1}}"#)),
        ("data, three times", format!(r#"{{{METADATA}, "data": 1, "data": 1, "data": 1}}"#)),
        ("tegami", format!(r#"{{{METADATA}, "data": 1, "tegami": {{}}, "tegami": {{}}}}"#)),
        ("an unknown member", format!(r#"{{{METADATA}, "data": 1, "x": 1, "x": 1}}"#)),
        ("an empty name", format!(r#"{{{METADATA}, "data": 1, "": 1, "": 1}}"#)),
        ("spelled with an escape", format!(r#"{{{METADATA}, "data": 1, "d\u0061ta": 1}}"#)),
        ("spelled with a surrogate pair", format!(r#"{{{METADATA}, "data": 1, "😀": 1, "\ud83d\ude00": 1}}"#)),
        ("spelled with two cases of an escape", format!(r#"{{{METADATA}, "data": 1, "\u00e9": 1, "\u00E9": 1}}"#)),
        ("an unknown member of metadata", holding("metadata", r#""data_encoding": "raw", "x": 1, "x": 2"#)),
        ("an unknown member of service", holding("service", r#""x": 1, "x": 2"#)),
        ("an unknown member of tegami", holding("tegami", r#""x": 1, "x": 2"#)),
        ("data.a", format!(r#"{{{METADATA}, "data": {{"a": 1, "a": 1}}}}"#)),
        ("data.a, with others between", format!(r#"{{{METADATA}, "data": {{"a": 1, "b": {{}}, "c": [], "a": 1}}}}"#)),
        ("data.a.b", format!(r#"{{{METADATA}, "data": {{"a": {{"b": 1, "b": 1}}}}}}"#)),
        ("data, in a list", format!(r#"{{{METADATA}, "data": [1, {{"b": 1, "b": 1}}]}}"#)),
        ("deep in an unknown member", format!(r#"{{{METADATA}, "data": 1, "x": [{{"y": 1, "y": 1}}]}}"#)),
    ];
    let table = table.into_iter().map(|(name, body)| (name.to_owned(), body));
    members.chain(table).map(|(name, body)| edge(format!("twice: {name}"), body, Some(Undecodable))).collect()
}
