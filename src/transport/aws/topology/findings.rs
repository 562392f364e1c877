//! What differs from the plan: an attribute that should be another, or a part that is not there.

use std::fmt;

use crate::transport::{TransportError, TransportErrorKind};

/// An attribute that should have another value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) attribute: &'static str,
    /// What it should be.
    pub(super) value: String,
    /// What is said of it.
    told: String,
}

impl Change {
    /// This attribute should be that.
    pub(super) fn new(attribute: &'static str, value: impl Into<String>, found: Option<&str>) -> Self {
        let value = value.into();
        let found = found.map_or_else(|| "is not set".to_owned(), |found| format!("is `{found}`"));
        Self { told: format!("its {attribute} {found}, `{value}` is expected"), attribute, value }
    }

    /// This attribute should be that, which is too long to be told.
    pub(super) fn saying(attribute: &'static str, value: String, told: impl fmt::Display) -> Self {
        Self { attribute, value, told: format!("its {attribute} {told}") }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told)
    }
}

/// All that a look found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    missing: Vec<String>,
    differing: Vec<String>,
}

impl Findings {
    pub(super) fn missing(&mut self, what: String) {
        self.missing.push(format!("{what} is not there"));
    }

    pub(super) fn differing(&mut self, what: &str, changes: &[Change]) {
        let told: Vec<String> = changes.iter().map(ToString::to_string).collect();
        self.differing.push(format!("{what} differs: {}", told.join(", ")));
    }

    /// One error that names them all, in the same order each time.
    pub(super) fn told(mut self) -> Result<(), TransportError> {
        let kind = match (self.missing.is_empty(), self.differing.is_empty()) {
            (true, true) => return Ok(()),
            (false, _) => TransportErrorKind::Missing,
            (true, false) => TransportErrorKind::Mismatch,
        };
        self.missing.sort_unstable();
        self.differing.sort_unstable();
        Err(TransportError::new(kind, [self.missing, self.differing].concat().join("; ")))
    }
}
