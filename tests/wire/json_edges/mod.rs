//! JSON at its edges: named bodies, each with what opening it must come to.

mod envelopes;
mod members;
mod payloads;

use std::collections::{BTreeMap, BTreeSet};

use ::base64::{Engine, engine::general_purpose::STANDARD};
use tegami::envelope::{DecodeErrorKind, Envelope, JsonBase, Sealed};

use crate::{events::Anything, sealed};

const INPUTS: usize = 515;

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

fn edges() -> Vec<Edge> {
    let payloads = [payloads::good(), payloads::bad(), payloads::large()].concat();
    [payloads, members::values(), members::twice(), envelopes::all()].concat()
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
    let head = around(b"").len() - 1;
    for (name, body, expected) in [payloads::good(), payloads::bad()].concat() {
        let text = STANDARD.encode(crate::zlib::packed(&body[head..body.len() - 1]));
        let body = format!(r#"{{"metadata": {{"data_encoding": "base64_gzip_json"}}, "data": "{text}"}}"#);
        assert_eq!(refusal(body.into()), expected, "{name}");
    }
}

#[test]
fn edges_are_many_and_each_is_another() {
    let mut bodies = BTreeMap::<Vec<u8>, Vec<String>>::new();
    for (name, body, _) in edges() {
        bodies.entry(body).or_default().push(name);
    }
    let same: Vec<_> = bodies.values().filter(|names| names.len() > 1).collect();
    assert!(same.is_empty(), "{same:?}");
    let names: BTreeSet<_> = bodies.values().flatten().collect();
    assert_eq!((names.len(), bodies.len()), (INPUTS, INPUTS), "the corpus only grows");
}
