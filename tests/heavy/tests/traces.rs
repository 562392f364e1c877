//! Traces as OpenTelemetry's own SDK gets them.

use std::{
    collections::BTreeMap,
    fmt::{Debug, Write},
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use opentelemetry::trace::{SpanId, SpanKind, Status, TracerProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, Sampler, SdkTracerProvider, SpanData};
use tegami::{
    Context, Error, HandlerError, Publisher, Retry, Service,
    http::axum::{
        Router,
        extract::Path,
        http::{Request, StatusCode},
        routing::{get, post},
    },
    schedule::Tick,
    telemetry::Fact,
    testing::TestService,
    time::{Clock, Wall},
    transport::Memory,
};
use tegami_heavy_tests::heavy::v1::{Answered, Asked};
use tracing::{field::Field, span, subscriber::DefaultGuard};
use tracing_subscriber::{
    Layer, Registry,
    layer::{self, SubscriberExt},
    registry::LookupSpan,
};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

async fn ask(publisher: Publisher, Path(id): Path<String>) -> StatusCode {
    publisher
        .publish(&Asked::builder().id(id).build())
        .await
        .map_or(StatusCode::SERVICE_UNAVAILABLE, |_| StatusCode::ACCEPTED)
}

async fn answer(asked: Asked, ctx: Context) -> Result<(), HandlerError> {
    ctx.publish(&Answered::builder().id(asked.id).build()).await?;
    Ok(())
}

async fn note(_: Answered, _: Context) -> Result<(), HandlerError> {
    Ok(())
}

async fn refuse(_: Asked, _: Context) -> Result<(), HandlerError> {
    Err(HandlerError::reject("no"))
}

/// Spans of this thread, collected until it is over.
fn traced() -> (InMemorySpanExporter, DefaultGuard) {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    (exporter, tracing::subscriber::set_default(Registry::default().with(layer)))
}

fn span<'a>(spans: &'a [SpanData], name: &str) -> &'a SpanData {
    spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("`{name}` is not in {spans:#?}"))
}

fn said(span: &SpanData, name: &str) -> Option<String> {
    let found = span.attributes.iter().find(|attribute| attribute.key.as_str() == name);
    found.map(|attribute| attribute.value.to_string())
}

fn says(span: &SpanData, attributes: &[(&str, &str)]) {
    for (name, value) in attributes {
        assert_eq!(said(span, name).as_deref(), Some(*value), "{name} of {}", span.name);
    }
}

/// The spans of tegami, each below what it is a part of.
fn tree(exporter: &InMemorySpanExporter) -> String {
    let spans = exporter.get_finished_spans().expect("they are kept");
    let mut below: BTreeMap<[u8; 8], Vec<&SpanData>> = BTreeMap::new();
    for span in spans.iter() {
        let is_known = spans.iter().any(|other| other.span_context.span_id() == span.parent_span_id);
        let parent = if is_known { span.parent_span_id } else { SpanId::INVALID };
        below.entry(parent.to_bytes()).or_default().push(span);
    }
    fn write(below: &BTreeMap<[u8; 8], Vec<&SpanData>>, parent: SpanId, depth: usize, text: &mut String) {
        for span in below.get(&parent.to_bytes()).into_iter().flatten() {
            writeln!(text, "{}{} {:?}", "  ".repeat(depth), span.name, span.span_kind).expect("a string takes it");
            write(below, span.span_context.span_id(), depth + 1, text);
        }
    }
    let mut text = String::new();
    write(&below, SpanId::INVALID, 0, &mut text);
    text
}

