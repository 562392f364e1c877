//! Why something is no schedule.

use crate::error::{Failure, Kind};

/// Why something is no schedule: what was written, where it goes wrong, what was expected.
pub type ScheduleError = Failure<ScheduleErrorKind>;

/// The causes of a [`ScheduleError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScheduleErrorKind {
    /// An expression or a timestamp cannot be read; the text has the character and what was expected.
    Expression,
    /// It can be read, but never comes: the 30th of February.
    Never,
    /// No time zone has this name.
    Zone,
    /// An interval, a jitter or a name is out of its bounds.
    Setting,
}

impl Kind for ScheduleErrorKind {
    fn is_transient(self) -> bool {
        false
    }
}

/// What is wrong at one place of an expression.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) kind: ScheduleErrorKind,
    /// The first wrong character, from 1.
    pub(super) at: usize,
    /// What stands there, and what should.
    pub(super) text: String,
}

impl Wrong {
    /// What stands there, and what was expected.
    pub(super) fn new(at: usize, text: impl Into<String>) -> Self {
        Self { kind: ScheduleErrorKind::Expression, at, text: text.into() }
    }

    /// Read as meant, it never comes.
    pub(super) fn never(at: usize, text: impl Into<String>) -> Self {
        Self { kind: ScheduleErrorKind::Never, ..Self::new(at, text) }
    }

    /// The error, with all that was written.
    pub(super) fn within(self, expression: &str) -> ScheduleError {
        let Self { kind, at, text } = self;
        ScheduleError::new(kind, format!("`{}` at character {at}: {text}", expression.escape_debug()))
    }
}
