//! A thousand sequences that are not UTF-8, wherever a body has text: each is refused, and none is read as something else.

use std::collections::BTreeSet;

use tegami::envelope::{DecodeErrorKind::Undecodable, Envelope, JsonBase, ProtobufBase};

use crate::{outcome, sealed, zlib::protobuf_body};

const INPUTS: usize = 1_000;

/// Continuations that are the first, the last, one in between, and none.
const NEXT: [u8; 6] = [0x80, 0xBF, 0x9F, 0xA0, 0x41, 0xC3];

/// The shortest first, each only where no shorter one made it wrong: single bytes, pairs, threes, fours.
fn sequences() -> BTreeSet<Vec<u8>> {
    let singles = (0x80..=0xFF).map(|byte| vec![byte]);
    let pairs = (0xC0..=0xFF).flat_map(|lead| NEXT.map(|next| vec![lead, next]));
    let threes = (0xE0..=0xF4).flat_map(|lead| pairs_of_next().map(move |[a, b]| vec![lead, a, b]));
    let fours = [0xF0, 0xF1, 0xF4, 0xF5, 0xF8]
        .into_iter()
        .flat_map(|lead| pairs_of_next().map(move |[a, b]| vec![lead, a, b, 0x80]));
    let all = singles.chain(pairs).chain(threes).chain(fours);
    all.filter(|bytes| std::str::from_utf8(bytes).is_err()).take(INPUTS).collect()
}

fn pairs_of_next() -> impl Iterator<Item = [u8; 2]> {
    NEXT.into_iter().flat_map(|a| NEXT.into_iter().map(move |b| [a, b]))
}

fn json(inside: &str, bytes: &[u8]) -> Vec<u8> {
    let (before, after) = inside.split_once('?').expect("a place for them");
    [before.as_bytes(), bytes, after.as_bytes()].concat()
}

#[test]
fn a_thousand_sequences_that_are_not_utf8_are_refused_in_every_place() {
    let sequences = sequences();
    assert_eq!(sequences.len(), INPUTS);
    let places = [
        r#"{"metadata": {"data_encoding": "raw"}, "data": "?"}"#,
        r#"{"metadata": {"data_encoding": "raw"}, "data": {"?": 1}}"#,
        r#"{"metadata": {"data_encoding": "raw", "topic": "?"}, "data": 1}"#,
        r#"{"metadata": {"data_encoding": "raw"}, "data": 1, "unknown": "?"}"#,
    ];
    for bytes in &sequences {
        for place in places {
            let body = sealed(json(place, bytes));
            assert_eq!(outcome(&JsonBase::default(), &body), Err(Undecodable), "{bytes:x?} in {place}");
        }
        let metadata = [&[10, bytes.len() as u8][..], bytes].concat();
        let told = ProtobufBase::default().open(&protobuf_body_with(&metadata));
        assert_eq!(told.map_err(|error| error.kind()).err(), Some(Undecodable), "{bytes:x?} in protobuf");
    }
}

/// A good protobuf envelope, and this once more as its metadata.
fn protobuf_body_with(metadata: &[u8]) -> tegami::envelope::Sealed {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let good = STANDARD.decode(protobuf_body("proto", b"").body).expect("it is base64");
    let added = [&[18, metadata.len() as u8][..], metadata].concat();
    sealed(STANDARD.encode([good, added].concat()))
}
