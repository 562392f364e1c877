//! Filters and messages by chance. The tests on emulators draw from here, too: whoever includes this has the names of
//! events at hand.

use fastrand::Rng;

use super::{
    Attributes, Binding, BoolField, Condition, EVENT_ATTRIBUTE, Filter, NumberField, Policy, TextField, Value,
};

/// An event; nobody makes one.
pub struct Paid;

pub const EVENTS: [&str; 3] = ["shop.Placed", "shop.Paid", "shop.Shipped"];
const TEXTS: [&str; 4] = ["currency", "country", "prefix", "zip code"];
/// Whole numbers by what their contracts allow.
const WHOLE: [(&str, i128, i128); 5] = [
    ("share", 0, 1_000),
    ("exact", -1_000_000_000, 1_000_000_000),
    ("over", 0, 1_000_000_001),
    ("under", -1_000_000_001, 0),
    ("any", i64::MIN as i128, u64::MAX as i128),
];

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
        0 | 1 => TextField::new(name).one_of(words(rng)),
        2 => TextField::new(name).none_of(words(rng)),
        3 => TextField::new(name).starts_with(word(rng)),
        4 => TextField::new(name).exists(),
        _ => TextField::new(name).is_absent(),
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

/// What is wanted of this event.
pub fn asked(rng: &mut Rng, event: &'static str) -> Binding {
    let count = *rng.choice(&[0, 1, 1, 1, 2, 2, 3]).unwrap();
    let filters = (0..count).map(|_| ask(rng));
    let policy = filters.reduce(Filter::and).map_or(Policy::default(), |filter| filter.policy().clone());
    Binding { topic: "shop".to_owned(), routing_key: event.to_owned(), event, by_name: true, policy }
}

/// What an event of the contract may tell, and its name: half of the texts that are asked for are met.
pub fn attributes(rng: &mut Rng, wanted: &Binding) -> Attributes {
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
