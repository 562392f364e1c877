//! Random filters and messages: SNS, read strictly, never keeps back what is wanted.

use fastrand::Rng;

use super::{
    tests::{Paid, binding, text},
    *,
};
use crate::event::{Attributes, BoolField, Filter, NumberField, Policy};

const EVENTS: [&str; 3] = ["shop.Placed", "shop.Paid", "shop.Shipped"];
const TEXTS: [&str; 4] = ["currency", "country", "prefix", "zip code"];
/// Whole numbers by what their contracts allow.
const WHOLE: [(&str, i128, i128); 5] = [
    ("share", 0, 1_000),
    ("exact", -1_000_000_000, 1_000_000_000),
    ("over", 0, 1_000_000_001),
    ("under", -1_000_000_001, 0),
    ("any", i64::MIN as i128, u64::MAX as i128),
];
const CASES: usize = 10_000;

/// Few words, so that filters and messages meet; some that SNS does not see.
fn word(rng: &mut Rng) -> String {
    let odd = ["\"", "\\", "\t", "\u{7f}", "\u{85}", "\u{ffff}", "é", "\u{10000}"];
    let letter =
        |rng: &mut Rng| if rng.u8(..8) == 0 { *rng.choice(&odd).unwrap() } else { *rng.choice(&["a", "b"]).unwrap() };
    (0..rng.usize(..3)).map(|_| letter(rng)).collect()
}

fn words(rng: &mut Rng) -> Vec<String> {
    (0..rng.usize(..4)).map(|_| word(rng)).collect()
}

/// A number near what matters: the contract's bounds, SNS's, and those of integers and floats.
fn near(rng: &mut Rng, (least, most): (i128, i128)) -> i128 {
    let edges = [0, 500, -500, 1_000_000_000, -1_000_000_000, 1 << 53, i64::MAX.into()];
    let edge = if rng.bool() { *rng.choice(&edges).unwrap() } else { *rng.choice(&[least, most]).unwrap() };
    edge + rng.i128(-2..=2)
}

fn bound(rng: &mut Rng, range: (i128, i128)) -> Value {
    let number = near(rng, range);
    match rng.u8(..8) {
        0 => Value::Float(number as f64 + 0.5),
        1 => Value::Float(*rng.choice(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX]).unwrap()),
        _ => Value::Integer(number),
    }
}

fn ask_text(rng: &mut Rng, name: &'static str) -> Filter<Paid> {
    match rng.u8(..6) {
        0 | 1 => text(name).one_of(words(rng)),
        2 => text(name).none_of(words(rng)),
        3 => text(name).starts_with(word(rng)),
        4 => text(name).exists(),
        _ => text(name).is_absent(),
    }
}

fn ask_number(rng: &mut Rng, number: NumberField<Paid>, range: (i128, i128)) -> Filter<Paid> {
    match rng.u8(..8) {
        0 | 1 => number.is(bound(rng, range)),
        2..=4 => number.at_least(bound(rng, range)),
        5 | 6 => number.at_most(bound(rng, range)),
        _ if rng.bool() => number.exists(),
        _ => number.is_absent(),
    }
}

fn ask(rng: &mut Rng) -> Filter<Paid> {
    match rng.u8(..12) {
        0..=5 => {
            let some = if rng.u8(..4) == 0 { &TEXTS[..] } else { &TEXTS[..2] };
            let name = *rng.choice(some).unwrap();
            ask_text(rng, name)
        }
        6..=9 => {
            let (name, least, most) = *rng.choice(&WHOLE).unwrap();
            ask_number(rng, NumberField::new(name).within(least, most), (least, most))
        }
        10 => ask_number(rng, NumberField::new("float"), (0, 0)),
        _ => BoolField::new("flag").is(rng.bool()),
    }
}

fn asked(rng: &mut Rng, event: &'static str) -> Binding {
    let count = *rng.choice(&[0, 1, 1, 1, 2, 2, 3]).unwrap();
    let filters = (0..count).map(|_| ask(rng));
    let policy = filters.reduce(Filter::and).map_or(Policy::default(), |filter| filter.policy().clone());
    binding(event, policy)
}

/// What an event of the contract may tell, and its name: half of the texts that are asked for are met.
fn attributes(rng: &mut Rng, wanted: &Binding) -> Attributes {
    let mut attributes = Attributes::new().with(EVENT_ATTRIBUTE, wanted.event);
    for name in TEXTS {
        if rng.u8(..4) > 0 {
            attributes.set_text(name, &word(rng));
        }
    }
    for (name, condition) in wanted.policy.conditions() {
        let Condition::OneOf(texts) = condition else { continue };
        let name = TEXTS.into_iter().find(|known| *known == name).unwrap();
        if rng.bool() {
            attributes.set_text(name, rng.choice(texts).map_or("", String::as_str));
        }
    }
    for (name, least, most) in WHOLE {
        if rng.u8(..4) > 0 {
            attributes.set(name, Value::Integer(near(rng, (least, most)).clamp(least, most)));
        }
    }
    let floats = [0.0, 0.5, 1e9, 1e9 + 0.5, 0.000_001, 5e-324, f64::MAX, f64::INFINITY, f64::NAN];
    attributes.set("float", *rng.choice(&floats).unwrap());
    attributes.with("flag", rng.bool())
}

/// Does nothing but the policy decide: has SNS been told all, and does it see what is asked for?
fn is_sns_alone(binding: &Binding, seen: &sns::Message) -> bool {
    let told = binding.policy.told();
    told.left.is_empty() && told.said.keys().all(|name| seen.contains_key(*name))
}

#[test]
fn sns_never_keeps_back_what_is_wanted_and_no_more_where_it_has_been_told_all() {
    let (mut wanted, mut kept, mut decided) = (0, 0, 0);
    for case in 0..CASES {
        let rng = &mut Rng::with_seed(case as u64);
        let mut bindings: Vec<_> = EVENTS[..rng.usize(1..=3)].iter().map(|event| asked(rng, event)).collect();
        bindings[0].by_name = bindings.len() > 1 || rng.bool();
        let number = rng.usize(..bindings.len());
        let attributes = attributes(rng, &bindings[number]);
        let binding = &bindings[number];
        let Ok(policy) = policy("billing", &Vec::from_iter(&bindings)) else { continue };
        let said = policy.to_string();
        let seen = sns::in_sight(&attributes);
        let taken = sns::takes(&said.parse().unwrap(), &seen);
        let taken = taken.unwrap_or_else(|refused| panic!("case {case}: {refused}: {said}"));
        let wants = binding.policy.matches(&attributes);
        assert!(taken || !wants, "case {case}: {said} loses {attributes:?}, wanted by {}", binding.policy);
        if is_sns_alone(binding, &seen) {
            assert_eq!(taken, wants, "case {case}: {said} of {attributes:?}, wanted by {}", binding.policy);
            decided += usize::from(!binding.policy.is_empty());
        }
        wanted += usize::from(wants);
        kept += usize::from(!taken);
    }
    // What never happens proves nothing.
    assert!([wanted, kept, decided].into_iter().all(|count| count > CASES / 30), "{wanted} {kept} {decided}");
}
