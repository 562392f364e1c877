//! Typed filters, against a naive reading of what was asked.

use proptest::{
    collection::vec,
    option,
    prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof, proptest},
    sample::select,
};
use tegami::event::{Attributes, Filter, Value};
use tegami_heavy_tests::heavy::v1::EverythingTold;

use crate::{
    cases,
    numbers::{compare, exact},
};

/// What is asked of one attribute.
#[derive(Debug, Clone)]
enum Ask {
    OneOf(Vec<String>),
    NoneOf(Vec<String>),
    Prefix(String),
    Is(Value),
    AtLeast(Value),
    AtMost(Value),
    Flag(bool),
    Exists(bool),
}

type Plan = Vec<(&'static str, Ask)>;

const TEXTS: [&str; 2] = ["text", "colour"];
const NUMBERS: [&str; 4] = ["whole", "large", "number", "short"];

fn words() -> impl Strategy<Value = String> {
    prop_oneof![3 => "[ab]{0,2}", 1 => any::<String>()]
}

/// Mostly the edges: where integers end, where floats stop telling integers apart, where brokers stop, five decimals.
fn numbers() -> impl Strategy<Value = Value> {
    let contracts = i128::from(i64::MIN)..=i128::from(u64::MAX);
    let edges = [0, 1_000_000_000, -1_000_000_000, 1 << 53, i64::MAX.into(), *contracts.start(), *contracts.end()];
    let near = (select(edges.to_vec()), -1..=1_i128).prop_map(|(edge, step)| edge + step);
    let near = near.prop_filter("a contract has it", move |number| contracts.contains(number)).prop_map(Value::Integer);
    let fractions =
        [0.0, -0.0, 1e9, -1e9, 0.1, 0.1_f32.into(), 9_007_199_254_740_992.0, i64::MAX as f64, f64::MAX, 5e-324];
    prop_oneof![
        4 => (-3..=3_i64).prop_map(Value::from),
        2 => near,
        1 => any::<i64>().prop_map(Value::from),
        2 => (-300_000..=300_000_i32).prop_map(|n| Value::Float(f64::from(n) / 100_000.0)),
        2 => select(fractions.to_vec()).prop_map(Value::Float),
        1 => any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::Float),
    ]
}

fn asks() -> impl Strategy<Value = (&'static str, Ask)> {
    let text = prop_oneof![
        vec(words(), 0..4).prop_map(Ask::OneOf),
        vec(words(), 0..4).prop_map(Ask::NoneOf),
        words().prop_map(Ask::Prefix),
    ];
    let number =
        prop_oneof![numbers().prop_map(Ask::Is), numbers().prop_map(Ask::AtLeast), numbers().prop_map(Ask::AtMost),];
    let names = [&TEXTS[..], &NUMBERS, &["flag"]].concat();
    prop_oneof![
        2 => (select(&TEXTS[..]), text),
        4 => (select(&NUMBERS[..]), number),
        1 => (Just("flag"), any::<bool>().prop_map(Ask::Flag)),
        1 => (select(names), any::<bool>().prop_map(Ask::Exists)),
    ]
}

fn attributes() -> impl Strategy<Value = Attributes> {
    let texts = vec(option::weighted(0.8, words().prop_map(Value::from)), TEXTS.len());
    let numbers = vec(option::weighted(0.8, numbers()), NUMBERS.len());
    (texts, numbers, option::of(any::<bool>())).prop_map(|(texts, numbers, flag)| {
        let values = texts.into_iter().chain(numbers).chain([flag.map(Value::Bool)]);
        let names = TEXTS.into_iter().chain(NUMBERS).chain(["flag"]);
        let told = names.zip(values).filter_map(|(name, value)| Some((name, value?)));
        told.fold(Attributes::new(), |all, (name, value)| all.with(name, value))
    })
}

