//! What is told of each event, service, topic and queue. Each is there from the start, and shown where the address
//! names it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::{
    facts::{Facts, Queue, Version, Way},
    fields::{self, Field},
    html::Html,
};

/// Everything there is, one after the other.
pub(super) fn all(facts: &Facts) -> Html {
    let html = Html::default().each(facts.events.keys(), |event| self::event(facts, event));
    let html = html.each(&facts.services, |service| self::service(facts, service));
    let html = html.each(facts.topics(), |topic| self::topic(facts, topic));
    html.each(facts.queues(), |queue| self::queue(facts, queue))
}

impl Facts {
    /// The queues, by name.
    pub(super) fn queues(&self) -> BTreeSet<&Queue> {
        self.ways.iter().map(|way| &way.queue).collect()
    }

    /// The topics, by name.
    pub(super) fn topics(&self) -> BTreeSet<&str> {
        self.sends.iter().map(|sent| &*sent.topic).chain(self.ways.iter().map(|way| &*way.topic)).collect()
    }
}

/// What a contract says of its event.
pub(super) fn summary(version: &Version) -> &str {
    version.message["summary"].as_str().unwrap_or_default()
}

/// Its fields.
pub(super) fn fields(version: &Version) -> Vec<Field> {
    fields::of(&version.message["payload"]["schema"])
}

pub(super) fn queue_link(queue: &Queue) -> Html {
    Html::default().link_to("#queue-", &queue.id(), &queue.name).html(Html::soft(&on(queue)))
}

impl Queue {
    /// Its name, told from the same on another transport.
    pub(super) fn id(&self) -> String {
        let at = if self.transport.is_empty() { "" } else { "@" };
        format!("{}{at}{}", self.name, self.transport)
    }
}

fn on(queue: &Queue) -> String {
    if queue.transport.is_empty() { String::new() } else { format!("on {}", queue.transport) }
}

/// A thing, and what it is called.
fn thing(kind: &'static str, id: &str, name: &str) -> Html {
    let html = Html::of("<section class=\"thing\" tabindex=\"-1\" id=\"").raw(kind).raw("-").segment(id);
    html.raw("\">\n<p class=\"soft kind\">").raw(kind).raw("</p><h1>").code(name).raw("</h1>\n")
}

fn event(facts: &Facts, event: &str) -> Html {
    let mut versions = facts.versions(event).into_iter();
    let html = thing("event", event, event);
    let first = versions.next();
    let html = match first {
        Some(version) => html.raw("<p class=\"lead\">").text(summary(version)).raw("</p>\n"),
        None => html,
    };
    let html = html.html(first.map(self::facts).unwrap_or_default()).raw("<h2>Published by</h2>\n");
    let publishers = facts.publishers(event).map(|sent| {
        let service = Html::default().link("#service-", &sent.service);
        pair(service, Html::of("to topic ").link("#topic-", &sent.topic))
    });
    let html = html.html(card(publishers.collect(), "No service here says that it publishes it."));
    let html = html.raw("<h2>Handled by</h2>\n");
    let ways: Vec<Html> = facts.ways_of(event).map(|way| self::way(way, "event")).collect();
    let html = match ways.is_empty() {
        true => html.raw("<p class=\"soft\">No service here handles it.</p>\n"),
        false => html.each(ways, |way| way),
    };
    let html = html.html(first.map(contract).unwrap_or_default());
    html.each(versions, other).raw("</section>\n")
}

/// What a contract says beside its fields.
fn facts(version: &Version) -> Html {
    let told = |name: &str| match &version.message[name] {
        Json::String(text) => text.clone(),
        Json::Null => String::new(),
        other => other.to_string(),
    };
    let key = if version.message["x-ordered"] == true { "Key, kept in order" } else { "Key" };
    let rows = [("Version", "x-version"), (key, "x-key"), ("Fingerprint", "x-fingerprint")];
    let rows = rows.into_iter().map(|(name, member)| (name, told(member))).filter(|(_, value)| !value.is_empty());
    pairs(rows.map(|(name, value)| (name, Html::default().code(value))).collect())
}

/// Its fields, an example, its schema.
fn contract(version: &Version) -> Html {
    let html = Html::of("<h2>Fields</h2>\n").html(rows(version));
    let html = html.raw("<h2>Example</h2>\n").html(example(&version.message));
    let html = html.raw("<details><summary>JSON Schema</summary><pre class=\"card\" tabindex=\"0\">");
    html.text(format_args!("{:#}", version.message["payload"]["schema"])).raw("</pre></details>\n")
}

fn rows(version: &Version) -> Html {
    let rows = fields(version).iter().map(|field| row(&version.message, field)).collect();
    card(rows, "It has no fields.")
}

/// The contract of those who know another.
fn other(version: &Version) -> Html {
    let names: Vec<&str> = version.services.iter().map(String::as_str).collect();
    let html = Html::of("<h2>As ").text(names.join(", ")).raw(" knows it</h2>\n").html(facts(version));
    html.html(rows(version))
}

fn example(message: &Json) -> Html {
    let Some(example) = message["examples"][0].get("payload") else {
        return Html::of("<p class=\"soft\">The rules of this contract are too many to make one up.</p>\n");
    };
    let html = Html::of("<pre class=\"card\" tabindex=\"0\">").text(format_args!("{example:#}")).raw("</pre>\n");
    let sizes: BTreeMap<&str, u64> = message["x-tried"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(name, size)| Some((&**name, size.as_u64()?)))
        .collect();
    if sizes.is_empty() {
        return html;
    }
    let sizes: Vec<String> = sizes.iter().map(|(name, size)| format!("{name} ({size} bytes)")).collect();
    let html = html.raw("<p class=\"soft\">Made up, and tried by the service's own code: written as ");
    html.text(sizes.join(" and as ")).raw(", and read again as the same event.</p>\n")
}

