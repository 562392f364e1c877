//! Spans as parts of traces: what OpenTelemetry is told of them, and the trace context they have as text.
//!
//! A span of `tracing` is one of OpenTelemetry's where the program has its layer. Without the feature `otel` nobody is
//! told, and contexts are handed on as they came.

#[cfg(not(feature = "otel"))]
mod off;
#[cfg(feature = "otel")]
mod on;

#[cfg(all(feature = "http", not(feature = "otel")))]
pub(crate) use off::{LISTENS, answer, route};
#[cfg(not(feature = "otel"))]
pub(crate) use off::{begin, context, fail, tell};
#[cfg(all(feature = "http", feature = "otel"))]
pub(crate) use on::{LISTENS, answer, route};
#[cfg(feature = "otel")]
pub(crate) use on::{begin, context, fail, tell};

use std::fmt::Arguments;

use tracing::level_filters::LevelFilter;

/// Is there anyone whom a span could be for? If not, nothing is to be made for one: `tracing`'s macros make a span's values
/// even so in a program that has its feature `log`, as programs with sqlx do.
pub(crate) fn are_wanted() -> bool {
    LevelFilter::current() != LevelFilter::OFF
}

/// What a span is, in the words of OpenTelemetry's semantic conventions.
#[cfg_attr(not(feature = "otel"), expect(dead_code, reason = "nobody is told"))]
pub(crate) struct About<'a> {
    pub(crate) name: Arguments<'a>,
    pub(crate) kind: Kind,
    /// What it is a part of, where that came from outside.
    pub(crate) parent: Option<&'a Context>,
    pub(crate) attributes: &'a [(&'static str, Option<&'a str>)],
}

/// Which side of an exchange it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Client,
    Producer,
    Consumer,
    #[cfg_attr(not(feature = "schedule"), expect(dead_code, reason = "nothing runs by the clock"))]
    Internal,
    #[cfg_attr(not(feature = "http"), expect(dead_code, reason = "there are no requests"))]
    Server,
}

/// What is told of a span.
#[cfg_attr(not(feature = "otel"), expect(dead_code, reason = "nobody is told"))]
pub(crate) enum Told {
    Text(String),
    #[cfg_attr(not(feature = "http"), expect(dead_code, reason = "there are no ports"))]
    Number(i64),
}

/// A place in a trace, in the form of W3C Trace Context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Context {
    pub(crate) parent: String,
    pub(crate) state: Option<String>,
}