/// The filter as a user writes it.
fn filter(name: &str, ask: Ask) -> Filter<EverythingTold> {
    use EverythingTold as E;
    let text = || if name == "text" { E::text() } else { E::colour() };
    let number = || match name {
        "whole" => E::whole(),
        "large" => E::large(),
        "number" => E::number(),
        _ => E::short(),
    };
    match ask {
        Ask::OneOf(texts) => text().one_of(texts),
        Ask::NoneOf(texts) => text().none_of(texts),
        Ask::Prefix(prefix) => text().starts_with(prefix),
        Ask::Is(wanted) => number().is(wanted),
        Ask::AtLeast(bound) => number().at_least(bound),
        Ask::AtMost(bound) => number().at_most(bound),
        Ask::Flag(truth) => E::flag().is(truth),
        Ask::Exists(true) if name == "flag" => E::flag().exists(),
        Ask::Exists(false) if name == "flag" => E::flag().is_absent(),
        Ask::Exists(true) if TEXTS.contains(&name) => text().exists(),
        Ask::Exists(false) if TEXTS.contains(&name) => text().is_absent(),
        Ask::Exists(true) => number().exists(),
        Ask::Exists(false) => number().is_absent(),
    }
}

fn all(plan: &Plan) -> Filter<EverythingTold> {
    let filters = plan.iter().map(|(name, ask)| filter(name, ask.clone()));
    filters.reduce(Filter::and).expect("a plan asks something")
}

/// The plain meaning of what is asked.
fn holds(ask: &Ask, value: Option<&Value>) -> bool {
    let order = |bound: &Value| Some(compare(exact(value?)?, exact(bound)?));
    match (ask, value) {
        (Ask::Exists(wanted), value) => value.is_some() == *wanted,
        (Ask::OneOf(texts), Some(Value::Text(text))) => texts.iter().any(|known| known == text),
        (Ask::NoneOf(texts), Some(Value::Text(text))) => !texts.iter().any(|known| known == text),
        (Ask::Prefix(prefix), Some(Value::Text(text))) => text.starts_with(prefix.as_str()),
        (Ask::Flag(wanted), Some(Value::Bool(truth))) => wanted == truth,
        (Ask::Is(wanted), _) => order(wanted).is_some_and(|order| order.is_eq()),
        (Ask::AtLeast(bound), _) => order(bound).is_some_and(|order| order.is_ge()),
        (Ask::AtMost(bound), _) => order(bound).is_some_and(|order| order.is_le()),
        _ => false,
    }
}

#[test]
fn a_filter_passes_what_its_words_say() {
    proptest!(cases(10_000), |(plan in vec(asks(), 1..4), attributes in attributes())| {
        let plain = plan.iter().all(|(name, ask)| holds(ask, attributes.get(name)));
        prop_assert_eq!(all(&plan).policy().matches(&attributes), plain);
    });
}

#[test]
fn two_filters_joined_pass_what_both_pass_and_a_stranger_changes_nothing() {
    let plans = || vec(asks(), 1..4);
    proptest!(cases(10_000), |(one in plans(), other in plans(), attributes in attributes(), stranger in numbers())| {
        let (one, other) = (all(&one), all(&other));
        let both = one.policy().matches(&attributes) && other.policy().matches(&attributes);
        let joined = one.and(other);
        prop_assert_eq!(joined.policy().matches(&attributes), both);
        prop_assert_eq!(joined.policy().matches(&attributes.with("stranger", stranger)), both);
    });
}

#[test]
fn numbers_at_the_edges_compare_exactly() {
    proptest!(cases(10_000), |(bound in numbers(), number in numbers())| {
        let order = compare(exact(&number).unwrap(), exact(&bound).unwrap());
        let attributes = Attributes::new().with("number", number);
        let passes = |filter: Filter<EverythingTold>| filter.policy().matches(&attributes);
        prop_assert_eq!(passes(EverythingTold::number().is(bound.clone())), order.is_eq());
        prop_assert_eq!(passes(EverythingTold::number().at_least(bound.clone())), order.is_ge());
        prop_assert_eq!(passes(EverythingTold::number().at_most(bound)), order.is_le());
    });
}