fn row(message: &Json, field: &Field) -> Html {
    let is = |name: &str| plain(name) == plain(&field.path);
    let attribute =
        message["x-attributes"].as_object().is_some_and(|attributes| attributes.keys().any(|name| is(name)));
    let key = message["x-key"].as_str().is_some_and(is);
    let tags = [("required", field.required), ("key", key), ("attribute", attribute)];
    let html = Html::default().text(&field.kind);
    let html = html.each(tags.into_iter().filter(|(_, is)| *is), |(tag, _)| {
        Html::of(" <span class=\"tag\">").raw(tag).raw("</span>")
    });
    let html = match field.comment.is_empty() {
        true => html,
        false => html.raw("<p>").text(&field.comment).raw("</p>"),
    };
    pair(Html::default().code(&field.path), html.html(Html::soft(&field.rules.join("; "))))
}

/// A name without what tells `order_id` from `orderId`.
fn plain(name: &str) -> String {
    name.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect()
}

/// An event's way, but for what it stands under.
fn way(way: &Way, under: &str) -> Html {
    let link = |kind: &'static str, name: &str| Html::default().link(kind, name);
    let code = |text: &str| if text.is_empty() { Html::default() } else { Html::default().code(text) };
    let queue =
        if way.queue.name.is_empty() { Html::default() } else { queue_link(&way.queue).html(Html::soft(&way.kept)) };
    let rows = [
        ("Event", link("#event-", &way.event)),
        ("Topic", link("#topic-", &way.topic)),
        ("Filter", code(&way.filter)),
        ("Queue", queue),
        ("Service", link("#service-", &way.service)),
        ("Made into", if way.upcast_to.is_empty() { Html::default() } else { link("#event-", &way.upcast_to) }),
        ("Handler", code(&way.handler).html(Html::soft(&way.pace))),
        ("Retries", Html::default().text(&way.retries)),
        ("Dead letters", code(&way.dead_letters)),
    ];
    let told = |(name, html): &(&str, Html)| !html.is_empty() && !name.eq_ignore_ascii_case(under);
    pairs(rows.into_iter().filter(told).collect())
}

fn service(facts: &Facts, service: &str) -> Html {
    let publishes = facts.sends.iter().filter(|sent| sent.service == service).map(|sent| {
        pair(Html::default().link("#event-", &sent.event), Html::of("to topic ").link("#topic-", &sent.topic))
    });
    let html = thing("service", service, service).raw("<h2>Publishes</h2>\n");
    let html = html.html(card(publishes.collect(), "It does not say that it publishes anything."));
    let html = html.raw("<h2>Handles</h2>\n");
    let handles = facts.ways.iter().filter(|way| way.service == service).map(|way| {
        let html = Html::default().link("#event-", &way.event);
        pair(html, Html::of("from queue ").html(queue_link(&way.queue)))
    });
    html.html(card(handles.collect(), "It handles no events.")).raw("</section>\n")
}

fn topic(facts: &Facts, topic: &str) -> Html {
    let html = thing("topic", topic, topic).raw("<h2>Publish to it</h2>\n");
    let publishes = facts.sends.iter().filter(|sent| sent.topic == topic).map(|sent| {
        pair(Html::default().link("#service-", &sent.service), Html::default().link("#event-", &sent.event))
    });
    let html = html.html(card(publishes.collect(), "No service here says that it does.")).raw("<h2>Flows into</h2>\n");
    let queues = facts.ways.iter().filter(|way| way.topic == topic).map(|way| {
        let filter = if way.filter.is_empty() { String::new() } else { format!("if {}", way.filter) };
        pair(queue_link(&way.queue), Html::default().link("#event-", &way.event).html(Html::soft(&filter)))
    });
    html.html(card(queues.collect(), "No queue here.")).raw("</section>\n")
}

fn queue(facts: &Facts, queue: &Queue) -> Html {
    let ways = || facts.ways.iter().filter(|way| way.queue == *queue);
    let kept = ways().next().map(|way| &*way.kept).unwrap_or_default();
    let html = thing("queue", &queue.id(), &queue.name).html(Html::soft(&on(queue))).html(Html::soft(kept));
    html.each(ways(), |way| self::way(way, "queue")).raw("</section>\n")
}

fn pair(name: Html, value: Html) -> Html {
    Html::of("<div class=\"row\"><dt>").html(name).raw("</dt><dd>").html(value).raw("</dd></div>\n")
}

/// Rows, or why there are none.
fn card(rows: Vec<Html>, none: &'static str) -> Html {
    match rows.is_empty() {
        true => Html::of("<p class=\"soft\">").raw(none).raw("</p>\n"),
        false => Html::of("<dl class=\"card\">\n").each(rows, |row| row).raw("</dl>\n"),
    }
}

fn pairs(rows: Vec<(&'static str, Html)>) -> Html {
    let html = Html::of("<dl class=\"card pairs\">\n");
    html.each(rows, |(name, value)| Html::of("<dt>").raw(name).raw("</dt><dd>").html(value).raw("</dd>\n"))
        .raw("</dl>\n")
}
