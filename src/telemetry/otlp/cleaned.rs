//! What is sent is made fit to be told as the log is: no password of a URL, no control character, no end that never comes.
//!
//! It is done where batches are sent, on a thread of the SDK's.

use std::{fmt::Debug, time::Duration};

use opentelemetry::{
    Array, KeyValue, StringValue, Value,
    logs::{AnyValue, LogRecord, Logger, LoggerProvider, Severity},
    trace::Status,
};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    logs::{LogBatch, LogExporter, SdkLogRecord, SdkLogger, SdkLoggerProvider},
    trace::{SpanData, SpanExporter},
};

use crate::secret::clean::spelled_out;

/// Sends spans.
#[derive(Debug)]
pub(super) struct Spans<E>(pub(super) E);

impl<E: SpanExporter> SpanExporter for Spans<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.export(batch.into_iter().map(clean_span).collect()).await
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}

/// Sends log records.
#[derive(Debug)]
pub(super) struct Records<E> {
    exporter: E,
    /// Makes empty records; nothing else can.
    maker: SdkLogger,
}

impl<E> Records<E> {
    pub(super) fn new(exporter: E) -> Self {
        Self { exporter, maker: SdkLoggerProvider::builder().build().logger("") }
    }

    fn clean(&self, told: &SdkLogRecord) -> SdkLogRecord {
        let mut record = self.maker.create_log_record();
        told.event_name().into_iter().for_each(|name| record.set_event_name(name));
        told.target().into_iter().for_each(|target| record.set_target(target.clone()));
        told.timestamp().into_iter().for_each(|time| record.set_timestamp(time));
        told.observed_timestamp().into_iter().for_each(|time| record.set_observed_timestamp(time));
        told.severity_text().into_iter().for_each(|text| record.set_severity_text(text));
        told.severity_number().into_iter().for_each(|number| record.set_severity_number(number));
        told.body().into_iter().for_each(|body| record.set_body(clean_any(body)));
        if let Some(trace) = told.trace_context() {
            record.set_trace_context(trace.trace_id, trace.span_id, trace.trace_flags);
        }
        record.add_attributes(told.attributes_iter().map(|(name, value)| (name.clone(), clean_any(value))));
        record
    }
}

impl<E: LogExporter> LogExporter for Records<E> {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        let cleaned: Vec<_> = batch.iter().map(|(record, scope)| (self.clean(record), scope)).collect();
        let batch: Vec<_> = cleaned.iter().map(|(record, scope)| (record, *scope)).collect();
        self.exporter.export(LogBatch::new(&batch)).await
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn event_enabled(&self, level: Severity, target: &str, name: Option<&str>) -> bool {
        self.exporter.event_enabled(level, target, name)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

fn clean_span(mut span: SpanData) -> SpanData {
    span.name = spelled_out(&span.name).into();
    span.attributes.iter_mut().for_each(clean_attribute);
    for event in &mut span.events.events {
        event.name = spelled_out(&event.name).into();
        event.attributes.iter_mut().for_each(clean_attribute);
    }
    span.links.links.iter_mut().flat_map(|link| &mut link.attributes).for_each(clean_attribute);
    if let Status::Error { description } = &mut span.status {
        *description = spelled_out(description).into();
    }
    span
}

fn clean_attribute(attribute: &mut KeyValue) {
    match &mut attribute.value {
        Value::String(text) => *text = clean_text(text),
        Value::Array(Array::String(texts)) => texts.iter_mut().for_each(|text| *text = clean_text(text)),
        _ => {}
    }
}

fn clean_any(value: &AnyValue) -> AnyValue {
    match value {
        AnyValue::String(text) => AnyValue::String(clean_text(text)),
        AnyValue::ListAny(values) => AnyValue::ListAny(Box::new(values.iter().map(clean_any).collect())),
        AnyValue::Map(values) => {
            AnyValue::Map(Box::new(values.iter().map(|(name, value)| (name.clone(), clean_any(value))).collect()))
        }
        plain => plain.clone(),
    }
}

fn clean_text(text: &StringValue) -> StringValue {
    spelled_out(text.as_str()).into()
}
