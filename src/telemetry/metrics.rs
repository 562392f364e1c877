//! Facts as figures, in the text that Prometheus reads (OpenMetrics).

use std::{
    fmt,
    sync::{Arc, atomic::AtomicU64},
};

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

use super::{
    Answered, Asked, BOUNDS, Counted, End, Fact, Lagged, Observer, Published, Ran, Settled, Taken, WAITS, registry,
};

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
    sent: Family<Labels, Counter>,
    consumed: Family<Labels, Counter>,
    processed: Times,
    in_flight: Family<Labels, Gauge>,
    retried: Family<Labels, Counter>,
    dead: Family<Labels, Counter>,
    waiting: Family<Labels, Gauge>,
    waited: Family<Labels, Histogram, Waits>,
    behind: Family<Labels, Gauge>,
    behind_for: Family<Labels, Gauge<f64, AtomicU64>>,
    stands: Family<Labels, Gauge>,
    ran: Times,
    active: Family<Labels, Gauge>,
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
        let (retried, dead, waiting) = (Family::default(), Family::default(), Family::default());
        let (sent, consumed, active) = (Family::default(), Family::default(), Family::default());
        registry.register("messaging_client_sent_messages", "Messages that went to a broker", Family::clone(&sent));
        let help = "Deliveries that were taken into work";
        registry.register("messaging_client_consumed_messages", help, Family::clone(&consumed));
        registry.register("http_server_active_requests", "Requests that are not answered yet", Family::clone(&active));
        registry.register("tegami_deliveries_in_flight", "Deliveries in work", Family::clone(&in_flight));
        registry.register("tegami_retries", "Deliveries that failed and come again", Family::clone(&retried));
        registry.register("tegami_dead_letters", "Deliveries that failed for good", Family::clone(&dead));
        let help = "Messages that wait in a queue, as its broker tells";
        registry.register("tegami_queue_messages", help, Family::clone(&waiting));
        let (behind, behind_for, stands) = (Family::default(), Family::default(), Family::default());
        let help = "A projection's events that are recorded and not handled yet";
        registry.register("tegami_projection_lag_events", help, Family::clone(&behind));
        let help = "How long ago the first of these was recorded";
        registry.register_with_unit("tegami_projection_lag", help, Unit::Seconds, Family::clone(&behind_for));
        let help = "1 where a projection stands still, as an event cannot be handled";
        registry.register("tegami_projection_stands", help, Family::clone(&stands));
        let help = "From a message's publish to its being taken";
        registry.register_with_unit("tegami_delivery_wait", help, Unit::Seconds, Family::clone(&waited));
        Self(Arc::new(Parts {
            registry,
            published,
            sent,
            consumed,
            processed,
            in_flight,
            retried,
            dead,
            waiting,
            waited,
            behind,
            behind_for,
            stands,
            ran,
            active,
            answered,
        }))
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
            Fact::Taken(taken) => self.0.taken(taken),
            Fact::Settled(settled) => self.0.settled(settled),
            Fact::Counted(counted) => self.0.counted(counted),
            Fact::Lagged(lagged) => self.0.lagged(lagged),
            Fact::Ran(Ran { schedule, outcome, took }) => {
                let labels = vec![("schedule", (*schedule).to_owned()), ("outcome", (*outcome).to_owned())];
                self.0.ran.get_or_create(&labels).observe(took.as_secs_f64(), None, None);
            }
            Fact::Asked(Asked { method, scheme }) => drop(self.0.active.get_or_create(&asked(method, scheme)).inc()),
            Fact::Answered(answered) => self.0.answered(answered),
        }
    }
}

impl Parts {
    fn published(&self, Published { system, event, topic, took, error, trace }: &Published<'_>) {
        let mut labels = vec![
            ("messaging_system", registry::of_topics(system).to_owned()),
            ("messaging_operation_name", "publish".to_owned()),
            ("messaging_destination_name", (*topic).to_owned()),
            ("event", (*event).to_owned()),
        ];
        labels.extend(error.map(|kind| ("error_type", kind.to_owned())));
        self.published.get_or_create(&labels).observe(took.as_secs_f64(), example(*trace), None);
        if registry::was_sent(*error) {
            self.sent.get_or_create(&labels).inc();
        }
    }

    fn taken(&self, Taken { system, queue }: &Taken<'_>) {
        let mut labels = of_queue(system, queue);
        self.in_flight.get_or_create(&labels).inc();
        labels.push(processing());
        self.consumed.get_or_create(&labels).inc();
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
        labels.extend([("outcome", end.as_str().to_owned()), processing()]);
        labels.extend(reason.map(|reason| ("error_type", reason.to_owned())));
        self.processed.get_or_create(&labels).observe(took.as_secs_f64(), example(*trace), None);
    }

