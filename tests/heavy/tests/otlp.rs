//! What a collector gets by OTLP: a service of tegami is the receiver, and OpenTelemetry's own types read what comes.

use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::{
    collector::{
        logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest,
        trace::v1::ExportTraceServiceRequest,
    },
    common::v1::{KeyValue, any_value},
    trace::v1::Span,
};
use prost::Message;
use tegami::{
    Context, Error, HandlerError, Publisher, Service,
    http::axum::{Router, body::Bytes, extract::State, routing::post},
    service::Running,
    telemetry::Otlp,
    transport::{Memory, Transport, amqp::Amqp},
};
use tegami_heavy_tests::heavy::v1::{Answered, Asked};
use tegami_test_servers::{Rabbit, Release};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::mpsc,
};
use tracing_subscriber::{Registry, layer::SubscriberExt};

/// What came: in lines, as it was sent, and the spans in it.
type Came = Arc<Mutex<Received>>;

#[derive(Clone, Default)]
struct Received {
    lines: Vec<String>,
    bodies: Vec<Bytes>,
    spans: Vec<Span>,
}

fn text(attributes: &[KeyValue], name: &str) -> String {
    let found = attributes.iter().find(|attribute| attribute.key == name);
    match found.and_then(|attribute| attribute.value.as_ref()?.value.as_ref()) {
        Some(any_value::Value::StringValue(text)) => text.clone(),
        other => format!("{other:?}"),
    }
}

fn keep(came: &Came, body: Bytes, lines: impl Iterator<Item = String>) {
    let mut came = came.lock().expect("no panic");
    came.lines.extend(lines);
    came.bodies.push(body);
}

async fn traces(State(came): State<Came>, body: Bytes) {
    let request = ExportTraceServiceRequest::decode(body.clone()).expect("it is one");
    for of_resource in request.resource_spans {
        let service = text(&of_resource.resource.expect("it has one").attributes, "service.name");
        let spans: Vec<Span> = of_resource.scope_spans.into_iter().flat_map(|scope| scope.spans).collect();
        came.lock().expect("no panic").spans.extend(spans.iter().cloned());
        keep(&came, body.clone(), spans.iter().map(|span| format!("{service} span {}", span.name)));
    }
}

async fn figures(State(came): State<Came>, body: Bytes) {
    let request = ExportMetricsServiceRequest::decode(body.clone()).expect("it is one");
    let scopes = request.resource_metrics.into_iter().flat_map(|of_resource| of_resource.scope_metrics);
    keep(&came, body, scopes.flat_map(|scope| scope.metrics).map(|metric| format!("figure {}", metric.name)));
}

async fn logs(State(came): State<Came>, body: Bytes) {
    let request = ExportLogsServiceRequest::decode(body.clone()).expect("it is one");
    let scopes = request.resource_logs.into_iter().flat_map(|of_resource| of_resource.scope_logs);
    let said = |body: Option<any_value::Value>| match body {
        Some(any_value::Value::StringValue(text)) => text,
        other => format!("{other:?}"),
    };
    keep(
        &came,
        body,
        scopes.flat_map(|scope| scope.log_records).map(|record| {
            format!("log {} in a trace: {}", said(record.body.and_then(|body| body.value)), !record.trace_id.is_empty())
        }),
    );
}

async fn collector(came: &Came) -> Result<Running, Error> {
    let router = Router::new()
        .route("/v1/traces", post(traces))
        .route("/v1/metrics", post(figures))
        .route("/v1/logs", post(logs));
    let service = Service::new("collector").transport(Memory::new()).state(came.clone()).routes(router);
    service.http(|http| http.address("127.0.0.1:0")).start().await
}

async fn refuse(_: Asked, _: Context) -> Result<(), HandlerError> {
    Err(HandlerError::reject("no"))
}

