//! SNS's filter policies, read as its documentation tells them: names are joined by "and", the entries of a list by
//! "or". What the policy language has no place for is an error, as it is when a subscription is made.

use std::cmp::Ordering;

use serde_json::Value as Json;
use tegami::event::{Attributes, Value};

type Answer = Result<bool, String>;

/// Does the policy take a message with these attributes?
pub fn takes(policy: &Json, attributes: &Attributes) -> Answer {
    let entries = policy.as_object().ok_or("a policy is an object")?;
    entries.iter().try_fold(true, |all, (name, entry)| Ok(any(entry, attributes.get(name))? && all))
}

/// Every entry is read, so that a wrong one is found whatever the others say.
fn any(list: &Json, value: Option<&Value>) -> Answer {
    let list = list.as_array().filter(|list| !list.is_empty()).ok_or("an entry is a list with something in it")?;
    list.iter().try_fold(false, |any, pattern| Ok(meets(pattern, value)? || any))
}

fn meets(pattern: &Json, value: Option<&Value>) -> Answer {
    let Some(operators) = pattern.as_object() else { return exactly(pattern, value) };
    let mut operators = operators.iter();
    let (Some((operator, operand)), None) = (operators.next(), operators.next()) else {
        return Err(format!("one operator in {pattern}"));
    };
    match (operator.as_str(), operand) {
        ("exists", Json::Bool(wanted)) => Ok(value.is_some() == *wanted),
        ("prefix", Json::String(prefix)) => Ok(text(value).is_some_and(|text| text.starts_with(prefix.as_str()))),
        ("anything-but", Json::Array(texts)) if !texts.is_empty() && texts.iter().all(Json::is_string) => {
            Ok(value.is_some() && !texts.iter().any(|known| text(value) == known.as_str()))
        }
        ("numeric", Json::Array(terms)) => numeric(terms, value),
        _ => Err(format!("no such pattern: {pattern}")),
    }
}

fn exactly(pattern: &Json, value: Option<&Value>) -> Answer {
    match (pattern, value) {
        (Json::String(known), value) => Ok(text(value) == Some(known)),
        (Json::Bool(known), value) => Ok(matches!(value, Some(Value::Bool(truth)) if truth == known)),
        _ => Err(format!("no such pattern: {pattern}")),
    }
}

/// `=`, one bound, or a lower bound and then a larger upper one.
fn numeric(terms: &[Json], value: Option<&Value>) -> Answer {
    let terms: Vec<_> = terms.iter().map(|term| term.as_str().map_or_else(|| Err(term), Ok)).collect();
    let (bounds, apart) = match terms[..] {
        [Ok(sign), Err(bound)] => (vec![(sign, number(bound)?)], true),
        [Ok(low @ (">" | ">=")), Err(bottom), Ok(high @ ("<" | "<=")), Err(top)] => {
            let (bottom, top) = (number(bottom)?, number(top)?);
            (vec![(low, bottom), (high, top)], compare(bottom, top).is_lt())
        }
        _ => return Err(format!("no such bounds: {terms:?}")),
    };
    let value = value.and_then(exact);
    let holds = |(sign, bound)| value.is_some_and(|value| stands(sign, compare(value, bound)));
    if apart { Ok(bounds.into_iter().all(holds)) } else { Err("the bottom must be less than the top".to_owned()) }
}

fn stands(sign: &str, order: Ordering) -> bool {
    match sign {
        "=" => order.is_eq(),
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        _ => order.is_ge(),
    }
}

fn text(value: Option<&Value>) -> Option<&str> {
    match value? {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

fn number(json: &Json) -> Result<(i128, f64), String> {
    let whole = json.as_i64().map(i128::from).or(json.as_u64().map(i128::from)).map(Value::Integer);
    whole.or(json.as_f64().map(Value::Float)).as_ref().and_then(exact).ok_or(format!("no number: {json}"))
}

/// A number without loss: its whole part, and the rest.
pub fn exact(value: &Value) -> Option<(i128, f64)> {
    match value {
        Value::Integer(whole) => Some((*whole, 0.0)),
        Value::Float(number) if number.is_finite() => {
            // Of a float beyond every integer, nearly all is rest.
            let whole = number.trunc() as i128;
            Some((whole, number - whole as f64))
        }
        _ => None,
    }
}

pub fn compare(left: (i128, f64), right: (i128, f64)) -> Ordering {
    left.partial_cmp(&right).expect("no part of a finite number is NaN")
}
