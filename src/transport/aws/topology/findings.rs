//! What differs from the plan: an attribute that should be another, or a part that is not there.

use std::fmt;

use crate::transport::{TransportError, TransportErrorKind};

/// What a topic or queue is from its first day.
const FIXED: [&str; 2] = ["FifoQueue", "FifoTopic"];

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

/// What AWS does not change any more, in words.
pub(super) fn fixed(what: &str, changes: &[Change]) -> Option<String> {
    let change = changes.iter().find(|change| FIXED.contains(&change.attribute))?;
    Some(format!("{what} is there, and cannot be changed: {change}"))
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

    /// Something is there, and cannot become what it should be.
    pub(super) fn stays(&mut self, text: String) {
        self.differing.push(text);
    }

    /// All of them, in the same order each time.
    pub(super) fn told(mut self) -> Vec<TransportError> {
        self.missing.sort_unstable();
        self.differing.sort_unstable();
        let missing = self.missing.into_iter().map(|text| TransportError::new(TransportErrorKind::Missing, text));
        let differing = self.differing.into_iter().map(|text| TransportError::new(TransportErrorKind::Mismatch, text));
        missing.chain(differing).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::in_one;

    #[test]
    fn k1_a_topic_of_another_kind_is_told_and_stays() {
        let of_kind = Change::new("FifoTopic", "true", None);
        let mended = Change::new("KmsMasterKeyId", "alias/shop", None);
        assert_eq!(fixed("topic `moves.fifo`", std::slice::from_ref(&mended)), None);
        let expected =
            "topic `moves.fifo` is there, and cannot be changed: its FifoTopic is not set, `true` is expected";
        assert_eq!(fixed("topic `moves.fifo`", &[mended, of_kind]).as_deref(), Some(expected));
    }

    #[test]
    fn n7_all_findings_are_told_in_one_error_what_is_missing_first() {
        let mut findings = Findings::default();
        findings.differing("queue `a`", &[Change::new("DelaySeconds", "0", Some("3"))]);
        findings.missing("topic `z`".to_owned());
        findings.missing("topic `b`".to_owned());
        let error = in_one(findings.told()).unwrap_err();
        let expected = "topic `b` is not there; topic `z` is not there; \
            queue `a` differs: its DelaySeconds is `3`, `0` is expected";
        assert_eq!((error.kind(), &*error.to_string()), (TransportErrorKind::Missing, expected));
        assert!(in_one(Findings::default().told()).is_ok());
    }
}