#[tokio::test]
async fn a_collector_gets_spans_figures_and_the_log() -> Result<(), Error> {
    let came = Came::default();
    let collector = collector(&came).await?;
    let address = format!("http://{}/", collector.http_address().expect("it has routes"));
    let otlp = Otlp::to(&address, "billing").expect("it can be had");
    {
        let _guard = tracing::subscriber::set_default(Registry::default().with(otlp.layer()));
        let memory = Memory::new();
        let service = Service::new("billing").transport(memory.clone()).on::<Asked>(refuse).observe(otlp.observer());
        let billing = service.start().await?;
        billing.publisher().publish(&Asked::builder().id("a-1").build()).await.expect("it is stored");
        memory.quiet().await;
        // Nobody waits for half a minute.
        tokio::time::pause();
        tokio::time::sleep(std::time::Duration::from_secs(31)).await;
        tokio::time::resume();
        billing.stop().await?;
    }
    otlp.close().await;
    collector.stop().await?;
    let came = came.lock().expect("no panic").lines.clone();
    for line in [
        "billing span publish heavy-v1",
        "billing span process billing-heavy-v1-Asked",
        "figure messaging.process.duration",
        "figure messaging.client.operation.duration",
        "figure messaging.client.sent.messages",
        "figure messaging.client.consumed.messages",
        "figure tegami.dead_letters",
        "figure tegami.queue.messages",
        "log given up; kept as a dead letter in a trace: true",
    ] {
        assert!(came.iter().any(|there| there == line), "`{line}` is not in {came:#?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_collector_that_is_away_holds_nothing_up() -> Result<(), Error> {
    let otlp = Otlp::to("http://127.0.0.1:1", "billing").expect("it can be had");
    let memory = Memory::new();
    let service = Service::new("billing").transport(memory.clone()).on::<Asked>(refuse).observe(otlp.observer());
    let billing = service.start().await?;
    billing.publisher().publish(&Asked::builder().id("a-1").build()).await.expect("it is stored");
    memory.quiet().await;
    billing.stop().await?;
    let closing = tokio::time::timeout(std::time::Duration::from_secs(20), otlp.close());
    closing.await.expect("it ends");
    Ok(())
}

#[tokio::test]
async fn k03_no_password_of_a_url_and_no_control_character_is_sent() -> Result<(), Error> {
    let came = Came::default();
    let collector = collector(&came).await?;
    let otlp = Otlp::to(&format!("http://{}", collector.http_address().expect("it has routes")), "billing");
    let otlp = otlp.expect("it can be had");
    {
        let _guard = tracing::subscriber::set_default(Registry::default().with(otlp.layer()));
        let url = "https://user:s3cr3t@host/\u{1b}[31m";
        let span = tracing::info_span!("work", url, debug = ?[url], otel.name = url, otel.status_description = url);
        span.in_scope(|| tracing::error!(error = url, told = %url, list = ?[url], "asked {url}"));
    }
    otlp.close().await;
    collector.stop().await?;
    let bodies = came.lock().expect("no panic").bodies.clone();
    let told: Vec<_> = bodies.iter().map(|body| String::from_utf8_lossy(body)).collect();
    let cleaned = "https://user:***@host/\\u{1b}[31m";
    assert_eq!(told.iter().filter(|told| told.contains(cleaned)).count(), 2, "spans and log: {told:?}");
    assert!(!told.iter().any(|told| told.contains("s3cr3t") || told.contains("\u{1b}[31m")), "{told:?}");
    Ok(())
}

#[tokio::test]
async fn k02_a_collector_beyond_this_machine_is_told_nothing_unencrypted() {
    let refused = Otlp::to("http://collector:4318", "billing").expect_err("anybody could read it").to_string();
    assert!(refused.contains("OTEL_EXPORTER_OTLP_INSECURE=true"), "{refused}");
    assert!(Otlp::to("https://collector:4318", "billing").is_ok());
}

async fn asked(publisher: Publisher) {
    publisher.publish(&Asked::builder().id("a-1").build()).await.expect("it is stored");
}

async fn answer<S: Send + Sync + 'static>(asked: Asked, ctx: Context<S>) -> Result<(), HandlerError> {
    ctx.publish(&Answered::builder().id(asked.id).build()).await?;
    Ok(())
}

/// The last of them.
async fn note(_: Answered, ctx: Context<mpsc::Sender<()>>) -> Result<(), HandlerError> {
    ctx.state().send(()).await?;
    Ok(())
}

/// The names of the spans below this one, each further in than what it is a part of.
fn below(spans: &[Span], parent: &[u8], depth: usize) -> String {
    let mut here: Vec<_> = spans.iter().filter(|span| span.parent_span_id == parent).collect();
    here.sort_by_key(|span| span.start_time_unix_nano);
    let told = here
        .into_iter()
        .map(|span| format!("{}{}\n{}", "  ".repeat(depth), span.name, below(spans, &span.span_id, depth + 1)));
    told.collect()
}

/// The spans that a collector gets of one request, which is asked over this transport's messages to the last handler.
async fn followed(transport: impl Transport) -> Result<Vec<Span>, Error> {
    let came = Came::default();
    let collector = collector(&came).await?;
    let otlp = Otlp::to(&format!("http://{}", collector.http_address().expect("it has routes")), "billing");
    let otlp = otlp.expect("it can be had");
    {
        let _guard = tracing::subscriber::set_default(Registry::default().with(otlp.layer()));
        let (noted, mut last) = mpsc::channel(1);
        let service =
            Service::new("billing").transport(transport).state(noted).on::<Asked>(answer).on::<Answered>(note);
        let service = service.routes(Router::new().route("/asked/{id}", post(asked)));
        let billing = service.http(|http| http.address("127.0.0.1:0")).start().await?;
        let address = billing.http_address().expect("it has routes");
        let mut client = tokio::net::TcpStream::connect(address).await.expect("it listens");
        let head = "POST /asked/a-1 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        client.write_all(head.as_bytes()).await.expect("it takes it");
        client.read_to_string(&mut String::new()).await.expect("it answers");
        last.recv().await.expect("the last handler runs");
        billing.stop().await?;
    }
    otlp.close().await;
    collector.stop().await?;
    let spans = came.lock().expect("no panic").spans.clone();
    Ok(spans)
}

fn is_one_trace(spans: &[Span]) {
    let expected = "\
POST /asked/{id}
  publish heavy-v1
    process billing-heavy-v1-Asked
      publish heavy-v1
        process billing-heavy-v1-Answered
          ack billing-heavy-v1-Answered
      ack billing-heavy-v1-Asked
";
    assert_eq!(below(spans, &[], 0), expected);
    assert!(spans.iter().all(|span| span.trace_id == spans[0].trace_id), "{spans:#?}");
    assert_eq!((spans.len(), spans[0].trace_id.len()), (7, 16));
}

#[tokio::test]
async fn a_collector_gets_one_trace_from_a_request_to_the_last_handler() -> Result<(), Error> {
    is_one_trace(&followed(Memory::new()).await?);
    Ok(())
}

#[tokio::test]
async fn a_collector_gets_the_same_trace_over_rabbitmq_4() -> Result<(), Error> {
    let rabbit = Rabbit::take(Release::V4).await;
    let spans = followed(Amqp::new(rabbit.url())).await?;
    is_one_trace(&spans);
    let systems: Vec<String> = spans.iter().map(|span| text(&span.attributes, "messaging.system")).collect();
    assert_eq!(systems.iter().filter(|system| *system == "rabbitmq").count(), 6, "{systems:?}");
    Ok(())
}
