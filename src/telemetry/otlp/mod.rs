//! What a service tells to a collector, by OTLP over HTTP: traces, figures and the log.

mod cleaned;
mod client;
mod endpoint;
mod figures;

use std::{env, sync::Arc, time::Duration};

use futures_util::future::join_all;
use opentelemetry::{KeyValue, trace::TracerProvider};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::{LogExporter, MetricExporter, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource, error::OTelSdkResult, logs::SdkLoggerProvider, metrics::SdkMeterProvider, trace::SdkTracerProvider,
};
use tracing::Subscriber;
use tracing_subscriber::{Layer, filter::filter_fn, registry::LookupSpan};

use super::Observer;
use crate::{
    error::BoxError,
    lifecycle::{self, Quarters},
};
use cleaned::{Records, Spans};
use client::Client;
use figures::Figures;

/// How long what is left may take to go out at the end.
const GOODBYE: Duration = Duration::from_secs(3);
/// What the service is called.
const NAME: &str = "service.name";
/// Which of its replicas it is.
const INSTANCE: &str = "service.instance.id";
/// Parts of the program that sending goes through: what they tell would be sent, and told of again.
const SENDERS: [&str; 4] = ["opentelemetry", "hyper", "rustls", "h2"];

/// Sends traces, figures and the log to a collector.
///
/// What is sent, where and how is said by the variables of OpenTelemetry: `OTEL_EXPORTER_OTLP_ENDPOINT`, `_HEADERS`,
/// `_TIMEOUT`, each also for one signal; `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_TRACES_SAMPLER`,
/// `OTEL_BSP_…` and the others of its SDK. It is sent from threads of its own, in batches.
#[derive(Debug)]
pub struct Otlp {
    traces: SdkTracerProvider,
    figures: SdkMeterProvider,
    logs: SdkLoggerProvider,
    quarters: Arc<Quarters>,
}

/// Has one of them send what is left.
type Closing = Box<dyn FnOnce() -> OTelSdkResult + Send>;

impl Otlp {
    /// As the environment has it, for a service of this name; none, where it names no endpoint or has
    /// `OTEL_SDK_DISABLED=true`. `OTEL_SERVICE_NAME` counts more than the name.
    ///
    /// # Errors
    /// What the environment says cannot be had, or an endpoint beyond this machine is `http://`, so that all would go
    /// there unencrypted, and `OTEL_EXPORTER_OTLP_INSECURE=true` does not allow it; or the system has no thread for it.
    pub fn from_environment(service: &str) -> Result<Option<Self>, BoxError> {
        Self::of_replica(service, None)
    }

    /// The same, for one of the service's replicas.
    pub(crate) fn of_replica(service: &str, instance: Option<&str>) -> Result<Option<Self>, BoxError> {
        let endpoints = endpoint::told(variable);
        let is_off = variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        if is_off || endpoints.is_empty() {
            return Ok(None);
        }
        endpoints.iter().try_for_each(|(name, address)| endpoint::check(name, address, variable))?;
        Self::new(None, resource(service, instance)).map(Some)
    }

    /// To the collector at this address, such as `https://collector:4318`; for the rest as the environment has it.
    ///
    /// # Errors
    /// The address is none or is not safe, as in [`from_environment`](Self::from_environment), or what the environment
    /// says cannot be had.
    pub fn to(collector: &str, service: &str) -> Result<Self, BoxError> {
        endpoint::check("collector", collector, variable)?;
        Self::new(Some(collector), resource(service, None))
    }

