//! What a subscription wants, in the filter policy language of SNS.
//!
//! All that one queue wants from one topic is one subscription with one policy. SNS may let more through than is wanted,
//! never less: what it cannot be told (`event/filter/told`) is left to the consumer, which applies the whole
//! filter anyway. "Amazon SNS subscription filter policies" in AWS's guide tells the language, "Filter policy
//! constraints" its limits.

mod limits;
#[cfg(test)]
mod random;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt};

use serde_json::{Value as Json, json};

use crate::{
    event::{Condition, EVENT_ATTRIBUTE, Value},
    transport::{Binding, TransportError},
};

/// What attributes must be: for each a list of patterns, one of which fits.
type Alternative = BTreeMap<String, Vec<Json>>;

/// One of several alternatives must fit; where there are none, everything does.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct FilterPolicy(Vec<Alternative>);

/// The policy of the one subscription that these bindings of a topic make for a queue.
///
/// # Errors
/// `Unsupported`: SNS would not take the policy.
pub(super) fn policy(queue: &str, bindings: &[&Binding]) -> Result<FilterPolicy, TransportError> {
    let (mut names, mut alternatives) = (Vec::new(), Vec::new());
    for binding in bindings {
        let said = said(binding);
        match (said.is_empty(), binding.by_name) {
            (true, true) => names.push(json!(binding.event)),
            (true, false) => return Ok(FilterPolicy::default()),
            (false, true) => alternatives.push(named(said, vec![json!(binding.event)])),
            (false, false) => alternatives.push(said),
        }
    }
    // Events without a filter of their own are one alternative together.
    if !names.is_empty() {
        alternatives.push(named(Alternative::new(), names));
    }
    limits::check(queue, bindings, FilterPolicy(alternatives))
}

fn named(mut said: Alternative, names: Vec<Json>) -> Alternative {
    said.insert(EVENT_ATTRIBUTE.to_owned(), names);
    said
}

fn said(binding: &Binding) -> Alternative {
    let said = binding.policy.told().said.into_iter();
    let said = said.map(|(name, condition)| (name.to_owned(), patterns(&condition)));
    said.filter(|(_, patterns)| !patterns.is_empty()).collect()
}

/// The patterns one of which an attribute must fit; none for what is not told.
fn patterns(condition: &Condition) -> Vec<Json> {
    // An attribute that SNS could not carry is elsewhere in the message.
    let or_out_of_sight = |pattern| vec![pattern, json!({ "exists": false })];
    match condition {
        Condition::OneOf(texts) => texts.iter().map(|text| json!(text)).collect(),
        Condition::NoneOf(texts) => or_out_of_sight(json!({ "anything-but": texts })),
        Condition::Prefix(prefix) => or_out_of_sight(json!({ "prefix": prefix })),
        Condition::Between { low, high, .. } => numeric(whole(low), whole(high)).into_iter().collect(),
        Condition::Truth(_) | Condition::Exists(_) => Vec::new(),
    }
}

fn whole(bound: &Option<Value>) -> Option<i64> {
    match bound {
        Some(Value::Integer(number)) => i64::try_from(*number).ok(),
        _ => None,
    }
}

/// SNS takes one number, one bound, or a lower bound and then a larger one.
fn numeric(low: Option<i64>, high: Option<i64>) -> Option<Json> {
    let bounds = match (low, high) {
        (Some(low), Some(high)) if low == high => json!(["=", low]),
        (Some(low), Some(high)) => json!([">=", low, "<=", high]),
        (Some(low), None) => json!([">=", low]),
        (None, high) => json!(["<=", high?]),
    };
    Some(json!({ "numeric": bounds }))
}

impl FilterPolicy {
    fn json(&self) -> Json {
        match &self.0[..] {
            [] => json!({}),
            [only] => json!(only),
            several => json!({ "$or": several }),
        }
    }

    /// Is this the policy that a subscription has? One without a policy has no text.
    pub(super) fn is_said_by(&self, text: &str) -> bool {
        let text = if text.is_empty() { "{}" } else { text };
        text.parse::<Json>().is_ok_and(|said| said == self.json())
    }
}

impl fmt::Display for FilterPolicy {
    /// As SNS takes it; `{}` where everything is wanted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.json().fmt(f)
    }
}
