//! What of a policy a broker may decide before the consumer does.
//!
//! What a broker keeps back is lost, what it lets through is looked at again. So it is told only what it certainly
//! decides as [`Policy::matches`] does, for every value that the contract allows, and all else is left to the
//! consumer. "Certainly" is the strictest reading of what brokers document:
//!
//! - Numbers are compared within ±10^9 and with five decimals; one outside never fits. A float may be anything.
//! - A text with a quote, a backslash or a control character, and an empty one, may be out of the broker's sight. So may
//!   any attribute whose text is not known: a condition on such lets through what is not there.
//! - Truth values are written in two ways, and brokers differ on which they read.
//! - "There" and "not there" are judged by what is in sight, and never of a message without attributes.

use std::collections::{BTreeMap, BTreeSet};

use super::{Condition, Policy};
use crate::event::{Value, is_plain_name, is_plain_text};

/// The largest whole number that is compared exactly.
const EXACT: i128 = 1_000_000_000;
/// Words of the languages brokers filter in; where such a language knows alternatives, they are no names.
const WORDS: [&str; 20] = [
    "anything-but",
    "cidr",
    "date-after",
    "date-before",
    "date-on-or-after",
    "date-on-or-before",
    "equals-ignore-case",
    "exactly",
    "exists",
    "html",
    "in-date-range",
    "ip-address-in-range",
    "ip-address-not-in-range",
    "not-equals-ignore-case",
    "not-wildcard",
    "numeric",
    "prefix",
    "regex",
    "suffix",
    "wildcard",
];

/// What a broker may be told, and what is left.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Told<'a> {
    /// One condition an attribute, of texts or of whole numbers. "None of" and "begins with" are to let through what is
    /// not in sight, too.
    pub(crate) said: BTreeMap<&'a str, Condition>,
    /// The attributes that only the consumer judges, or judges by more than the broker does.
    pub(crate) left: BTreeSet<&'a str>,
}

impl<'a> Told<'a> {
    pub(super) fn of(policy: &'a Policy) -> Self {
        let mut asked = BTreeMap::<_, Vec<_>>::new();
        for (name, condition) in policy.conditions() {
            asked.entry(name).or_default().push(condition);
        }
        let mut told = Self::default();
        for (name, conditions) in asked {
            let said = is_sayable(name).then(|| say(&conditions)).flatten();
            if !said.as_ref().is_some_and(|said| conditions.iter().all(|condition| covers(said, condition))) {
                told.left.insert(name);
            }
            told.said.extend(said.map(|said| (name, said)));
        }
        told
    }
}

fn is_sayable(name: &str) -> bool {
    is_plain_name(name) && !WORDS.contains(&name)
}

/// What can be said of conditions that must all hold for one attribute: as much as one condition says.
fn say(conditions: &[&Condition]) -> Option<Condition> {
    one_of(conditions).or_else(|| between(conditions)).or_else(|| prefix(conditions)).or_else(|| none_of(conditions))
}

/// Does nothing fit what is said that breaks the condition?
fn covers(said: &Condition, condition: &Condition) -> bool {
    match (said, condition) {
        (Condition::OneOf(_), _) | (_, Condition::Exists(true)) => true,
        (Condition::Prefix(said), Condition::Prefix(prefix)) => said.starts_with(prefix.as_str()),
        (Condition::NoneOf(_), Condition::NoneOf(_)) => true,
        (Condition::Between { .. }, Condition::Between { .. }) => true,
        _ => false,
    }
}

/// The texts of one list that all the conditions want.
fn one_of(conditions: &[&Condition]) -> Option<Condition> {
    let texts = conditions.iter().find_map(|condition| match condition {
        Condition::OneOf(texts) => Some(texts),
        _ => None,
    })?;
    let wanted = |text: &&String| {
        let text = Value::from(text.as_str());
        conditions.iter().all(|condition| condition.holds(Some(&text)))
    };
    let texts: BTreeSet<_> = texts.iter().filter(wanted).collect();
    let can_say = !texts.is_empty() && texts.iter().all(|text| is_plain_text(text));
    can_say.then(|| Condition::OneOf(texts.into_iter().cloned().collect()))
}

/// The whole numbers that all the conditions want. Of a bound that the contract has already nothing is said, nor of
/// bounds that nothing is within.
fn between(conditions: &[&Condition]) -> Option<Condition> {
    let (least, most) = conditions.iter().find_map(|condition| match condition {
        Condition::Between { range, .. } => *range,
        _ => None,
    })?;
    let (mut bottom, mut top) = (least, most);
    for condition in conditions {
        let Condition::Between { low, high, .. } = condition else { continue };
        bottom = low.as_ref().map_or(Some(bottom), |low| Some(bottom.max(whole(low, f64::ceil)?)))?;
        top = high.as_ref().map_or(Some(top), |high| Some(top.min(whole(high, f64::floor)?)))?;
    }
    let can_say = least >= -EXACT && most <= EXACT && bottom <= top && (bottom, top) != (least, most);
    can_say.then(|| Condition::Between {
        low: (bottom > least).then_some(Value::Integer(bottom)),
        high: (top < most).then_some(Value::Integer(top)),
        range: Some((least, most)),
    })
}

fn whole(bound: &Value, round: fn(f64) -> f64) -> Option<i128> {
    match bound {
        Value::Integer(number) => Some(*number),
        // A float beyond every integer becomes the outermost one.
        Value::Float(number) if !number.is_nan() => Some(round(*number) as i128),
        _ => None,
    }
}

/// The longest beginning of those that are asked for.
fn prefix(conditions: &[&Condition]) -> Option<Condition> {
    let prefixes = conditions.iter().filter_map(|condition| match condition {
        Condition::Prefix(prefix) => Some(prefix),
        _ => None,
    });
    let longest = prefixes.max_by_key(|prefix| prefix.len()).filter(|prefix| is_plain_text(prefix))?;
    Some(Condition::Prefix(longest.clone()))
}

/// All the texts that are not wanted, and can be in sight.
fn none_of(conditions: &[&Condition]) -> Option<Condition> {
    let lists = conditions.iter().filter_map(|condition| match condition {
        Condition::NoneOf(texts) => Some(texts),
        _ => None,
    });
    let texts: BTreeSet<_> = lists.flatten().filter(|text| is_plain_text(text)).collect();
    (!texts.is_empty()).then(|| Condition::NoneOf(texts.into_iter().cloned().collect()))
}
