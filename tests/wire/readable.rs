//! What our readers would refuse is not sealed (P7): at each limit, and one beyond.

use std::error::Error;

use serde_json::{Value, json};
use tegami::{
    Event,
    envelope::{
        CloudEvents,
        EncodeErrorKind::{self, TooLarge, Unencodable},
        Envelope, JsonBase, Message, ProtobufBase, Raw,
    },
};

use crate::{
    events::{Anything, Chain, Hello},
    full_head,
};

/// The most bytes of a payload, unless set.
const LIMIT: usize = 8 * 1024 * 1024;

/// What is sealed is read as it was; what is not says why.
fn answer<E: Event>(envelope: &impl Envelope, event: E) -> Result<(), (EncodeErrorKind, String)> {
    let message = Message::new(full_head(), event);
    let sealed = envelope.encode(&message).map_err(|error| {
        let below = error.source().map(ToString::to_string).unwrap_or_default();
        (error.kind(), format!("{error}: {below}"))
    })?;
    assert!(envelope.decode::<E>(&sealed).expect("what is sealed is read") == message);
    Ok(())
}

/// Takes the one and refuses the other, in these words.
fn assert_limit<E: Event>(envelope: &impl Envelope, [at, beyond]: [E; 2], kind: EncodeErrorKind, words: &str) {
    assert_eq!(answer(envelope, at), Ok(()), "{words}");
    let (found, text) = answer(envelope, beyond).expect_err(words);
    assert!(found == kind && text.contains(words), "{words}: {found:?} {text}");
}

/// Any JSON of so many bytes, and of one more.
fn sized(length: usize) -> [Anything; 2] {
    [length, length + 1].map(|length| Anything(Value::from("x".repeat(length - 2))))
}

/// So many lists in one another, and one more; in the last of them a text of that length.
fn nested(depth: usize, length: usize) -> [Anything; 2] {
    let last = || json!(["x".repeat(length)]);
    [depth, depth + 1].map(|depth| Anything((1..depth).fold(last(), |inside, _| json!([inside]))))
}

fn chained(depth: usize) -> [Chain; 2] {
    let one = |next: Option<Box<Chain>>| Chain { next };
    [depth, depth + 1].map(|depth| (0..depth).fold(one(None), |inside, _| one(Some(Box::new(inside)))))
}

#[test]
fn p7_payloads_that_compress_well_are_as_large_as_readers_take() {
    let words = "8388609 bytes, readers take 8388608";
    assert_limit(&JsonBase::default(), sized(LIMIT), TooLarge, words);
    assert_limit(&ProtobufBase::default(), sized(LIMIT), TooLarge, words);
    assert_limit(&CloudEvents::json(), sized(LIMIT), TooLarge, words);
    // A tag and four bytes of length are around the text.
    let hellos = || [LIMIT, LIMIT + 1].map(|length| Hello { value: "x".repeat(length - 5) });
    assert_limit(&ProtobufBase::default(), hellos(), TooLarge, words);
    assert_limit(&CloudEvents::protobuf(), hellos(), TooLarge, words);
}

#[test]
fn p7_payloads_that_are_not_compressed_are_as_large_as_readers_take() {
    let words = "1001 bytes, readers take 1000";
    assert_limit(&JsonBase::default().decompressed_limit(1000), sized(1000), TooLarge, words);
    assert_limit(&ProtobufBase::default().decompressed_limit(1000), sized(1000), TooLarge, words);
    assert_limit(&CloudEvents::json().payload_limit(1000), sized(1000), TooLarge, words);
    // A tag and two bytes of length.
    let hellos = || [997, 998].map(|length| Hello { value: "x".repeat(length) });
    assert_limit(&ProtobufBase::default().decompressed_limit(1000), hellos(), TooLarge, words);
    assert_limit(&CloudEvents::protobuf().payload_limit(1000), hellos(), TooLarge, words);
}

#[test]
fn p7_a_head_is_as_large_as_readers_take_beside_the_payload() {
    let envelope = ProtobufBase::default().decompressed_limit(1000);
    let seal = |key: usize| envelope.encode(&Message::new(full_head().key("k".repeat(key)), sized(1000)[0].clone()));
    let beside = 64 * 1024;
    let most = (0..beside).rev().find_map(|key| seal(key).ok()).expect("some key is short enough");
    assert!(envelope.decode::<Anything>(&most).is_ok());
    assert_eq!(seal(beside).expect_err("it is too long").kind(), TooLarge);
}

#[test]
fn p7_json_nests_as_deep_as_readers_go_and_an_envelope_of_json_is_a_level() {
    let (whole, inside) = ("nested 128 deep, the limit is 127", "nested 127 deep, the limit is 126");
    for length in [0, 1_000] {
        assert_limit(&JsonBase::default(), nested(126, length), Unencodable, inside);
    }
    // Compressed, the payload is a text in the envelope.
    assert_limit(&JsonBase::default(), nested(127, 60_000), Unencodable, whole);
    for length in [0, 60_000] {
        assert_limit(&CloudEvents::json(), nested(126, length), Unencodable, whole);
        assert_limit(&CloudEvents::protobuf(), nested(126, length), Unencodable, whole);
        assert_limit(&ProtobufBase::default(), nested(127, length), Unencodable, whole);
        assert_limit(&Raw::json(), nested(127, length), Unencodable, whole);
    }
}

#[test]
fn p7_protobuf_nests_as_deep_as_readers_go() {
    let words = "nested more than 100 deep";
    assert_limit(&ProtobufBase::default(), chained(100), Unencodable, words);
    assert_limit(&CloudEvents::protobuf(), chained(100), Unencodable, words);
    assert_limit(&Raw::protobuf(), chained(100), Unencodable, words);
    // As JSON it may be deeper.
    assert_limit(&JsonBase::default(), chained(125), Unencodable, "nested 127 deep, the limit is 126");
    assert_limit(&CloudEvents::json(), chained(125), Unencodable, "nested 128 deep, the limit is 127");
    assert_limit(&Raw::json(), chained(126), Unencodable, "nested 128 deep, the limit is 127");
}

#[test]
fn p7_a_payload_that_is_not_strict_json_is_not_sealed_however_long() {
    for length in [0, 60_000] {
        let twice = crate::json(format!(r#"{{"a": 1, "a": "{}"}}"#, "x".repeat(length)));
        let latin = crate::json([b"\"\xff", "x".repeat(length).as_bytes(), b"\""].concat());
        for payload in [twice, latin] {
            let answer = JsonBase::default().seal(Message::new(full_head(), payload));
            assert_eq!(answer.expect_err("readers would refuse it").kind(), Unencodable, "{length}");
        }
    }
}
