//! Typed filters: which events of a type a subscription wants.
//!
//! A [`Filter`] can only name attributes its event declares. It becomes a [`Policy`], which a broker can be
//! told (an SNS filter policy) or which is evaluated in process, with the same answer.

use std::marker::PhantomData;

use serde_json::{Value as Json, json};

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

/// Where the bounds of a number stand in what SNS takes.
const BOUNDS: &str = "/0/numeric";

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

    /// The condition in the filter policy language of SNS (AWS: "Amazon SNS subscription filter policies").
    fn to_sns(&self) -> Json {
        match self {
            Condition::OneOf(texts) => json!(texts),
            Condition::NoneOf(texts) => json!([{ "anything-but": texts }]),
            Condition::Prefix(prefix) => json!([{ "prefix": prefix }]),
            Condition::Truth(truth) => json!([truth]),
            Condition::Exists(wanted) => json!([{ "exists": wanted }]),
            Condition::Between(low, high) => {
                let bounds = [(">=", low), ("<=", high)];
                let bounds = bounds.into_iter().filter_map(|(sign, bound)| Some((sign, bound.as_ref()?)));
                let terms: Vec<Json> = bounds.flat_map(|(sign, bound)| [json!(sign), number(bound)]).collect();
                json!([{ "numeric": terms }])
            }
        }
    }
}

fn compare(left: &Value, right: &Value) -> Option<std::cmp::Ordering> {
    match (left, right) {
        (Value::Integer(left), Value::Integer(right)) => Some(left.cmp(right)),
        _ => as_float(left)?.partial_cmp(&as_float(right)?),
    }
}

fn as_float(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        _ => None,
    }
}

fn number(value: &Value) -> Json {
    match value {
        Value::Integer(number) => i64::try_from(*number).map_or_else(|_| json!(*number as f64), Json::from),
        other => json!(as_float(other)),
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
    /// Bounds on one number are said together. Other conditions on one attribute cannot be: the last is sent, and the
    /// consumer evaluates the whole policy again.
    pub fn to_sns(&self) -> Json {
        let mut entries = serde_json::Map::new();
        for (name, condition) in &self.0 {
            let (mut said, known) = (condition.to_sns(), entries.get(name));
            let (bounds, others) = (said.pointer_mut(BOUNDS), known.and_then(|known| known.pointer(BOUNDS)));
            if let (Some(Json::Array(bounds)), Some(Json::Array(others))) = (bounds, others) {
                bounds.splice(0..0, others.iter().cloned());
            }
            entries.insert(name.clone(), said);
        }
        entries.into()
    }
}
