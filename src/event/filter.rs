//! Typed filters: which events of a type a subscription wants.
//!
//! A [`Filter`] can only name attributes its event declares. It becomes a [`Policy`], which a broker can be
//! told (an SNS filter policy) or which is evaluated in process, with the same answer.

use std::{cmp::Ordering, collections::BTreeMap, marker::PhantomData};

use serde_json::{Number, Value as Json, json};

use super::{Attributes, Value};

/// A wish to receive only some events of type `E`.
#[derive(Debug, Clone)]
pub struct Filter<E> {
    policy: Policy,
    event: PhantomData<fn() -> E>,
}

impl<E> Filter<E> {
    fn one(name: &'static str, condition: Condition) -> Self {
        Self { policy: Policy(vec![(name.to_owned(), condition)]), event: PhantomData }
    }

    /// Both this filter and the other must hold.
    #[must_use]
    pub fn and(mut self, other: Filter<E>) -> Self {
        self.policy.0.extend(other.policy.0);
        self
    }

    /// The filter without its type, for transports.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }
}

macro_rules! fields {
    // The same constructor and `exists` for each kind of attribute; the conditions differ below.
    ($($(#[$doc:meta])* $name:ident),*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name<E> {
            name: &'static str,
            event: PhantomData<fn() -> E>,
        }

        impl<E> $name<E> {
            /// Names an attribute. Generated code calls this for each attribute of a contract.
            #[doc(hidden)]
            pub const fn new(name: &'static str) -> Self {
                Self { name, event: PhantomData }
            }

            /// The attribute travels with the event, whatever its value.
            pub fn exists(self) -> Filter<E> {
                Filter::one(self.name, Condition::Exists(true))
            }

            /// The attribute does not travel with the event.
            pub fn is_absent(self) -> Filter<E> {
                Filter::one(self.name, Condition::Exists(false))
            }
        }
    )*};
}
fields!(
    /// A text attribute, to be filtered on.
    TextField,
    /// A number attribute, to be filtered on.
    NumberField,
    /// A true-or-false attribute, to be filtered on.
    BoolField
);

impl<E> TextField<E> {
    /// The attribute is exactly this text.
    pub fn is(self, text: impl Into<String>) -> Filter<E> {
        self.one_of([text])
    }

    /// The attribute is one of these texts.
    pub fn one_of<T: Into<String>>(self, texts: impl IntoIterator<Item = T>) -> Filter<E> {
        let texts = texts.into_iter().map(Into::into).collect();
        Filter::one(self.name, Condition::OneOf(texts))
    }

    /// The attribute is there, and none of these texts.
    pub fn none_of<T: Into<String>>(self, texts: impl IntoIterator<Item = T>) -> Filter<E> {
        let texts = texts.into_iter().map(Into::into).collect();
        Filter::one(self.name, Condition::NoneOf(texts))
    }

    /// The attribute begins with this text.
    pub fn starts_with(self, prefix: impl Into<String>) -> Filter<E> {
        Filter::one(self.name, Condition::Prefix(prefix.into()))
    }
}

impl<E> NumberField<E> {
    /// The number is exactly this.
    pub fn is(self, number: impl Into<Value>) -> Filter<E> {
        let number = number.into();
        Filter::one(self.name, Condition::Between(Some(number.clone()), Some(number)))
    }

    /// The number is this or more.
    pub fn at_least(self, number: impl Into<Value>) -> Filter<E> {
        Filter::one(self.name, Condition::Between(Some(number.into()), None))
    }

    /// The number is this or less.
    pub fn at_most(self, number: impl Into<Value>) -> Filter<E> {
        Filter::one(self.name, Condition::Between(None, Some(number.into())))
    }
}

impl<E> BoolField<E> {
    /// The attribute is true, or is false.
    pub fn is(self, truth: bool) -> Filter<E> {
        Filter::one(self.name, Condition::Truth(truth))
    }
}

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
    Between(Option<Value>, Option<Value>),
    /// True, or false.
    Truth(bool),
    /// There, or not there.
    Exists(bool),
}

