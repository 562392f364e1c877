//! SNS's filter policies, read as its documentation tells them: names are joined by "and", the entries of a list by
//! "or". What the documentation leaves open goes against the policy: what is not certainly let through is kept back.
//! What the language has no place for is an error, as it is when a subscription is made.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::{Attributes, Value};

type Answer = Result<bool, String>;

/// Field names that make `$or` an attribute's name.
const RESERVED: [&str; 7] = ["anything-but", "cidr", "equals-ignore-case", "exists", "numeric", "prefix", "suffix"];

/// An attribute as SNS sees it.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    Text(String),
    /// In hundred-thousandths, where it is within what SNS compares.
    Number(Option<i128>),
    /// There, and nobody knows how it is read.
    Other,
}

pub type Message = BTreeMap<String, Seen>;

/// What is outside of the transport's own attribute.
pub fn in_sight(attributes: &Attributes) -> Message {
    let seen = attributes.iter().filter_map(|(name, value)| Some((name.to_owned(), see(value)?)));
    seen.filter(|(name, _)| name.bytes().all(|c| c.is_ascii_alphanumeric() || b"_-.".contains(&c))).collect()
}

fn see(value: &Value) -> Option<Seen> {
    let is_odd = |c: char| {
        c < ' ' || ('\u{7f}'..'\u{a0}').contains(&c) || c == '"' || c == '\\' || c > '\u{fffd}' && c < '\u{10000}'
    };
    match value {
        Value::Text(text) => (!text.is_empty() && !text.contains(is_odd)).then(|| Seen::Text(text.to_string())),
        Value::Integer(number) => Some(Seen::Number((number.abs() <= 1_000_000_000).then_some(number * 100_000))),
        Value::Float(number) if !number.is_finite() || number.abs() > 1e126 => None,
        Value::Float(number) => Some(Seen::Number(hundred_thousandths(*number))),
        _ => Some(Seen::Other),
    }
}

fn hundred_thousandths(number: f64) -> Option<i128> {
    let text = format!("{number:.5}");
    let is_exact = number.abs() <= 1e9 && text.parse() == Ok(number) && format!("{number}").len() <= text.len();
    is_exact.then(|| text.replace('.', "").parse().unwrap())
}

/// Does the policy let this message through?
pub fn takes(policy: &Json, message: &Message) -> Answer {
    let entries = policy.as_object().ok_or("a policy is an object")?;
    if entries.is_empty() {
        return Ok(true);
    }
    // "`exists: false` only matches if at least one attribute is present."
    Ok(all(policy, message, 0)? && !message.is_empty())
}

fn all(policy: &Json, message: &Message, depth: usize) -> Answer {
    let entries = policy.as_object().filter(|entries| depth == 0 || !entries.is_empty()).ok_or("an empty object")?;
    entries.iter().try_fold(true, |all, (name, entry)| {
        let fits = if name == "$or" { or(entry, message, depth)? } else { any(entry, message.get(name))? };
        Ok(fits && all)
    })
}

fn or(alternatives: &Json, message: &Message, depth: usize) -> Answer {
    let alternatives = alternatives.as_array().filter(|list| list.len() > 1).ok_or("two alternatives at least")?;
    let is_or = |one: &Json| one.as_object().is_some_and(|one| one.keys().all(|name| !RESERVED.contains(&&name[..])));
    if !alternatives.iter().all(is_or) {
        return Ok(false);
    }
    alternatives.iter().try_fold(false, |any, one| Ok(all(one, message, depth + 1)? || any))
}

/// Every entry is read, so that a wrong one is found whatever the others say.
fn any(list: &Json, seen: Option<&Seen>) -> Answer {
    let list = list.as_array().filter(|list| !list.is_empty()).ok_or("an entry is a list with something in it")?;
    list.iter().try_fold(false, |any, pattern| Ok(meets(pattern, seen)? || any))
}

fn meets(pattern: &Json, seen: Option<&Seen>) -> Answer {
    let text = match seen {
        Some(Seen::Text(text)) => Some(text.as_str()),
        _ => None,
    };
    let Some(operators) = pattern.as_object() else {
        return pattern.as_str().map(|known| text == Some(known)).ok_or(format!("no such pattern: {pattern}"));
    };
    let mut operators = operators.iter();
    let (Some((operator, operand)), None) = (operators.next(), operators.next()) else {
        return Err(format!("one operator in {pattern}"));
    };
    match (operator.as_str(), operand) {
        ("exists", Json::Bool(wanted)) => Ok(seen.is_some() == *wanted),
        ("prefix", Json::String(prefix)) if !prefix.is_empty() => {
            Ok(text.is_some_and(|text| text.starts_with(prefix.as_str())))
        }
        ("anything-but", Json::Array(texts)) if !texts.is_empty() && texts.iter().all(Json::is_string) => {
            Ok(text.is_some() && !texts.iter().any(|known| text == known.as_str()))
        }
        ("numeric", Json::Array(terms)) => numeric(terms, seen),
        _ => Err(format!("no such pattern: {pattern}")),
    }
}

/// `=`, one bound, or a lower bound and then a larger upper one.
fn numeric(terms: &[Json], seen: Option<&Seen>) -> Answer {
    let bounds: Vec<_> = terms.chunks(2).map(|term| Some((term.first()?.as_str()?, bound(term.get(1)?)?))).collect();
    let number = match seen {
        Some(Seen::Number(number)) => *number,
        _ => None,
    };
    let fits = |sign: &str, bound| number.is_some_and(|number| stands(sign, number, bound));
    match bounds[..] {
        [Some((sign @ ("=" | "<" | "<=" | ">" | ">="), bound))] => Ok(fits(sign, bound)),
        [Some((low @ (">" | ">="), bottom)), Some((high @ ("<" | "<="), top))] if bottom < top => {
            Ok(fits(low, bottom) && fits(high, top))
        }
        _ => Err(format!("no such bounds: {terms:?}")),
    }
}

fn bound(json: &Json) -> Option<i128> {
    let number = json.as_i64().map(i128::from).filter(|number| number.abs() <= 1_000_000_000)?;
    Some(number * 100_000)
}

fn stands(sign: &str, number: i128, bound: i128) -> bool {
    match sign {
        "=" => number == bound,
        "<" => number < bound,
        "<=" => number <= bound,
        ">" => number > bound,
        _ => number >= bound,
    }
}
