//! The topology: for programs as queues, for people as the way of each event.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

use super::{
    html::Html,
    site::{Site, Way},
};
use crate::transport::Reach;

/// Everything the service reads, as JSON tells it.
#[derive(Serialize)]
pub(super) struct Topology<'a> {
    service: &'a str,
    topics: Vec<Topic<'a>>,
    queues: Vec<Queue<'a>>,
}

#[derive(Serialize)]
struct Topic<'a> {
    name: &'a str,
    ordered: bool,
}

#[derive(Serialize)]
struct Queue<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    transport: Option<&'a str>,
    per_instance: bool,
    ordered: bool,
    halts_on_dead_letters: bool,
    concurrency: usize,
    dead_letters: &'a str,
    events: Vec<Handled<'a>>,
}

#[derive(Serialize)]
struct Handled<'a> {
    event: &'a str,
    topic: &'a str,
    routing_key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    filter: Option<String>,
    handler: &'a str,
    timeout_seconds: f64,
    retry_after_seconds: Vec<f64>,
}

/// The topology as data.
pub(super) fn data(site: &Site) -> Topology<'_> {
    let mut topics = BTreeMap::new();
    let mut queues = BTreeMap::<(Option<&str>, &str), Queue<'_>>::new();
    for way in &site.ways {
        let (queue, via) = (&way.queue, way.via.as_deref());
        topics.insert(&*way.binding.topic, Topic { name: &way.binding.topic, ordered: queue.ordered });
        queues.entry((via, &queue.name)).or_insert_with(|| Queue::of(way)).events.push(Handled::of(way));
    }
    Topology { service: &site.service, topics: topics.into_values().collect(), queues: queues.into_values().collect() }
}

impl<'a> Queue<'a> {
    fn of(way: &'a Way) -> Self {
        let queue = &way.queue;
        Self {
            name: &queue.name,
            transport: way.via.as_deref(),
            per_instance: queue.reach == Reach::PerInstance,
            ordered: queue.ordered,
            halts_on_dead_letters: queue.halts,
            concurrency: queue.concurrency,
            dead_letters: &queue.dead_letters,
            events: Vec::new(),
        }
    }
}

impl<'a> Handled<'a> {
    fn of(way: &'a Way) -> Self {
        Self {
            event: way.contract.name,
            topic: &way.binding.topic,
            routing_key: &way.binding.routing_key,
            filter: filter(way),
            handler: &way.handler,
            timeout_seconds: way.timeout.as_secs_f64(),
            retry_after_seconds: way.delays.iter().map(Duration::as_secs_f64).collect(),
        }
    }
}

fn filter(way: &Way) -> Option<String> {
    (!way.binding.policy.is_empty()).then(|| way.binding.policy.to_string())
}

/// The topology for people.
pub(super) fn page(site: &Site) -> Html {
    let html = Html::of("<h1>Topology</h1>");
    if site.ways.is_empty() {
        return html.raw("<p class=\"lead\">The service handles no events.</p>");
    }
    let html = html
        .raw("<p class=\"lead\">The way of each event: where it is published, which queue keeps it, who ")
        .raw("handles it, and what becomes of it where that fails.</p>");
    html.each(&site.ways, way)
}

fn way(way: &Way) -> Html {
    let queue = &way.queue;
    let html = Html::of("<h2>").link("/contracts/", way.contract.name).raw("</h2>\n<dl class=\"card pairs way\">");
    let html = html.raw("<dt>Topic</dt><dd>").code(&way.binding.topic).raw("</dd>");
    let html = match filter(way) {
        Some(filter) => html.raw("<dt>Filter</dt><dd>").code(filter).raw("</dd>"),
        None => html,
    };
    let html = html.raw("<dt>Queue</dt><dd>").code(&queue.name).html(kept(way)).raw("</dd>");
    let html = html.raw("<dt>Handler</dt><dd>").code(&way.handler).raw("<p class=\"soft\">").text(format_args!(
        "{} at once, {} each",
        queue.concurrency,
        shown(way.timeout)
    ));
    let html = html.raw("</p></dd><dt>Retries</dt><dd>").text(retries(&way.delays)).raw("</dd>");
    html.raw("<dt>Dead letters</dt><dd>").code(&queue.dead_letters).raw("</dd></dl>\n")
}

/// How a queue keeps its messages, where that is not as most do.
fn kept(way: &Way) -> Html {
    let via = way.via.as_ref().map(|name| format!("on {name}"));
    let ordered = way.queue.ordered.then(|| "in order per key".to_owned());
    let halts = way.queue.halts.then(|| "a dead letter halts its key".to_owned());
    let reach = (way.queue.reach != Reach::Shared).then(|| way.queue.reach.to_string());
    let words: Vec<String> = [via, ordered, halts, reach].into_iter().flatten().collect();
    match words.is_empty() {
        true => Html::default(),
        false => Html::of("<p class=\"soft\">").text(words.join(", ")).raw("</p>"),
    }
}

fn retries(delays: &[Duration]) -> String {
    match delays {
        [] => "none".to_owned(),
        delays => format!("after {}", delays.iter().map(|delay| shown(*delay)).collect::<Vec<_>>().join(", ")),
    }
}

/// A time in the largest unit that tells it whole.
fn shown(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        _ if time.subsec_nanos() > 0 || seconds == 0 => format!("{time:?}"),
        _ if seconds.is_multiple_of(3600) => format!("{} h", seconds / 3600),
        _ if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        _ => format!("{seconds} s"),
    }
}
