//! What every log line of a delivery has: a span around all that happens to it, which is also its part of a trace.

use tracing::{Span, field::Empty};

use super::{Delivery, Opened, Pipeline};
use crate::{
    envelope::MessageId,
    publisher::Trace,
    telemetry::{
        registry,
        spans::{self, About, Kind},
    },
};

/// The span of a delivery, with what is known of it. It is of the highest level: a log of errors alone has it too.
pub(super) fn of(pipeline: &Pipeline, delivery: &Delivery, opened: &Opened) -> Span {
    if !spans::are_wanted() {
        return Span::none();
    }
    let (route, head) = opened.as_ref().ok().map(|known| (&known.route, &known.message.head)).unzip();
    let event = route.map(|route| route.contract.name);
    let id = head.and_then(|head| head.id.as_ref()).or(delivery.id.as_ref());
    let correlation_id = head.and_then(|head| head.correlation_id.as_ref()).or(id);
    let (trace, queue) = (head.map(Trace::of).unwrap_or_default(), &*pipeline.queue);
    let span = tracing::error_span!(
        "delivery",
        handler = route.map(|route| &*route.name),
        queue,
        event,
        message_id = id.map(display),
        attempt = delivery.attempt,
        correlation_id = correlation_id.map(display),
        trace_id = trace.id(),
        otel.name = Empty,
        otel.kind = Empty,
    );
    let attributes = [
        ("messaging.system", Some(registry::of_queues(pipeline.system))),
        ("messaging.operation.name", Some("process")),
        ("messaging.operation.type", Some("process")),
        ("messaging.destination.name", Some(queue)),
        ("messaging.message.id", id.map(MessageId::as_str)),
        ("messaging.message.conversation_id", correlation_id.map(MessageId::as_str)),
        ("tegami.event", event),
    ];
    let (name, parent) = (format_args!("process {queue}"), trace.context());
    spans::begin(&span, About { name, kind: Kind::Consumer, parent, attributes: &attributes });
    span
}

/// The span of the transport's being told what became of a delivery: `ack`, `release`, `retry` or `dead-letter`.
pub(super) fn settling(pipeline: &Pipeline, how: &'static str, delivery: &Delivery) -> Span {
    if !spans::are_wanted() {
        return Span::none();
    }
    let (span, queue) = (tracing::error_span!("settle", how, otel.name = Empty, otel.kind = Empty), &*pipeline.queue);
    let attributes = [
        ("messaging.system", Some(registry::of_queues(pipeline.system))),
        ("messaging.operation.name", Some(how)),
        ("messaging.operation.type", Some("settle")),
        ("messaging.destination.name", Some(queue)),
        ("messaging.message.id", delivery.id.as_ref().map(MessageId::as_str)),
    ];
    let name = format_args!("{how} {queue}");
    spans::begin(&span, About { name, kind: Kind::Client, parent: None, attributes: &attributes });
    span
}
