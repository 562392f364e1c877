//! Facts as OpenTelemetry's figures, by the names of its conventions.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use opentelemetry::{
    KeyValue,
    metrics::{Counter, Gauge, Histogram, Meter, MeterProvider, UpDownCounter},
};
use opentelemetry_sdk::metrics::SdkMeterProvider;

use crate::telemetry::{
    Answered, Asked, BOUNDS, Counted, End, Fact, Lagged, Observer, Published, Ran, Settled, Taken, WAITS, registry,
};

/// What waits in which queue of which transport, as it was told last.
#[derive(Default)]
struct Waiting(Mutex<BTreeMap<[String; 2], u64>>);

/// The instruments.
pub(super) struct Figures {
    published: Histogram<f64>,
    sent: Counter<u64>,
    consumed: Counter<u64>,
    processed: Histogram<f64>,
    in_flight: UpDownCounter<i64>,
    retried: Counter<u64>,
    dead: Counter<u64>,
    waiting: Arc<Waiting>,
    waited: Histogram<f64>,
    behind: Gauge<u64>,
    behind_for: Gauge<f64>,
    stands: Gauge<u64>,
    ran: Histogram<f64>,
    active: UpDownCounter<i64>,
    answered: Histogram<f64>,
}

impl Figures {
    pub(super) fn new(provider: &SdkMeterProvider) -> Self {
        let meter = provider.meter("tegami");
        let count = |name: &'static str| meter.u64_counter(name).with_unit("{message}").build();
        Self {
            published: times(&meter, "messaging.client.operation.duration", &BOUNDS),
            sent: count("messaging.client.sent.messages"),
            consumed: count("messaging.client.consumed.messages"),
            processed: times(&meter, "messaging.process.duration", &BOUNDS),
            in_flight: meter.i64_up_down_counter("tegami.deliveries.in_flight").with_unit("{message}").build(),
            retried: count("tegami.retries"),
            dead: count("tegami.dead_letters"),
            waiting: Waiting::shown_by(&meter),
            waited: times(&meter, "tegami.delivery.wait", &WAITS),
            behind: meter.u64_gauge("tegami.projection.lag.events").with_unit("{event}").build(),
            behind_for: meter.f64_gauge("tegami.projection.lag").with_unit("s").build(),
            stands: meter.u64_gauge("tegami.projection.stands").build(),
            ran: times(&meter, "tegami.schedule.run.duration", &BOUNDS),
            active: meter.i64_up_down_counter("http.server.active_requests").with_unit("{request}").build(),
            answered: times(&meter, "http.server.request.duration", &BOUNDS),
        }
    }

    fn published(&self, Published { system, event, topic, took, error, .. }: &Published<'_>) {
        let mut labels = vec![
            label("messaging.system", registry::of_topics(system)),
            label("messaging.operation.name", "publish"),
            label("messaging.destination.name", topic),
            label("tegami.event", event),
        ];
        labels.extend(error.map(|kind| label("error.type", kind)));
        self.published.record(took.as_secs_f64(), &labels);
        if registry::was_sent(*error) {
            self.sent.add(1, &labels);
        }
    }

    fn taken(&self, Taken { system, queue }: &Taken<'_>) {
        let mut labels = of_queue(system, queue);
        self.in_flight.add(1, &labels);
        labels.push(processing());
        self.consumed.add(1, &labels);
    }

    fn settled(&self, settled: &Settled<'_>) {
        let Settled { system, queue, event, end, reason, took, waited, .. } = settled;
        let mut labels = of_queue(system, queue);
        self.in_flight.add(-1, &labels);
        labels.push(label("tegami.event", event.unwrap_or_default()));
        if let Some(waited) = waited {
            self.waited.record(waited.as_secs_f64(), &labels);
        }
        let why = || [&labels[..], &[label("tegami.reason", reason.unwrap_or_default())]].concat();
        match end {
            End::Retried => self.retried.add(1, &why()),
            End::DeadLettered => self.dead.add(1, &why()),
            _ => {}
        }
        labels.extend([label("tegami.outcome", end.as_str()), processing()]);
        labels.extend(reason.map(|reason| label("error.type", reason)));
        self.processed.record(took.as_secs_f64(), &labels);
    }

    fn lagged(&self, Lagged { projection, version, events, oldest, stands }: &Lagged<'_>) {
        let version = KeyValue::new("tegami.projection.version", i64::from(*version));
        let labels = [label("tegami.projection", projection), version];
        if let Some(events) = events {
            self.behind.record(*events, &labels);
        }
        if let Some(oldest) = oldest {
            self.behind_for.record(oldest.as_secs_f64(), &labels);
        }
        self.stands.record(u64::from(*stands), &labels);
    }

    fn answered(&self, Answered { method, scheme, route, status, took, .. }: &Answered<'_>) {
        let mut labels = asked(method, scheme);
        self.active.add(-1, &labels);
        labels.push(KeyValue::new("http.response.status_code", i64::from(*status)));
        labels.extend((*status >= 500).then(|| label("error.type", &status.to_string())));
        labels.extend(route.map(|route| label("http.route", route)));
        self.answered.record(took.as_secs_f64(), &labels);
    }
}

impl Observer for Figures {
    fn saw(&self, fact: &Fact<'_>) {
        match fact {
            Fact::Published(published) => self.published(published),
            Fact::Taken(taken) => self.taken(taken),
            Fact::Settled(settled) => self.settled(settled),
            Fact::Counted(counted) => self.waiting.keep(counted),
            Fact::Lagged(lagged) => self.lagged(lagged),
            Fact::Ran(Ran { schedule, outcome, took }) => {
                let labels = [label("tegami.schedule", schedule), label("tegami.outcome", outcome)];
                self.ran.record(took.as_secs_f64(), &labels);
            }
            Fact::Asked(Asked { method, scheme }) => self.active.add(1, &asked(method, scheme)),
            Fact::Answered(answered) => self.answered(answered),
        }
    }
}

impl Waiting {
    /// Shown whenever figures are sent; what is not known is not.
    fn shown_by(meter: &Meter) -> Arc<Self> {
        let waiting = Arc::<Self>::default();
        let shown = waiting.clone();
        let gauge = meter.u64_observable_gauge("tegami.queue.messages").with_unit("{message}");
        gauge
            .with_callback(move |gauge| {
                for ([system, queue], messages) in &*shown.known() {
                    gauge.observe(*messages, &of_queue(system, queue));
                }
            })
            .build();
        waiting
    }

    fn keep(&self, Counted { system, queue, messages }: &Counted<'_>) {
        let queue = [*system, *queue].map(str::to_owned);
        match messages {
            Some(messages) => drop(self.known().insert(queue, *messages)),
            None => drop(self.known().remove(&queue)),
        }
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<[String; 2], u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn times(meter: &Meter, name: &'static str, bounds: &[f64]) -> Histogram<f64> {
    meter.f64_histogram(name).with_unit("s").with_boundaries(bounds.to_vec()).build()
}

fn of_queue(system: &str, queue: &str) -> Vec<KeyValue> {
    vec![label("messaging.system", registry::of_queues(system)), label("messaging.destination.name", queue)]
}

fn asked(method: &str, scheme: &str) -> Vec<KeyValue> {
    vec![label("http.request.method", method), label("url.scheme", scheme)]
}

fn processing() -> KeyValue {
    label("messaging.operation.name", "process")
}

fn label(name: &'static str, value: &str) -> KeyValue {
    KeyValue::new(name, value.to_owned())
}
