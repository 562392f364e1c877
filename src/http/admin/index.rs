//! The first page: how the service is, and where the rest is told.

use crate::{
    catalog::Html,
    health::{Component, Health, State},
};

/// Its head line.
pub(super) fn links(service: &str) -> Html {
    let html = Html::of("<a class=\"home\" href=\"/\">").text(service);
    html.raw("</a> <a href=\"/catalog\">Catalog</a>")
}

/// The state of the service and of each component.
pub(super) fn page(health: &Health) -> Html {
    let html =
        Html::of("<h1>").text(&health.service).raw(" ").html(badge(health.state)).raw("</h1>\n<p class=\"lead\">");
    let html = html.raw(match health.state {
        State::Up => "Everything does what it is for.",
        State::Degraded => "It is ready, though not all is as it should be.",
        State::Starting => "It is starting, and not ready yet.",
        State::Draining => "It is stopping: it takes nothing new, and finishes what it has.",
        State::Down => "It is not ready: something that it needs is down.",
    });
    let html = html.raw("</p>\n<dl class=\"card parts\">").each(&health.components, row).raw("</dl>\n");
    html.raw("<p class=\"soft\">As JSON: <a href=\"/health/ready\">health</a>, ")
        .raw("<a href=\"/topology.json\">topology</a>, <a href=\"/asyncapi.json\">AsyncAPI</a></p>")
}

fn row(component: &Component) -> Html {
    let (kind, status) = (component.kind.as_str(), &component.status);
    let html = Html::of("<div class=\"row\"><dt>").raw(kind).raw("</dt><dd>").code(&component.name);
    let html = html.html(badge(status.state()));
    match status.reason() {
        Some(reason) => html.raw("<p class=\"soft\">").text(reason).raw("</p></dd></div>"),
        None => html.raw("</dd></div>"),
    }
}

fn badge(state: State) -> Html {
    let name = match state {
        State::Up => "up",
        State::Degraded => "degraded",
        State::Down => "down",
        State::Starting => "starting",
        State::Draining => "draining",
    };
    Html::of("<span class=\"state ").raw(name).raw("\">").raw(name).raw("</span>")
}
