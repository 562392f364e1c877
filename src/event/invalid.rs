//! What a contract asks of values, and the list of what was found wanting.
//!
//! Generated `validate` functions make one [`Check`], ask it about each field that has a rule, and finish it.

use std::fmt;

/// The values of an event that break its contract's rules.
#[derive(Clone, PartialEq, Eq)]
pub struct Invalid(Vec<(String, String)>);

impl Invalid {
    /// Each broken rule: the field's path and the reason. No values: they may be private.
    pub fn violations(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(field, reason)| (field.as_str(), reason.as_str()))
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, (field, reason)) in self.violations().enumerate() {
            let comma = if n == 0 { "" } else { ", " };
            write!(f, "{comma}`{field}` {reason}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Invalid {}

/// Collects violations field by field.
#[derive(Debug, Default)]
pub struct Check(Vec<(String, String)>);

impl Check {
    /// Notes a violation unless the rule holds.
    pub fn that(&mut self, holds: bool, field: &str, reason: impl FnOnce() -> String) {
        if !holds {
            self.0.push((field.to_owned(), reason()));
        }
    }

    /// Takes over what a nested value found, under its field's path.
    pub fn nested(&mut self, field: &str, inner: Result<(), Invalid>) {
        let Err(Invalid(violations)) = inner else { return };
        self.0.extend(violations.into_iter().map(|(path, reason)| (format!("{field}.{path}"), reason)));
    }

    /// The verdict.
    ///
    /// # Errors
    /// At least one rule did not hold.
    pub fn finish(self) -> Result<(), Invalid> {
        if self.0.is_empty() { Ok(()) } else { Err(Invalid(self.0)) }
    }
}
