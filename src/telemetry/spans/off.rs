//! Stands in for OpenTelemetry: nobody is told.

use tracing::Span;

use super::{About, Context, Told};

/// May somebody be told?
#[cfg_attr(not(feature = "http"), expect(dead_code, reason = "there are no requests"))]
pub(crate) const LISTENS: bool = false;

/// Nothing.
pub(crate) fn begin(_: &Span, _: About<'_>) {}

/// None of its own.
pub(crate) fn context(_: &Span) -> Option<Context> {
    None
}

/// Nothing.
pub(crate) fn tell<I>(_: &Span, _: impl FnOnce() -> I)
where
    I: IntoIterator<Item = (&'static str, Option<Told>)>,
{
}

/// Nothing.
#[cfg_attr(not(feature = "http"), expect(dead_code, reason = "there are no requests"))]
pub(crate) fn route(_: &Span, _: &str, _: &str) {}

/// Nothing.
#[cfg_attr(not(feature = "http"), expect(dead_code, reason = "there are no requests"))]
pub(crate) fn answer(_: &Span, _: u16) {}

/// Nothing.
pub(crate) fn fail(_: &Span, _: &str, _: &str) {}
