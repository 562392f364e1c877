//! A filter without its event's type.

use std::fmt;

use super::{Condition, Told};
use crate::event::Attributes;

/// A filter without its event's type: conditions on attributes, all of which must hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Policy(Vec<(String, Condition)>);

impl Policy {
    pub(super) fn one(name: &str, condition: Condition) -> Self {
        Self(vec![(name.to_owned(), condition)])
    }

    pub(super) fn and(mut self, other: Policy) -> Self {
        self.0.extend(other.0);
        self
    }

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

    /// What of it a broker that filters by attributes may decide beforehand.
    pub(crate) fn told(&self) -> Told<'_> {
        Told::of(self)
    }
}

impl fmt::Display for Policy {
    /// For people: `currency is "EUR" and amount_minor is at least 100`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, (name, condition)) in self.conditions().enumerate() {
            let and = if n == 0 { "" } else { " and " };
            write!(f, "{and}{name} {condition}")?;
        }
        Ok(())
    }
}
