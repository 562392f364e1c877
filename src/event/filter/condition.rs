//! What one attribute must be: evaluated, and told to people.

use std::{cmp::Ordering, fmt};

use crate::event::Value;

/// What one attribute must be.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Condition {
    /// One of these texts.
    OneOf(Vec<String>),
    /// None of these texts, but there.
    NoneOf(Vec<String>),
    /// Text with this beginning.
    Prefix(String),
    /// A number within these bounds, both included.
    #[non_exhaustive]
    Between {
        /// The least that is wanted.
        low: Option<Value>,
        /// The most that is wanted.
        high: Option<Value>,
        /// The least and the most that the contract allows, where it allows whole numbers only.
        range: Option<(i128, i128)>,
    },
    /// True, or false.
    Truth(bool),
    /// There, or not there.
    Exists(bool),
}

impl Condition {
    pub(super) fn holds(&self, value: Option<&Value>) -> bool {
        let Some(value) = value else { return *self == Condition::Exists(false) };
        match (self, value) {
            (Condition::Exists(wanted), _) => *wanted,
            (Condition::OneOf(texts), Value::Text(text)) => texts.iter().any(|known| known == text),
            (Condition::NoneOf(texts), Value::Text(text)) => texts.iter().all(|known| known != text),
            (Condition::Prefix(prefix), Value::Text(text)) => text.starts_with(prefix.as_str()),
            (Condition::Truth(wanted), Value::Bool(truth)) => wanted == truth,
            (Condition::Between { low, high, .. }, number) => {
                low.as_ref().is_none_or(|low| compare(low, number).is_some_and(|order| order.is_le()))
                    && high.as_ref().is_none_or(|high| compare(number, high).is_some_and(|order| order.is_le()))
            }
            _ => false,
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Condition::OneOf(texts) => match &texts[..] {
                [text] => write!(f, "is {text:?}"),
                texts => write!(f, "is one of {texts:?}"),
            },
            Condition::NoneOf(texts) => write!(f, "is none of {texts:?}"),
            Condition::Prefix(prefix) => write!(f, "starts with {prefix:?}"),
            Condition::Truth(truth) => write!(f, "is {truth}"),
            Condition::Exists(true) => f.write_str("exists"),
            Condition::Exists(false) => f.write_str("is absent"),
            Condition::Between { low, high, .. } => match (low, high) {
                (Some(low), Some(high)) if low == high => write!(f, "is {low}"),
                (Some(low), Some(high)) => write!(f, "is from {low} to {high}"),
                (Some(low), None) => write!(f, "is at least {low}"),
                (None, Some(high)) => write!(f, "is at most {high}"),
                (None, None) => f.write_str("is a number"),
            },
        }
    }
}

fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Integer(left), Value::Integer(right)) => Some(left.cmp(right)),
        (Value::Float(left), Value::Float(right)) => left.partial_cmp(right),
        (Value::Integer(left), Value::Float(right)) => compare_mixed(*left, *right),
        (Value::Float(left), Value::Integer(right)) => compare_mixed(*right, *left).map(Ordering::reverse),
        _ => None,
    }
}

/// Not every integer is a float, so the float is cut instead.
fn compare_mixed(integer: i128, float: f64) -> Option<Ordering> {
    let rest = if float > float.floor() { Ordering::Less } else { Ordering::Equal };
    (!float.is_nan()).then(|| integer.cmp(&(float.floor() as i128)).then(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integer_and_a_float_are_compared_as_they_are() {
        let whole = (1_i128 << 53) + 1;
        let near = 9_007_199_254_740_992.0;
        for (float, expected) in [
            (near, Some(Ordering::Greater)),
            (near + 2.0, Some(Ordering::Less)),
            (f64::MAX, Some(Ordering::Less)),
            (f64::NEG_INFINITY, Some(Ordering::Greater)),
            (f64::NAN, None),
        ] {
            assert_eq!(compare(&Value::Integer(whole), &Value::Float(float)), expected, "{float}");
            assert_eq!(
                compare(&Value::Float(float), &Value::Integer(whole)),
                expected.map(Ordering::reverse),
                "{float}"
            );
        }
        assert_eq!(compare(&Value::Integer(-1), &Value::Float(-0.5)), Some(Ordering::Less));
        assert_eq!(compare(&Value::Integer(0), &Value::Float(-0.0)), Some(Ordering::Equal));
    }
}