    fn new(collector: Option<&str>, resource: Resource) -> Result<Self, BoxError> {
        let quarters = Arc::new(Quarters::open("tegami-otlp")?);
        let client = Client::new(quarters.clone())?;
        let traces = SpanExporter::builder().with_http().with_http_client(client.clone());
        let figures = MetricExporter::builder().with_http().with_http_client(client.clone());
        let logs = LogExporter::builder().with_http().with_http_client(client);
        let (traces, figures, logs) = match collector.map(|address| address.trim_end_matches('/')) {
            Some(address) => (
                traces.with_endpoint(format!("{address}/v1/traces")),
                figures.with_endpoint(format!("{address}/v1/metrics")),
                logs.with_endpoint(format!("{address}/v1/logs")),
            ),
            None => (traces, figures, logs),
        };
        let (traces, figures, logs) = (Spans(traces.build()?), figures.build()?, Records::new(logs.build()?));
        Ok(Self {
            traces: SdkTracerProvider::builder().with_resource(resource.clone()).with_batch_exporter(traces).build(),
            figures: SdkMeterProvider::builder()
                .with_resource(resource.clone())
                .with_periodic_exporter(figures)
                .build(),
            logs: SdkLoggerProvider::builder().with_resource(resource).with_batch_exporter(logs).build(),
            quarters,
        })
    }

    /// Sends spans and events of `tracing`, as a layer for a subscriber.
    pub fn layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    {
        let spans = tracing_opentelemetry::layer().with_tracer(self.traces.tracer("tegami"));
        let log = OpenTelemetryTracingBridge::new(&self.logs);
        let is_ours = filter_fn(|told| !SENDERS.iter().any(|sender| told.target().starts_with(sender)));
        spans.and_then(log).with_filter(is_ours)
    }

    /// Counts what happens, for [`Service::observe`](crate::Service::observe).
    pub fn observer(&self) -> impl Observer + use<> {
        Figures::new(&self.figures)
    }

    /// Sends what is left, for three seconds at most; what does not go out then is lost, and told in the log.
    pub async fn close(self) {
        self.close_within(GOODBYE).await;
    }

    /// The same in less time, if this is less.
    pub(crate) async fn close_within(self, limit: Duration) {
        let Self { traces, figures, logs, quarters } = self;
        let limit = limit.min(GOODBYE);
        let closing: [(_, Closing); 3] = [
            ("traces", Box::new(move || traces.shutdown_with_timeout(limit))),
            ("figures", Box::new(move || figures.shutdown_with_timeout(limit))),
            ("logs", Box::new(move || logs.shutdown_with_timeout(limit))),
        ];
        let closing = closing.map(|(what, close)| async move { (what, within(limit, close).await) });
        // Time is real there, where the service's may be a test's.
        match quarters.run(join_all(closing)).await {
            Ok(sent) => sent.into_iter().for_each(|(what, sent)| told(what, sent)),
            Err(error) => tracing::warn!(%error, "what was left to send was not sent"),
        }
    }
}

/// The SDK's own limit is not kept by all parts of it.
async fn within(limit: Duration, close: Closing) -> Result<(), BoxError> {
    let closed = tokio::time::timeout(limit, lifecycle::aside("tegami-goodbye", close)).await;
    Ok(closed.map_err(|_| format!("the collector did not take them within {limit:?}"))???)
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}

fn told(what: &str, sent: Result<(), BoxError>) {
    if let Err(error) = sent {
        tracing::warn!(%error, "the last {what} were not sent");
    }
}

/// Who tells: `service.name` and `service.instance.id` by the environment, else these.
fn resource(service: &str, instance: Option<&str>) -> Resource {
    let by_environment = Resource::builder().build();
    let said = |name: &'static str| by_environment.get(&name.into()).map(|value| value.to_string());
    // That is what the SDK says of a program without a name; and it takes the attributes' name before the variable's.
    let attribute = || said(NAME).filter(|name| !name.starts_with("unknown_service"));
    let told = variable("OTEL_SERVICE_NAME").filter(|name| !name.is_empty()).or_else(attribute);
    let name = KeyValue::new(NAME, told.unwrap_or_else(|| service.to_owned()));
    let instance = instance.filter(|_| said(INSTANCE).is_none());
    let instance = instance.map(|instance| KeyValue::new(INSTANCE, instance.to_owned()));
    Resource::builder().with_attribute(name).with_attributes(instance).build()
}
