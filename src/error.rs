//! The one shape every public error of tegami has.
//!
//! A seam (publish, decode, settle …) names its causes in an enum that implements [`Kind`]; its error is
//! `Failure` over that enum. What a cause means lives with the seam, not here.

use std::{any::Any, error::Error as StdError, fmt};

/// Any error at all, owned and ready to cross threads.
pub type BoxError = Box<dyn StdError + Send + Sync + 'static>;

/// The causes of failure at one seam.
pub trait Kind: fmt::Debug + Copy + Send + Sync + 'static {
    /// May the same call succeed later, with nothing changed by the caller?
    fn is_transient(self) -> bool;
}

/// What went wrong: a kind to decide by, a text to read, and the cause underneath.
///
/// `Display` prints the text alone; walk [`source`](std::error::Error::source) for the causes.
/// `Debug` prints the whole chain, so that `fn main() -> Result<(), _>` reads well.
pub struct Failure<K> {
    kind: K,
    text: Box<str>,
    source: Option<BoxError>,
}

impl<K: Kind> Failure<K> {
    /// A failure of this kind, with a text that names the thing.
    pub fn new(kind: K, text: impl Into<String>) -> Self {
        Self { kind, text: text.into().into_boxed_str(), source: None }
    }

    /// The same failure, with its cause underneath.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The same failure at another seam.
    pub(crate) fn of_kind<L: Kind>(self, kind: L) -> Failure<L> {
        Failure { kind, text: self.text, source: self.source }
    }

    /// The same failure for one more who asks: its causes are told as text.
    #[cfg(any(test, feature = "amqp", feature = "aws", feature = "schedule", feature = "sqlite"))]
    pub(crate) fn again(&self) -> Self {
        let again = Self::new(self.kind, &*self.text);
        match self.source() {
            Some(cause) => again.caused_by(told(cause)),
            None => again,
        }
    }

    /// Which of the seam's causes this is.
    pub fn kind(&self) -> K {
        self.kind
    }

    /// May the same call succeed later?
    pub fn is_transient(&self) -> bool {
        self.kind.is_transient()
    }
}

impl<K> Failure<K> {
    /// The cause underneath alone.
    #[cfg(feature = "sqlite")]
    pub(crate) fn into_cause(self) -> Option<BoxError> {
        self.source
    }
}

impl<K: 'static> Failure<K> {
    /// As a log takes it: it then tells the causes, too.
    pub(crate) fn with_causes(&self) -> &(dyn StdError + 'static) {
        self
    }
}

impl<K> fmt::Display for Failure<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<K> fmt::Debug for Failure<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        let source = self.source.as_deref().map(|source| source as &dyn StdError);
        causes(source).try_for_each(|error| write!(f, "\n  because: {error}"))
    }
}

/// An error with its causes, on one line.
pub(crate) fn told(error: &(dyn StdError + 'static)) -> String {
    causes(Some(error)).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// An error, its cause, the cause of that, and so on.
pub(crate) fn causes<'a>(
    first: Option<&'a (dyn StdError + 'static)>,
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(first, |error| (**error).source())
}

impl<K> StdError for Failure<K> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panicked: {}", text.unwrap_or("(no text)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq)]
    struct Always;
    impl Kind for Always {
        fn is_transient(self) -> bool {
            true
        }
    }

    #[test]
    fn display_keeps_the_cause_to_itself_and_debug_walks_the_chain() {
        let inner = Failure::new(Always, "disk full");
        let outer = Failure::new(Always, "topic `a` refused the message").caused_by(inner);
        assert_eq!(outer.to_string(), "topic `a` refused the message");
        assert_eq!(format!("{outer:?}"), "topic `a` refused the message\n  because: disk full");
        assert_eq!(format!("{:?}", outer.again()), format!("{outer:?}"));
    }
}