    /// What is not known any more is not shown.
    fn counted(&self, Counted { system, queue, messages }: &Counted<'_>) {
        let labels = of_queue(system, queue);
        match messages.and_then(|messages| i64::try_from(messages).ok()) {
            Some(messages) => drop(self.waiting.get_or_create(&labels).set(messages)),
            None => drop(self.waiting.remove(&labels)),
        }
    }

    /// What is not known any more is not shown.
    fn lagged(&self, Lagged { projection, version, events, oldest, stands }: &Lagged<'_>) {
        let labels = vec![("projection", (*projection).to_owned()), ("version", version.to_string())];
        match events.and_then(|events| i64::try_from(events).ok()) {
            Some(events) => drop(self.behind.get_or_create(&labels).set(events)),
            None => drop(self.behind.remove(&labels)),
        }
        match oldest {
            Some(oldest) => drop(self.behind_for.get_or_create(&labels).set(oldest.as_secs_f64())),
            None => drop(self.behind_for.remove(&labels)),
        }
        self.stands.get_or_create(&labels).set(i64::from(*stands));
    }

    fn answered(&self, Answered { method, scheme, route, status, took, trace }: &Answered<'_>) {
        let mut labels = asked(method, scheme);
        self.active.get_or_create(&labels).dec();
        labels.push(("http_response_status_code", status.to_string()));
        labels.extend((*status >= 500).then(|| ("error_type", status.to_string())));
        labels.extend(route.map(|route| ("http_route", route.to_owned())));
        self.answered.get_or_create(&labels).observe(took.as_secs_f64(), example(*trace), None);
    }
}

fn of_queue(system: &str, queue: &str) -> Labels {
    vec![("messaging_system", registry::of_queues(system).to_owned()), ("messaging_destination_name", queue.to_owned())]
}

fn asked(method: &str, scheme: &str) -> Labels {
    vec![("http_request_method", method.to_owned()), ("url_scheme", scheme.to_owned())]
}

fn processing() -> (&'static str, String) {
    ("messaging_operation_name", "process".to_owned())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_active_until_it_is_answered() {
        let metrics = Metrics::new();
        let active = |metrics: &Metrics| {
            let text = metrics.text();
            let line = text.lines().find(|line| line.starts_with("http_server_active_requests{")).map(str::to_owned);
            line.expect("it is shown")
        };
        let labels = "http_request_method=\"GET\",url_scheme=\"https\"";
        metrics.saw(&Fact::Asked(Asked { method: "GET", scheme: "https" }));
        assert_eq!(active(&metrics), format!("http_server_active_requests{{{labels}}} 1"));
        let took = std::time::Duration::from_secs(1);
        let (method, scheme) = ("GET", "https");
        metrics.saw(&Fact::Answered(Answered { method, scheme, route: None, status: 503, took, trace: None }));
        assert_eq!(active(&metrics), format!("http_server_active_requests{{{labels}}} 0"));
        let failed =
            format!("duration_seconds_count{{{labels},http_response_status_code=\"503\",error_type=\"503\"}} 1");
        assert!(metrics.text().contains(&failed), "{}", metrics.text());
    }

    #[test]
    fn what_never_went_to_a_broker_is_not_counted_as_sent() {
        let metrics = Metrics::new();
        for error in [None, Some("unknown"), Some("invalid"), Some("closed")] {
            let took = std::time::Duration::from_secs(1);
            let (system, event, topic) = ("aws", "e", "t");
            metrics.saw(&Fact::Published(Published { system, event, topic, took, error, trace: None }));
        }
        let text = metrics.text();
        let sent: Vec<_> =
            text.lines().filter(|line| line.starts_with("messaging_client_sent_messages_total")).collect();
        assert_eq!(sent.len(), 2, "{text}");
        assert!(
            sent.iter().all(|line| line.contains("messaging_system=\"aws.sns\"") && line.ends_with(" 1")),
            "{text}"
        );
    }

    #[test]
    fn what_waits_is_shown_for_as_long_as_it_is_known() {
        let metrics = Metrics::new();
        let shown = |messages| {
            metrics.saw(&Fact::Counted(Counted { system: "amqp", queue: "billing", messages }));
            metrics.text().lines().filter(|line| line.starts_with("tegami_queue_messages{")).collect::<String>()
        };
        let labels = "messaging_system=\"rabbitmq\",messaging_destination_name=\"billing\"";
        assert_eq!(shown(Some(7)), format!("tegami_queue_messages{{{labels}}} 7"));
        assert_eq!(shown(None), "");
        assert_eq!(shown(Some(0)), format!("tegami_queue_messages{{{labels}}} 0"));
    }
}