impl Condition {
    fn holds(&self, value: Option<&Value>) -> bool {
        let Some(value) = value else { return *self == Condition::Exists(false) };
        match (self, value) {
            (Condition::Exists(wanted), _) => *wanted,
            (Condition::OneOf(texts), Value::Text(text)) => texts.iter().any(|known| known == text),
            (Condition::NoneOf(texts), Value::Text(text)) => texts.iter().all(|known| known != text),
            (Condition::Prefix(prefix), Value::Text(text)) => text.starts_with(prefix.as_str()),
            (Condition::Truth(wanted), Value::Bool(truth)) => wanted == truth,
            (Condition::Between(low, high), number) => {
                low.as_ref().is_none_or(|low| compare(low, number).is_some_and(|order| order.is_le()))
                    && high.as_ref().is_none_or(|high| compare(number, high).is_some_and(|order| order.is_le()))
            }
            _ => false,
        }
    }

    /// One condition for both, where they are bounds of a number; else the second.
    fn and(&self, other: &Self) -> Self {
        match (self, other) {
            (Condition::Between(low, high), Condition::Between(other_low, other_high)) => Condition::Between(
                tighter(low, other_low, Ordering::Greater),
                tighter(high, other_high, Ordering::Less),
            ),
            _ => other.clone(),
        }
    }

    /// The condition in the filter policy language of SNS (AWS: "Amazon SNS subscription filter policies").
    ///
    /// It has no empty list: where a condition says nothing more, or nothing that can be met, it is that the attribute
    /// is there.
    fn to_sns(&self) -> Json {
        match self {
            Condition::OneOf(texts) | Condition::NoneOf(texts) if texts.is_empty() => Condition::Exists(true).to_sns(),
            Condition::OneOf(texts) => json!(texts),
            Condition::NoneOf(texts) => json!([{ "anything-but": texts }]),
            Condition::Prefix(prefix) => json!([{ "prefix": prefix }]),
            Condition::Truth(truth) => json!([truth]),
            Condition::Exists(wanted) => json!([{ "exists": wanted }]),
            Condition::Between(low, high) => match bounds(low.as_ref(), high.as_ref()) {
                Some(bounds) => json!([{ "numeric": bounds }]),
                None => Condition::Exists(true).to_sns(),
            },
        }
    }
}

/// The bound that lets less through.
fn tighter(one: &Option<Value>, other: &Option<Value>, when: Ordering) -> Option<Value> {
    let (Some(bound), Some(than)) = (one, other) else { return one.clone().or_else(|| other.clone()) };
    Some(if compare(bound, than) == Some(when) { bound.clone() } else { than.clone() })
}

/// The bounds as SNS takes them: one number, one bound, or a lower bound and then a larger one.
fn bounds(low: Option<&Value>, high: Option<&Value>) -> Option<Json> {
    let (bottom, top) = (low.and_then(number), high.and_then(number));
    let order = low.zip(high).and_then(|(low, high)| compare(low, high));
    Some(match (bottom, top, order) {
        (Some(bottom), Some(_), Some(Ordering::Equal)) => json!(["=", bottom]),
        (Some(bottom), Some(top), Some(Ordering::Less)) => json!([">=", bottom, "<=", top]),
        // Bounds that no number is within cannot be told.
        (Some(bottom), _, _) => json!([">=", bottom]),
        (None, top, _) => json!(["<=", top?]),
    })
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

/// The number in JSON, which has none that is infinite, nor an integer wider than 64 bits.
fn number(value: &Value) -> Option<Number> {
    match value {
        Value::Integer(number) => Number::from_i128(*number),
        Value::Float(number) => Number::from_f64(*number),
        _ => None,
    }
}

/// A filter without its event's type: conditions on attributes, all of which must hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Policy(Vec<(String, Condition)>);

impl Policy {
    /// Does an event with these attributes pass?
    pub fn matches(&self, attributes: &Attributes) -> bool {
        self.0.iter().all(|(name, condition)| condition.holds(attributes.get(name)))
    }

    /// Each attribute named, with what it must be.
    pub fn conditions(&self) -> impl Iterator<Item = (&str, &Condition)> {
        self.0.iter().map(|(name, condition)| (name.as_str(), condition))
    }

    /// Does everything pass?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The policy as SNS takes it: one entry an attribute, its value a list of alternatives.
    ///
    /// Bounds on one number are said together. Other conditions on one attribute cannot be: the last is sent. Nor can
    /// "never". So SNS may let more through, and the consumer evaluates the whole policy again.
    pub fn to_sns(&self) -> Json {
        let mut said = BTreeMap::<&str, Condition>::new();
        for (name, condition) in &self.0 {
            let both = said.get(name.as_str()).map_or_else(|| condition.clone(), |known| known.and(condition));
            said.insert(name, both);
        }
        said.into_iter().map(|(name, condition)| (name.to_owned(), condition.to_sns())).collect()
    }
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
