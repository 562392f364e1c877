//! A handler's way to say what should become of a delivery that it could not handle.

use std::{fmt, time::Duration};

use crate::{
    codec::{DecodeError, DecodeErrorKind},
    error::BoxError,
};

/// Why a handler did not succeed, and what should be done about it.
///
/// `?` on any error means: retry this delivery, as the subscription's plan says.
pub struct HandlerError {
    pub(crate) verdict: Verdict,
    pub(crate) source: BoxError,
}

/// What should become of the delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Try again, after the plan's delay or this one.
    Retry(Option<Duration>),
    /// Give up now.
    Reject,
    /// The event could not be read: give up now.
    Undecodable(DecodeErrorKind),
}

impl HandlerError {
    /// Try again, after the delay of the subscription's plan.
    pub fn retry(error: impl Into<BoxError>) -> Self {
        Self { verdict: Verdict::Retry(None), source: error.into() }
    }

    /// Try again, but not before this delay. The attempt counts.
    pub fn retry_after(delay: Duration, error: impl Into<BoxError>) -> Self {
        Self { verdict: Verdict::Retry(Some(delay)), source: error.into() }
    }

    /// Give up now: no retry can help. The message becomes a dead letter with reason `permanent`.
    pub fn reject(error: impl Into<BoxError>) -> Self {
        Self { verdict: Verdict::Reject, source: error.into() }
    }

    pub(crate) fn undecodable(error: DecodeError) -> Self {
        Self { verdict: Verdict::Undecodable(error.kind()), source: error.into() }
    }
}

/// Any error asks for a retry. (`HandlerError` is no `Error` itself, so that this holds for all that are.)
impl<E: std::error::Error + Send + Sync + 'static> From<E> for HandlerError {
    fn from(error: E) -> Self {
        Self::retry(error)
    }
}

impl fmt::Display for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

impl fmt::Debug for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.verdict, self.source)
    }
}
