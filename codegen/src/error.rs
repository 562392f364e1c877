//! What `compile` returns when contracts are wrong: every mistake at once.

use std::fmt;

use crate::model::{Location, Mistake, Mistakes};

/// Every mistake in the contracts, each with its place, the reason and a hint.
pub struct Error(Vec<Mistake>);

impl Error {
    /// Sorted by file and line, each mistake once.
    pub(crate) fn new(Mistakes(mut mistakes): Mistakes) -> Self {
        mistakes.sort();
        mistakes.dedup();
        Self(mistakes)
    }

    /// One mistake in something as a whole.
    pub(crate) fn of(file: &str, reason: &str, hint: &str) -> Self {
        let at = Location { file: file.to_owned(), line: 0, column: 0 };
        Self(vec![Mistake { at, reason: reason.to_owned(), hint: hint.to_owned() }])
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, Mistake { at, reason, hint }) in self.0.iter().enumerate() {
            if n > 0 {
                writeln!(f)?;
            }
            match at.line {
                0 => write!(f, "{}: {reason}", at.file)?,
                line => write!(f, "{}:{line}:{}: {reason}", at.file, at.column)?,
            }
            if !hint.is_empty() {
                write!(f, "\n  hint: {hint}")?;
            }
        }
        Ok(())
    }
}

/// The same text, below a line of its own: it is what a failing `build.rs` prints.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the contracts have mistakes")?;
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}
