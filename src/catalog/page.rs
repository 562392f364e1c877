//! The page: its frame, what it may do, and the list of all that there is.

use std::collections::BTreeSet;

use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};

use super::{
    facts::{Facts, Queue},
    html::Html,
    picture, things,
};

/// How every page looks.
const STYLE: &str = include_str!("style.css");
/// Finds what is typed. Without it all is there, and nothing is searched.
const SCRIPT: &str = include_str!("script.js");

/// What a page may do: be shown in our one style, and be searched by our one script.
pub(crate) fn policy() -> String {
    let hash = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; img-src data:; base-uri 'none'; \
         form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

/// A page of this title, with what stands in its head line.
pub(crate) fn framed(title: &str, head: Html, body: Html) -> String {
    let html = Html::of("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
        .raw("<meta http-equiv=\"content-security-policy\" content=\"")
        .text(policy())
        .raw("\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
        .raw("<meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n<title>")
        .text(title)
        .raw("</title>\n<style>")
        .raw(STYLE)
        .raw("</style>\n</head>\n<body>\n<nav>")
        .html(head)
        .raw("</nav>\n<main>\n")
        .html(body)
        .raw("\n</main>\n<footer>tegami ")
        .raw(env!("CARGO_PKG_VERSION"))
        .raw("</footer>\n</body>\n</html>\n");
    html.finish()
}

/// All that is known, on one page.
pub(super) fn of(title: &str, facts: &Facts, links: Html) -> String {
    let head = Html::of("<a class=\"home\" href=\"#\">").text(title).raw("</a> ").html(links);
    let head = head
        .raw(" <a href=\"#picture\">Picture</a> <a href=\"#all\">All</a> <input id=\"search\" type=\"search\" hidden ")
        .raw("placeholder=\"Event, field, service, queue\" aria-label=\"Search\" autocomplete=\"off\" spellcheck=\"false\">");
    let body = Html::of("<div id=\"all\"></div>\n<div id=\"list\">\n<h1>").text(title).raw("</h1>\n");
    let body = body.raw("<p class=\"lead\" id=\"found\" role=\"status\">").text(counted(facts)).raw("</p>\n");
    let body = body.html(list(facts)).html(picture::of(facts)).raw("</div>\n").html(things::all(facts));
    framed(title, head, body.raw("<script>").raw(SCRIPT).raw("</script>"))
}

fn counted(facts: &Facts) -> String {
    let queues = facts.queues().len();
    let parts = [(facts.events.len(), "event"), (facts.services.len(), "service"), (queues, "queue")];
    let parts = parts.map(|(count, name)| format!("{count} {name}{}", if count == 1 { "" } else { "s" }));
    parts.join(", ")
}

fn list(facts: &Facts) -> Html {
    let events = facts.events.keys().map(|event| self::event(facts, event));
    let services = facts.services.iter().map(|service| self::service(facts, service));
    let queues = facts.queues().into_iter().map(|queue| self::queue(facts, queue));
    let html = group("Events", events.collect());
    html.html(group("Services", services.collect())).html(group("Queues", queues.collect()))
}

/// Rows under a heading, if there are any.
fn group(name: &'static str, rows: Vec<Html>) -> Html {
    if rows.is_empty() {
        return Html::default();
    }
    let html = Html::of("<section class=\"group\"><h2>").raw(name).raw("</h2>\n<dl class=\"card\">\n");
    html.each(rows, |row| row).raw("</dl></section>\n")
}

fn event(facts: &Facts, event: &str) -> Html {
    let versions = facts.versions(event);
    let mut told = vec![event.to_owned()];
    told.extend(facts.publishers(event).map(|sent| format!("published by {}", sent.service)));
    told.extend(facts.publishers(event).map(|sent| format!("topic {}", sent.topic)));
    for way in facts.ways_of(event) {
        told.extend([format!("handled by {}", way.service), format!("topic {}", way.topic)]);
        told.extend([format!("queue {}", way.queue.name), format!("handler {}", way.handler)]);
    }
    let fields = versions.iter().flat_map(|version| things::fields(version));
    told.extend(fields.map(|field| format!("field {}", field.path)));
    told.extend(versions.iter().map(|version| things::summary(version).to_owned()));
    let summary = versions.first().map_or("", |version| things::summary(version));
    row(
        &told,
        Html::default().link("#event-", event),
        Html::default().text(summary).html(Html::soft(&flow(facts, event))),
    )
}

/// Who publishes an event, and who handles it.
fn flow(facts: &Facts, event: &str) -> String {
    let from: BTreeSet<&str> = facts.publishers(event).map(|sent| &*sent.service).collect();
    let to: BTreeSet<&str> = facts.ways_of(event).map(|way| &*way.service).collect();
    let [from, to] = [from, to].map(|names| names.into_iter().collect::<Vec<_>>().join(", "));
    let words = [("from", from), ("to", to)].into_iter().filter(|(_, names)| !names.is_empty());
    words.map(|(word, names)| format!("{word} {names}")).collect::<Vec<_>>().join(" ")
}

fn service(facts: &Facts, service: &str) -> Html {
    let publishes: Vec<&str> = facts.sends.iter().filter(|s| s.service == service).map(|s| &*s.event).collect();
    let handles: Vec<&str> = facts.ways.iter().filter(|way| way.service == service).map(|way| &*way.event).collect();
    let mut told = vec![service.to_owned()];
    told.extend(publishes.iter().map(|event| format!("publishes {event}")));
    told.extend(handles.iter().map(|event| format!("handles {event}")));
    let summary = format!("publishes {}, handles {}", publishes.len(), handles.len());
    row(&told, Html::default().link("#service-", service), Html::default().text(summary))
}

fn queue(facts: &Facts, queue: &Queue) -> Html {
    let mut told = vec![queue.name.clone()];
    let mut services = Vec::new();
    for way in facts.ways.iter().filter(|way| way.queue == *queue) {
        told.extend([format!("event {}", way.event), format!("of {}", way.service)]);
        told.push(format!("dead letters {}", way.dead_letters));
        services.push(&*way.service);
    }
    services.dedup();
    row(&told, things::queue_link(queue), Html::of("of ").text(services.join(", ")))
}

/// One line of the list, with what it can be found by.
fn row(told: &[String], link: Html, summary: Html) -> Html {
    let mut known = BTreeSet::new();
    let told: Vec<&str> = told.iter().map(String::as_str).filter(|text| known.insert(*text)).collect();
    let html = Html::of("<div class=\"row\" data-find=\"").text(told.join("\n")).raw("\"><dt>").html(link);
    html.raw("</dt><dd>").html(summary).raw("<p class=\"soft why\"></p></dd></div>\n")
}