#[tokio::test]
async fn one_trace_goes_from_a_request_over_publishes_to_the_last_handler() -> Result<(), Error> {
    let (exporter, _guard) = traced();
    let router = Router::new().route("/asked/{id}", post(ask));
    let service = Service::new("billing").on::<Asked>(answer).on::<Answered>(note).routes(router);
    let test = TestService::start(service).await?;
    let request = Request::post("/asked/a-1").header("traceparent", format!("00-{TRACE}-b7ad6b7169203331-01"));
    assert_eq!(test.call(request.body("").expect("a request")).await.status(), StatusCode::ACCEPTED);
    test.settle().await;
    test.stop().await?;
    let expected = "\
POST /asked/{id} Server
  publish heavy-v1 Producer
    process billing-heavy-v1-Asked Consumer
      publish heavy-v1 Producer
        process billing-heavy-v1-Answered Consumer
          ack billing-heavy-v1-Answered Client
      ack billing-heavy-v1-Asked Client
";
    assert_eq!(tree(&exporter), expected);
    for span in exporter.get_finished_spans().expect("they are kept") {
        assert_eq!(span.span_context.trace_id().to_string(), TRACE, "{}", span.name);
        assert_eq!(span.status, Status::Unset, "{}", span.name);
    }
    Ok(())
}

#[tokio::test]
async fn a_delivery_has_the_attributes_of_the_conventions_and_its_failure() -> Result<(), Error> {
    let (exporter, _guard) = traced();
    let test =
        TestService::start(Service::new("billing").on_with::<Asked>(refuse, |s| s.retry(Retry::never()))).await?;
    let id = test.publish(&Asked::builder().id("a-1").build()).await?;
    test.settle().await;
    test.stop().await?;
    let spans = exporter.get_finished_spans().expect("they are kept");
    let process = span(&spans, "process billing-heavy-v1-Asked");
    says(
        process,
        &[
            ("messaging.system", "memory"),
            ("messaging.operation.name", "process"),
            ("messaging.operation.type", "process"),
            ("messaging.destination.name", "billing-heavy-v1-Asked"),
            ("messaging.message.id", id.as_str()),
            ("tegami.event", "heavy.v1.Asked"),
            ("error.type", "permanent"),
        ],
    );
    assert_eq!(process.status, Status::error("permanent"));
    says(
        span(&spans, "dead-letter billing-heavy-v1-Asked"),
        &[
            ("messaging.system", "memory"),
            ("messaging.operation.name", "dead-letter"),
            ("messaging.operation.type", "settle"),
            ("messaging.destination.name", "billing-heavy-v1-Asked"),
            ("messaging.message.id", id.as_str()),
        ],
    );
    Ok(())
}

#[tokio::test]
async fn a_retry_and_a_dead_letter_have_spans_below_the_delivery_that_they_end() -> Result<(), Error> {
    async fn fail(asked: Asked, _: Context) -> Result<(), HandlerError> {
        Err(HandlerError::retry(asked.id))
    }
    let (exporter, _guard) = traced();
    let twice = Retry::after([Duration::from_secs(1)]);
    let test = TestService::start(Service::new("billing").on_with::<Asked>(fail, |s| s.retry(twice))).await?;
    test.publish(&Asked::builder().id("a-1").build()).await?;
    test.settle().await;
    test.stop().await?;
    let expected = "\
publish heavy-v1 Producer
  process billing-heavy-v1-Asked Consumer
    retry billing-heavy-v1-Asked Client
  process billing-heavy-v1-Asked Consumer
    dead-letter billing-heavy-v1-Asked Client
";
    assert_eq!(tree(&exporter), expected);
    let spans = exporter.get_finished_spans().expect("they are kept");
    for (how, reason) in [("retry", "handler-error"), ("dead-letter", "handler-error")] {
        let settled = span(&spans, &format!("{how} billing-heavy-v1-Asked"));
        says(settled, &[("messaging.operation.name", how), ("messaging.operation.type", "settle")]);
        let process = spans.iter().find(|span| span.span_context.span_id() == settled.parent_span_id);
        says(process.expect("it ended"), &[("error.type", reason)]);
    }
    Ok(())
}

