//! From what `tracing` is told to lines: a span's fields are kept with it, and stand in each line within it.

use std::time::SystemTime;

use tracing::{Event, Subscriber, span};
use tracing_subscriber::{
    layer::{Context, Layer},
    registry::LookupSpan,
};

use super::{colour::Colour, console, fields::Fields, json};
use crate::{codec::json::timestamp, time::Wall};

/// How a line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Console(Colour),
    Json,
    Silent,
}

/// One line in the making.
pub(super) struct Line<'a> {
    pub(super) timestamp: String,
    pub(super) logger: &'a str,
    pub(super) level: &'static str,
    pub(super) fields: Fields,
}

/// Writes lines.
pub(super) struct Lines<W> {
    format: Format,
    wall: Wall,
    write: W,
}

impl<W: Fn(&str) + 'static> Lines<W> {
    pub(super) fn new(format: Format, write: W) -> Self {
        Self { format, wall: Wall::system(), write }
    }

    fn tell(&self, line: &Line<'_>) {
        let mut text = String::with_capacity(256);
        match self.format {
            Format::Console(colour) => console::render(line, colour, &mut text),
            Format::Json => json::render(line, &mut text),
            Format::Silent => return,
        }
        (self.write)(&text);
    }
}

impl<S, W> Layer<S> for Lines<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: Fn(&str) + 'static,
{
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut extensions = span.extensions_mut();
        if let Some(fields) = extensions.get_mut::<Fields>() {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(known) = span.extensions().get::<Fields>() {
                fields.extend(known);
            }
        }
        event.record(&mut fields);
        let metadata = event.metadata();
        let timestamp = told(self.wall.now());
        self.tell(&Line { timestamp, logger: metadata.target(), level: level(*metadata.level()), fields });
    }
}

/// As tomodachi has it.
fn level(level: tracing::Level) -> &'static str {
    match level {
        tracing::Level::ERROR => "error",
        tracing::Level::WARN => "warning",
        tracing::Level::INFO => "info",
        tracing::Level::DEBUG => "debug",
        tracing::Level::TRACE => "trace",
    }
}

/// UTC, to the microsecond: `2026-01-01T00:00:00.000000Z`.
fn told(time: SystemTime) -> String {
    let mut timestamp = prost_types::Timestamp::from(time);
    let micros = timestamp.nanos / 1_000;
    timestamp.nanos = 0;
    let seconds = timestamp::to_text(timestamp).unwrap_or_default();
    format!("{}.{micros:06}Z", seconds.trim_end_matches('Z'))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_time_has_six_digits_whatever_it_is() {
        for (nanos, text) in [(0, "000000"), (768_429_999, "768429"), (1_000, "000001"), (500_000_000, "500000")] {
            let time = SystemTime::UNIX_EPOCH + Duration::new(1_795_224_550, nanos);
            assert_eq!(told(time), format!("2026-11-21T01:29:10.{text}Z"));
        }
    }
}
