//! The name of a stream.

use std::{fmt, sync::Arc};

use super::{StoreError, StoreErrorKind, limits};

/// Which stream: the ordered events of one thing, as `order/o-1`.
///
/// 1 to 128 printable ASCII characters, without spaces.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(Arc<str>);

impl StreamId {
    /// The stream of this name.
    ///
    /// # Errors
    /// `Invalid`: the name is empty, has other characters, or is too long; the text says which.
    pub fn new(name: impl AsRef<str>) -> Result<Self, StoreError> {
        let name = name.as_ref();
        let fits = name.bytes().all(|byte| byte.is_ascii_graphic());
        if (1..=limits::STREAM).contains(&name.len()) && fits {
            return Ok(Self(name.into()));
        }
        let shown: String = name.chars().take(limits::STREAM).collect();
        let text = format!(
            "stream {shown:?} has {} bytes: a stream's name is 1 to {} printable ASCII characters without spaces",
            name.len(),
            limits::STREAM
        );
        Err(StoreError::new(StoreErrorKind::Invalid, text))
    }

    /// The stream of one thing of a kind: `order/o-1`.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn of(kind: &str, id: &str) -> Result<Self, StoreError> {
        Self::new(format!("{kind}/{id}"))
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_streams_end_at_their_limit() {
        for name in ["a", "order/o-1", "order/~!", &"s".repeat(128)] {
            assert_eq!(StreamId::new(name).expect(name).as_str(), name);
        }
        for name in ["", "a b", "a\n", "é", &"s".repeat(129)] {
            let error = StreamId::new(name).expect_err(name);
            assert_eq!(error.kind(), StoreErrorKind::Invalid);
            assert!(error.to_string().contains("1 to 128 printable ASCII"), "{error}");
        }
    }
}