#[tokio::test]
async fn a_publish_has_the_attributes_of_the_conventions_and_its_failure() -> Result<(), Error> {
    let (exporter, _guard) = traced();
    let memory = Memory::new();
    let service = Service::new("billing").transport(memory.clone()).on::<Answered>(note).start().await?;
    let id = service.publisher().publish(&Answered::builder().id("a-1").build()).await.expect("it is stored");
    service.publisher().publish(&Asked::builder().id("a-1").build()).await.expect_err("nobody listens");
    memory.quiet().await;
    service.stop().await?;
    let spans = exporter.get_finished_spans().expect("they are kept");
    let published: Vec<_> = spans.iter().filter(|span| span.name == "publish heavy-v1").collect();
    let [stored, refused] = published[..] else { panic!("{published:#?}") };
    for span in [stored, refused] {
        says(
            span,
            &[
                ("messaging.system", "memory"),
                ("messaging.operation.name", "publish"),
                ("messaging.operation.type", "send"),
                ("messaging.destination.name", "heavy-v1"),
            ],
        );
    }
    says(stored, &[("messaging.message.id", id.as_str()), ("tegami.event", "heavy.v1.Answered")]);
    assert_eq!((said(stored, "error.type"), &stored.status), (None, &Status::Unset));
    says(refused, &[("tegami.event", "heavy.v1.Asked"), ("error.type", "unroutable")]);
    assert!(matches!(refused.status, Status::Error { .. }), "{:?}", refused.status);
    Ok(())
}

#[tokio::test]
async fn a_request_has_the_attributes_of_the_conventions_and_its_failure() -> Result<(), Error> {
    let (exporter, _guard) = traced();
    let router = Router::new().route("/broken/{id}", get(async || StatusCode::BAD_GATEWAY));
    let service = Service::new("billing").routes(router).http(|http| http.trust_proxies(["127.0.0.1/32"]));
    let test = TestService::start(service).await?;
    let request = Request::get("/broken/b-1?x=1").header("host", "shop.example:8443").header("user-agent", "curl/8");
    let request = request.header("x-forwarded-for", "198.51.100.7").body("").expect("a request");
    assert_eq!(test.call(request).await.status(), StatusCode::BAD_GATEWAY);
    test.stop().await?;
    let spans = exporter.get_finished_spans().expect("they are kept");
    let asked = span(&spans, "GET /broken/{id}");
    says(
        asked,
        &[
            ("http.request.method", "GET"),
            ("http.route", "/broken/{id}"),
            ("http.response.status_code", "502"),
            ("error.type", "502"),
            ("url.path", "/broken/b-1"),
            ("url.scheme", "http"),
            ("server.address", "shop.example"),
            ("server.port", "8443"),
            ("client.address", "198.51.100.7"),
            ("network.protocol.version", "1.1"),
            ("user_agent.original", "curl/8"),
        ],
    );
    assert_eq!((&asked.span_kind, &asked.status), (&SpanKind::Server, &Status::error("")));
    Ok(())
}

#[tokio::test]
async fn a_run_begins_a_trace_by_the_name_of_its_schedule_and_shows_its_failure() -> Result<(), Error> {
    async fn tidy(tick: Tick) -> Result<(), HandlerError> {
        tick.publish(&Answered::builder().id("a-1").build()).await?;
        Err(HandlerError::reject("no"))
    }
    let (exporter, _guard) = traced();
    let half_past = Wall::following(Clock::starting_at(SystemTime::UNIX_EPOCH + Duration::from_secs(30)));
    let service = Service::new("billing").wall(half_past).every(Duration::from_secs(60), tidy).on::<Answered>(note);
    let test = TestService::start(service).await?;
    test.advance(Duration::from_secs(60)).await;
    test.settle().await;
    test.stop().await?;
    let expected = "\
tidy Internal
  publish heavy-v1 Producer
    process billing-heavy-v1-Answered Consumer
      ack billing-heavy-v1-Answered Client
";
    assert_eq!(tree(&exporter), expected);
    let spans = exporter.get_finished_spans().expect("they are kept");
    let run = span(&spans, "tidy");
    says(run, &[("tegami.schedule", "tidy"), ("error.type", "failed")]);
    let publish = span(&spans, "publish heavy-v1");
    let conversation = said(publish, "messaging.message.conversation_id");
    assert!(
        conversation.is_some()
            && conversation
                == said(span(&spans, "process billing-heavy-v1-Answered"), "messaging.message.conversation_id")
    );
    assert_eq!(run.status, Status::error("failed"));
    Ok(())
}

