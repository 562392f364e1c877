//! Valid messages with bytes changed at random, by seed: every one opens or is refused, none panics or hangs.

use std::time::{Duration, Instant};

use tegami::{
    codec::Payload,
    envelope::{CloudEvents, Envelope, JsonBase, Message, ProtobufBase, Raw, Sealed},
    event::{Attributes, Value},
};

use crate::{events, full_head, json, protobuf};

const INPUTS: usize = 16_000;
/// So many envelopes are mutated, each as often.
const ENVELOPES: usize = 8;
const MUTANTS: u64 = (INPUTS / ENVELOPES) as u64;

/// Changes up to four places: a byte set, flipped, taken out, put in, or all after it cut off or repeated.
fn mutate(dice: &mut fastrand::Rng, bytes: &mut Vec<u8>) {
    for _ in 0..dice.usize(1..=4) {
        let at = dice.usize(0..=bytes.len().saturating_sub(1));
        match dice.u8(0..6) {
            _ if bytes.is_empty() => bytes.push(dice.u8(..)),
            0 => bytes[at] = dice.u8(..),
            1 => bytes[at] ^= 1 << dice.u8(0..8),
            2 => drop(bytes.remove(at)),
            3 => bytes.insert(at, dice.u8(..)),
            4 if dice.u8(0..8) == 0 => bytes.truncate(at),
            _ => bytes.extend_from_within(at..(at + 9).min(bytes.len())),
        }
    }
}

fn mutant(dice: &mut fastrand::Rng, sealed: &Sealed) -> Sealed {
    let mut body = sealed.body.to_vec();
    mutate(dice, &mut body);
    let mut attributes = Attributes::new();
    for (name, value) in sealed.attributes.iter() {
        let mut text = value.to_string().into_bytes();
        mutate(dice, &mut text);
        attributes.set(name.to_owned(), Value::Text(String::from_utf8_lossy(&text).into_owned().into()));
    }
    Sealed { body: body.into(), attributes }
}

/// Opens the mutants; the time is for all of them, so that one slow moment of the machine fails nothing.
fn survives(envelope: &impl Envelope, payload: Payload) {
    let good = envelope.seal(Message::new(full_head(), payload)).unwrap();
    let started = Instant::now();
    let mut refused = 0;
    for seed in 0..MUTANTS {
        let mutant = mutant(&mut fastrand::Rng::with_seed(seed), &good);
        let typed =
            envelope.decode::<events::Anything>(&mutant).is_ok() | envelope.decode::<events::Hello>(&mutant).is_ok();
        match envelope.open(&mutant) {
            Ok(_) => {}
            Err(error) => {
                assert!(!typed && !error.is_transient(), "seed {seed}");
                refused += 1;
            }
        }
    }
    assert!(started.elapsed() < Duration::from_millis(50) * MUTANTS as u32);
    assert!(refused > MUTANTS / 10, "mutants are different enough to be refused: {refused}");
    assert!(envelope.open(&good).is_ok());
}

#[test]
fn json_base_survives_mutants() {
    survives(&JsonBase::default(), json(r#"{"value": "hello", "more": [1, 2.5, null]}"#));
}

#[test]
fn compressed_json_base_survives_mutants() {
    survives(&JsonBase::default(), json(format!(r#"{{"value": "{}"}}"#, "hello ".repeat(10_000))));
}

#[test]
fn protobuf_base_survives_mutants() {
    survives(&ProtobufBase::default(), protobuf(b"\x0a\x05hello".as_slice()));
}

#[test]
fn compressed_protobuf_base_survives_mutants() {
    survives(&ProtobufBase::default(), protobuf(prost::Message::encode_to_vec(&"hello ".repeat(11_000))));
}

#[test]
fn cloud_events_survive_mutants() {
    survives(&CloudEvents::json(), json(r#"{"value": "hello"}"#));
    survives(&CloudEvents::protobuf(), protobuf(b"\x0a\x05hello".as_slice()));
}

#[test]
fn raw_survives_mutants() {
    survives(&Raw::json(), json(r#"{"value": "hello"}"#));
    survives(&Raw::protobuf(), protobuf(b"\x0a\x05hello".as_slice()));
}
