//! The list of what was found wanting in an event's values. The looking is done in `check`.

use std::fmt;

/// The values of an event that break its contract's rules.
#[derive(Clone, PartialEq, Eq)]
pub struct Invalid(pub(super) Vec<(String, String)>);

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