/// Keeps which trace each span names to the log once it is begun.
#[derive(Clone, Default)]
struct Named(Arc<Mutex<Vec<(&'static str, String)>>>);

impl<S: tracing::Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Named {
    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, context: layer::Context<'_, S>) {
        let name = context.span(id).expect("it is there").name();
        values.record(&mut |field: &Field, value: &dyn Debug| {
            if field.name() == "trace_id" {
                self.0.lock().expect("no panic").push((name, format!("{value:?}").trim_matches('"').to_owned()));
            }
        });
    }
}

#[tokio::test]
async fn the_log_knows_a_trace_that_a_request_begins() -> Result<(), Error> {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let named = Named::default();
    let _guard = tracing::subscriber::set_default(Registry::default().with(layer).with(named.clone()));
    let router = Router::new().route("/", get(async || StatusCode::OK));
    let test = TestService::start(Service::new("billing").routes(router)).await?;
    test.call(Request::get("/").body("").expect("a request")).await;
    test.stop().await?;
    let spans = exporter.get_finished_spans().expect("they are kept");
    let trace = span(&spans, "GET /").span_context.trace_id().to_string();
    assert_eq!(*named.0.lock().expect("no panic"), [("request", trace)]);
    Ok(())
}

#[tokio::test]
async fn the_log_knows_a_trace_that_nobody_records() -> Result<(), Error> {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_sampler(Sampler::AlwaysOff).with_simple_exporter(exporter.clone());
    let layer = tracing_opentelemetry::layer().with_tracer(provider.build().tracer("test"));
    let named = Named::default();
    let _guard = tracing::subscriber::set_default(Registry::default().with(layer).with(named.clone()));
    let router = Router::new().route("/", get(async || StatusCode::OK));
    let test = TestService::start(Service::new("billing").routes(router)).await?;
    test.call(Request::get("/").body("").expect("a request")).await;
    test.stop().await?;
    assert!(exporter.get_finished_spans().expect("they are kept").is_empty());
    let named = named.0.lock().expect("no panic");
    assert!(matches!(&named[..], [("request", trace)] if trace.len() == 32), "{named:?}");
    Ok(())
}

#[tokio::test]
async fn a_path_that_is_left_unobserved_is_in_no_trace_and_no_figure() -> Result<(), Error> {
    let (exporter, _guard) = traced();
    let router = ["/health", "/health/live", "/healthy"]
        .into_iter()
        .fold(Router::new(), |router, path| router.route(path, get(async || StatusCode::OK)))
        .route("/health/{id}", post(ask));
    let answered = Arc::<Mutex<Vec<String>>>::default();
    let seen = answered.clone();
    let observer = move |fact: &Fact<'_>| {
        if let Fact::Answered(answered) = fact {
            seen.lock().expect("no panic").extend(answered.route.map(str::to_owned));
        }
    };
    let service = Service::new("billing").on::<Asked>(answer).on::<Answered>(note).routes(router).observe(observer);
    let test = TestService::start(service.http(|http| http.unobserved(["/health/"]))).await?;
    for path in ["/health", "/health/live?x=/healthy", "/healthy"] {
        let request = Request::get(path).body("").expect("a request");
        assert_eq!(test.call(request).await.status(), StatusCode::OK, "{path}");
    }
    assert_eq!(tree(&exporter), "GET /healthy Server\n");
    assert_eq!(*answered.lock().expect("no panic"), ["/healthy"]);
    let request = Request::post("/health/a-1").header("traceparent", format!("00-{TRACE}-b7ad6b7169203331-01"));
    assert_eq!(test.call(request.body("").expect("a request")).await.status(), StatusCode::ACCEPTED);
    let publish = exporter.get_finished_spans().expect("they are kept").pop().expect("it was published");
    assert_eq!(
        (publish.name.as_ref(), publish.parent_span_id.to_string().as_str()),
        ("publish heavy-v1", "b7ad6b7169203331")
    );
    test.stop().await?;
    Ok(())
}
