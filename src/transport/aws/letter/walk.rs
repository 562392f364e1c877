//! Random messages there and back, and random damage to what is on its way; each case is replayed by its seed.

use fastrand::Rng;

use super::{
    attribute::is_text,
    tests::{kept, message, reason, sealed, ways},
    *,
};
use crate::event::{Attributes, Value, is_plain_name, is_plain_text};

const INPUTS: u64 = 3_000;
/// Each of the three tests has its own.
const CASES: u64 = INPUTS / 3;

fn char(rng: &mut Rng) -> char {
    match rng.u8(0..8) {
        0 => *rng.choice(&['"', '\\', '/', '{', '}', '.', '-', '\u{7f}']).unwrap(),
        1 => char::from(rng.u8(..0x20)),
        2 => rng.char('\u{80}'..),
        3 => *rng.choice(&['\u{d7ff}', '\u{e000}', '\u{fffd}', '\u{fffe}', '\u{ffff}', '\u{10000}']).unwrap(),
        _ => rng.char('!'..='~'),
    }
}

fn text(rng: &mut Rng, longest: usize) -> String {
    (0..rng.usize(..=longest)).map(|_| char(rng)).collect()
}

fn name(rng: &mut Rng) -> String {
    match rng.u8(0..8) {
        0 => text(rng, 20),
        1 => "tegami-event".to_owned(),
        2 => format!("{}.x", rng.choice(["AWS", "amazon", "Aws", ""]).unwrap()),
        _ => (0..rng.usize(1..10)).map(|_| rng.alphanumeric()).collect(),
    }
}

fn value(rng: &mut Rng) -> Value {
    match rng.u8(0..8) {
        0 => Value::Integer(rng.i128(..)),
        1 => Value::Integer(rng.i32(..).into()),
        2 => Value::Float(f64::from_bits(rng.u64(..))),
        3 => Value::Float(f64::from(rng.i32(..)) / 16.0),
        4 => Value::Bool(rng.bool()),
        5 => Value::from(rng.choice(["true", "5", "1e5", "NaN", "", "{}", "null"]).unwrap()),
        _ => Value::from(text(rng, 40)),
    }
}

fn outgoing(rng: &mut Rng) -> Outgoing {
    let attributes = (0..rng.usize(..16)).fold(Attributes::new(), |all, _| all.with(name(rng), value(rng)));
    let body = match rng.u8(0..3) {
        0 => (0..rng.usize(..200)).map(|_| rng.u8(..)).collect(),
        _ => text(rng, 200).into_bytes(),
    };
    let key = rng.bool().then(|| text(rng, 150));
    Outgoing { key, ordered: rng.bool(), ..message(body, attributes) }
}

/// NaN differs from itself and -0.0 does not from 0.0: floats are compared by their bits.
fn exactly(attributes: &Attributes) -> Vec<(String, Value, u64)> {
    let bits = |value: &Value| match value {
        Value::Float(number) if number.is_nan() => (Value::Bool(true), f64::NAN.to_bits()),
        Value::Float(number) => (value.clone(), number.to_bits()),
        _ => (value.clone(), 0),
    };
    let mut all: Vec<_> = attributes
        .iter()
        .map(|(name, value)| {
            let (value, bits) = bits(value);
            (name.to_owned(), value, bits)
        })
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

/// Would SNS and SQS take it?
fn is_taken(letter: &Letter) -> bool {
    let ids = letter.order.iter().flat_map(|order| [&order.group, &order.deduplication]);
    !letter.body.is_empty()
        && is_text(&letter.body)
        && letter.attributes.len() <= MOST_ATTRIBUTES
        && letter.attributes.keys().all(|name| is_plain_name(name))
        && letter.attributes.values().filter_map(Attribute::as_text).all(is_plain_text)
        && ids.into_iter().all(|id| (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()))
}

#[test]
fn p9_random_messages_are_taken_and_come_back_dead_or_alive() {
    for seed in 0..CASES {
        let mut rng = Rng::with_seed(seed);
        let out = outgoing(&mut rng);
        assert!(is_taken(&sealed(&out)), "seed {seed}");
        for post in ways(&out) {
            let copy = kept(buried(&post, &reason(text(&mut rng, 30))));
            assert!(copy.attributes.len() <= MOST_ATTRIBUTES && copy.body == post.body, "seed {seed}");
            for post in [&post, &copy, &kept(back(&copy))] {
                let arrived = open(post);
                assert_eq!(arrived.sealed.body, out.sealed.body, "seed {seed}");
                assert_eq!(exactly(&arrived.sealed.attributes), exactly(&out.sealed.attributes), "seed {seed}");
                assert_eq!(arrived.id.as_ref(), Some(&out.id), "seed {seed}");
            }
        }
    }
}

/// What SNS says may be done to a number: "Leading and trailing zeroes are trimmed", and five decimals are kept.
fn trimmed(attribute: &Attribute) -> Attribute {
    let text = attribute.as_text().unwrap_or_default();
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let kept = format!("{whole}.{}", decimals.get(..5).unwrap_or(decimals));
    let kept = if decimals.is_empty() { text } else { kept.trim_end_matches('0').trim_end_matches('.') };
    Attribute::told("Number", kept.into())
}

#[test]
fn p9_numbers_come_back_whatever_sns_does_to_them() {
    for seed in 0..CASES {
        let mut rng = Rng::with_seed(seed);
        let numbers =
            (0..5).map(|_| value(&mut rng)).filter(|value| matches!(value, Value::Integer(_) | Value::Float(_)));
        let numbers = numbers.enumerate().fold(Attributes::new(), |all, (n, value)| all.with(n.to_string(), value));
        let mut post = ways(&message("{}", numbers.clone()))[0].clone();
        for (_, attribute) in post.attributes.iter_mut().filter(|(name, _)| name.parse::<u8>().is_ok()) {
            *attribute = trimmed(attribute);
        }
        assert_eq!(exactly(&open(&post).sealed.attributes), exactly(&numbers), "seed {seed}");
    }
}

fn damaged(rng: &mut Rng, text: &str) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..rng.usize(1..4) {
        let at = rng.usize(..=chars.len().saturating_sub(1));
        match rng.u8(0..5) {
            _ if chars.is_empty() => chars.push(char(rng)),
            0 => drop(chars.remove(at)),
            1 => chars.insert(at, char(rng)),
            2 if rng.u8(0..8) == 0 => chars.truncate(at),
            3 => chars.extend_from_within(at..(at + 9).min(chars.len())),
            _ => chars[at] = char(rng),
        }
    }
    chars.into_iter().collect()
}

#[test]
fn x3_random_damage_is_opened_and_kept_without_a_panic() {
    for seed in 0..CASES {
        let mut rng = Rng::with_seed(seed);
        let out = outgoing(&mut rng);
        for post in ways(&out) {
            let mut post = if rng.bool() { kept(buried(&post, &reason("no ink"))) } else { post };
            if rng.bool() {
                post.body = damaged(&mut rng, post.text()).into();
            }
            for attribute in post.attributes.values_mut() {
                if rng.bool() {
                    *attribute = Attribute::text(damaged(&mut rng, &String::from_utf8_lossy(attribute.as_bytes())));
                }
            }
            let arrived = open(&post);
            let known = arrived.id == Some(out.id.clone());
            assert!(known || arrived.id.is_none_or(|id| id.as_str() != ""), "seed {seed}");
            assert_eq!(buried(&post, &reason("no ink")).body.as_bytes(), post.body, "seed {seed}");
            let _ = dead_letter(&post, "q");
        }
    }
}
