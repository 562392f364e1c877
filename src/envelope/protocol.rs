//! Which versions of tomodachi's envelopes this build reads.

use super::{DecodeError, DecodeErrorKind, bounds::shown};

/// One envelope format and the name it had before.
pub(super) struct Protocol {
    /// What we write: `family--major.minor.patch`.
    pub(super) current: &'static str,
    /// A name from before the versions, readable all the same.
    pub(super) older: Option<&'static str>,
}

impl Protocol {
    /// Is this a version we can read? Publishers that tell none are taken at their word.
    pub(super) fn check(&self, version: Option<&str>) -> Result<(), DecodeError> {
        let Some(version) = version.filter(|version| !version.is_empty()) else { return Ok(()) };
        let of_one_major = || version.split_once('.')?.0.eq(self.current.split_once('.')?.0).then_some(());
        if version == self.current || Some(version) == self.older || of_one_major().is_some() {
            return Ok(());
        }
        let text = format!("protocol version `{}` is not `{}`", shown(version), self.current);
        Err(DecodeError::new(DecodeErrorKind::VersionMismatch, text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_major_and_the_older_name_are_read_and_nothing_else() {
        let protocol = Protocol { current: "tomodachi-json-base--1.0.0", older: Some("json_base-wip") };
        for known in ["tomodachi-json-base--1.0.0", "tomodachi-json-base--1.7.2", "json_base-wip", ""] {
            assert!(protocol.check(Some(known)).is_ok(), "{known}");
        }
        for other in ["tomodachi-json-base--2.0.0", "tomodachi-json-base--10.0.0", "tomodachi-json-base", "json", "."] {
            assert_eq!(protocol.check(Some(other)).unwrap_err().kind(), DecodeErrorKind::VersionMismatch, "{other}");
        }
    }
}
