//! Facts as figures, in the text that Prometheus reads (OpenMetrics).

use std::{fmt, sync::Arc};

use prometheus_client::{
    encoding::text::encode,
    metrics::{
        counter::Counter,
        exemplar::HistogramWithExemplars,
        family::{Family, MetricConstructor},
        gauge::Gauge,
        histogram::Histogram,
    },
    registry::{Registry, Unit},
};

use super::{Answered, End, Fact, Observer, Published, Ran, Settled, Taken};

/// Upper bounds in seconds, those that OpenTelemetry's conventions advise for messages and requests.
const BOUNDS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
/// The same for how long messages waited, which may be hours.
const WAITS: [f64; 12] = [0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 86400.0];

type Labels = Vec<(&'static str, String)>;
type Example = [(&'static str, String); 1];
type Times = Family<Labels, HistogramWithExemplars<Example>, Seconds>;

/// Counts what happens in a service, for Prometheus. Clones are the same.
///
/// Names follow OpenTelemetry's semantic conventions as Prometheus spells them; what these do not know begins with
/// `tegami_`. A time is shown with the trace of its latest example, where there is one.
#[derive(Clone)]
pub struct Metrics(Arc<Parts>);

struct Parts {
    registry: Registry,
    published: Times,
    processed: Times,
    in_flight: Family<Labels, Gauge>,
    retried: Family<Labels, Counter>,
    dead: Family<Labels, Counter>,
    waited: Family<Labels, Histogram, Waits>,
    ran: Times,
    answered: Times,
}

impl Metrics {
    /// Nothing counted yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// All figures as OpenMetrics text, of the media type [`MEDIA_TYPE`](Self::MEDIA_TYPE).
    pub fn text(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.0.registry).expect("a string takes all that is written");
        text
    }

    /// What the text is.
    pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::default();
        let mut times = |name: &str, help: &str| {
            let family = Times::new_with_constructor(Seconds);
            registry.register_with_unit(name, help, Unit::Seconds, family.clone());
            family
        };
        let published = times("messaging_client_operation_duration", "From the call of publish to its answer");
        let processed = times("messaging_process_duration", "From a delivery's being taken to its being settled");
        let ran = times("tegami_schedule_run_duration", "From the begin of a schedule's run to its end");
        let answered = times("http_server_request_duration", "From a request's head to its answer's last byte");
        let (in_flight, waited) = (Family::default(), Family::new_with_constructor(Waits));
        let (retried, dead) = (Family::default(), Family::default());
        registry.register("tegami_deliveries_in_flight", "Deliveries in work", Family::clone(&in_flight));
        registry.register("tegami_retries", "Deliveries that failed and come again", Family::clone(&retried));
        registry.register("tegami_dead_letters", "Deliveries that failed for good", Family::clone(&dead));
        let help = "From a message's publish to its being taken";
        registry.register_with_unit("tegami_delivery_wait", help, Unit::Seconds, Family::clone(&waited));
        Self(Arc::new(Parts { registry, published, processed, in_flight, retried, dead, waited, ran, answered }))
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Observer for Metrics {
    fn saw(&self, fact: &Fact<'_>) {
        match fact {
            Fact::Published(published) => self.0.published(published),
            Fact::Taken(Taken { system, queue }) => {
                self.0.in_flight.get_or_create(&of_queue(system, queue)).inc();
            }
            Fact::Settled(settled) => self.0.settled(settled),
            Fact::Ran(Ran { schedule, outcome, took }) => {
                let labels = vec![("schedule", (*schedule).to_owned()), ("outcome", (*outcome).to_owned())];
                self.0.ran.get_or_create(&labels).observe(took.as_secs_f64(), None, None);
            }
            Fact::Answered(answered) => self.0.answered(answered),
        }
    }
}

impl Parts {
    fn published(&self, Published { system, event, topic, took, error, trace }: &Published<'_>) {
        let mut labels = vec![
            ("messaging_system", (*system).to_owned()),
            ("messaging_operation_name", "publish".to_owned()),
            ("messaging_destination_name", (*topic).to_owned()),
            ("event", (*event).to_owned()),
        ];
        labels.extend(error.map(|kind| ("error_type", kind.to_owned())));
        self.published.get_or_create(&labels).observe(took.as_secs_f64(), example(*trace), None);
    }

    fn settled(&self, settled: &Settled<'_>) {
        let Settled { system, queue, event, end, reason, took, waited, trace, .. } = settled;
        let mut labels = of_queue(system, queue);
        self.in_flight.get_or_create(&labels).dec();
        labels.push(("event", event.unwrap_or_default().to_owned()));
        if let Some(waited) = waited {
            self.waited.get_or_create(&labels).observe(waited.as_secs_f64());
        }
        let why = || [&labels[..], &[("reason", reason.unwrap_or_default().to_owned())]].concat();
        match end {
            End::Retried => drop(self.retried.get_or_create(&why()).inc()),
            End::DeadLettered => drop(self.dead.get_or_create(&why()).inc()),
            _ => {}
        }
        labels.push(("outcome", end.as_str().to_owned()));
        self.processed.get_or_create(&labels).observe(took.as_secs_f64(), example(*trace), None);
    }

    fn answered(&self, Answered { method, route, status, took, trace }: &Answered<'_>) {
        let mut labels =
            vec![("http_request_method", (*method).to_owned()), ("http_response_status_code", status.to_string())];
        labels.extend(route.map(|route| ("http_route", route.to_owned())));
        self.answered.get_or_create(&labels).observe(took.as_secs_f64(), example(*trace), None);
    }
}

fn of_queue(system: &str, queue: &str) -> Labels {
    vec![("messaging_system", system.to_owned()), ("messaging_destination_name", queue.to_owned())]
}

fn example(trace: Option<&str>) -> Option<Example> {
    trace.map(|trace| [("trace_id", trace.to_owned())])
}

/// Makes histograms of short times.
#[derive(Clone)]
struct Seconds;

impl MetricConstructor<HistogramWithExemplars<Example>> for Seconds {
    fn new_metric(&self) -> HistogramWithExemplars<Example> {
        HistogramWithExemplars::new(BOUNDS.into_iter())
    }
}

/// Makes histograms of waits.
#[derive(Clone)]
struct Waits;

impl MetricConstructor<Histogram> for Waits {
    fn new_metric(&self) -> Histogram {
        Histogram::new(WAITS)
    }
}
