//! The contracts of what the service handles: a list, a page for each, and each as a schema file.

use serde::Serialize;
use serde_json::Value;

use super::{
    example,
    fields::{self, Field},
    html::Html,
    site::{Site, Told},
};
use crate::contract::{AttributeKind, Contract};

/// One contract, as JSON tells it.
#[derive(Serialize)]
struct Entry {
    event: &'static str,
    version: u32,
    topic: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'static str>,
    attributes: Vec<Attribute>,
    ordered: bool,
    fingerprint: &'static str,
    source: &'static str,
    schema: String,
}

#[derive(Serialize)]
struct Attribute {
    name: &'static str,
    kind: &'static str,
}

/// All contracts as data.
pub(super) fn data(site: &Site) -> impl Serialize {
    let entry = |(contract, _): (&'static Contract, Told)| Entry {
        event: contract.name,
        version: contract.version,
        topic: contract.topic,
        key: contract.key,
        attributes: contract.attributes.iter().map(|a| Attribute { name: a.name, kind: kind(a.kind) }).collect(),
        ordered: contract.ordered,
        fingerprint: contract.fingerprint,
        source: contract.source,
        schema: format!("/contracts/{}.json", contract.name),
    };
    site.contracts().into_values().map(entry).collect::<Vec<_>>()
}

fn kind(kind: AttributeKind) -> &'static str {
    match kind {
        AttributeKind::Text => "text",
        AttributeKind::Number => "number",
        AttributeKind::Bool => "bool",
    }
}

/// The schema of one event, if it is handled.
pub(super) fn schema(site: &Site, event: &str) -> Option<Value> {
    let (_, told) = site.contracts().remove(event)?;
    Some(told.schema())
}

/// The list.
pub(super) fn list(site: &Site) -> Html {
    let contracts = site.contracts();
    let html = Html::of("<h1>Contracts</h1>");
    if contracts.is_empty() {
        return html.raw("<p class=\"lead\">The service handles no events.</p>");
    }
    let html = html.raw("<p class=\"lead\">The events that the service handles.</p>\n<dl class=\"card\">");
    let row = |(contract, told): (&'static Contract, Told)| {
        let html = Html::of("<div class=\"row\"><dt>").link("/contracts/", contract.name).raw("</dt><dd>");
        html.text(comment(&told.schema())).raw("</dd></div>")
    };
    html.each(contracts.into_values(), row).raw("</dl>")
}

fn comment(schema: &Value) -> String {
    schema["description"].as_str().unwrap_or_default().to_owned()
}

/// The page of one event, if it is handled.
pub(super) fn page(site: &Site, event: &str) -> Option<Html> {
    let (contract, told) = site.contracts().remove(event)?;
    let schema = told.schema();
    let html = Html::of("<h1>").code(contract.name).raw("</h1><p class=\"lead\">").text(comment(&schema));
    let html = html.raw("</p>").html(facts(contract)).raw("<h2>Fields</h2>\n<dl class=\"card\">");
    let html = html.each(fields::of(&schema), |field| row(contract, &field)).raw("</dl>\n<h2>Example</h2>");
    let html = match example::of(&schema, &told) {
        Some(example) => html.raw("<pre class=\"card\">").text(example).raw("</pre>"),
        None => html.raw("<p class=\"soft\">The rules of this contract are too many to make one up.</p>"),
    };
    let html = html.raw("<p><a href=\"").text(format_args!("/contracts/{event}.json")).raw("\" download=\"");
    Some(html.text(format_args!("{event}.schema.json")).raw("\">JSON Schema</a></p>"))
}

fn facts(contract: &Contract) -> Html {
    let fact =
        |html: Html, name: &'static str, value: &str| html.element("dt", name).raw("<dd>").code(value).raw("</dd>");
    let html = fact(Html::of("<dl class=\"card pairs\">"), "Topic", contract.topic);
    let html = match contract.key {
        Some(key) if contract.ordered => fact(html, "Key, kept in order", key),
        Some(key) => fact(html, "Key", key),
        None => html,
    };
    let html = fact(html, "Version", &contract.version.to_string());
    let html = fact(html, "Fingerprint", contract.fingerprint);
    fact(html, "Source", contract.source).raw("</dl>")
}

fn row(contract: &Contract, field: &Field) -> Html {
    let is = |name: &str| plain(name) == plain(&field.path);
    let attribute = contract.attributes.iter().any(|attribute| is(attribute.name));
    let tags = [("required", field.required), ("key", contract.key.is_some_and(is)), ("attribute", attribute)];
    let html = Html::of("<div class=\"row\"><dt>").code(&field.path).raw("</dt><dd>").text(&field.kind);
    let html = html.each(tags.into_iter().filter(|(_, is)| *is), |(tag, _)| {
        Html::of(" <span class=\"tag\">").raw(tag).raw("</span>")
    });
    let html = match field.comment.is_empty() {
        true => html,
        false => html.raw("<p>").text(&field.comment).raw("</p>"),
    };
    let html = match field.rules.is_empty() {
        true => html,
        false => html.raw("<p class=\"soft\">").text(field.rules.join("; ")).raw("</p>"),
    };
    html.raw("</dd></div>")
}

/// A name without what tells `order_id` from `orderId`.
fn plain(name: &str) -> String {
    name.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect()
}
