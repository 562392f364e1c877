//! Catalogs of services, of fleets that do not agree, and of documents that somebody made up to break them.

use serde_json::{Value as Json, json};

use super::{Catalog, CatalogErrorKind};

/// What would run, were it not escaped: in text, in an attribute, in a style, in a script, in a comment.
const ATTACK: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)></style>--><b>\n&lt;\u{202e}";

/// A service that publishes or handles one event.
fn service(name: &str, action: &str, fields: &[&str]) -> Json {
    let properties: serde_json::Map<String, Json> =
        fields.iter().map(|field| ((*field).to_owned(), json!({ "type": "string" }))).collect();
    json!({
        "asyncapi": "3.0.0",
        "info": { "title": name },
        "channels": { "orders": { "address": "shop-orders", "messages": {
            "Paid": { "$ref": "#/components/messages/Paid" } } } },
        "operations": { name: {
            "action": action, "x-service": name, "channel": { "$ref": "#/channels/orders" },
            "messages": [{ "$ref": "#/channels/orders/messages/Paid" }],
            "x-queue": format!("{name}-orders"), "x-dead-letters": format!("{name}-orders-dead"),
            "x-retry-after-seconds": [1.5, 60.0, 7200.0], "x-concurrency": 3, "x-timeout-seconds": 5.0,
        } },
        "components": { "messages": { "Paid": {
            "name": "Paid", "summary": "Paid in full.", "x-key": "order_id", "x-tried": { "json": 12 },
            "examples": [{ "payload": { "orderId": "o-1" } }],
            "payload": { "schema": { "properties": properties } } } } },
    })
}

fn page(documents: &[Json]) -> String {
    let empty = Catalog::new("shop");
    let taken = documents.iter().try_fold(empty, |catalog, document| catalog.document(&document.to_string()));
    taken.expect("they are documents").page()
}

/// The part of the page that tells of one thing.
fn thing<'a>(page: &'a str, id: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("id=\"{id}\"")).unwrap_or_else(|| panic!("no {id}:\n{page}"));
    rest.split_once("</section>").expect("it ends").0
}

#[test]
fn an_event_leads_to_its_publisher_to_its_queue_and_to_its_consumer() {
    let page = page(&[service("billing", "send", &["orderId"]), service("shipping", "receive", &["orderId"])]);
    assert!(page.contains(">1 event, 2 services, 1 queue</p>"), "{page}");
    let event = thing(&page, "event-Paid");
    for part in [
        "Paid in full.",
        "href=\"#service-billing\"",
        "href=\"#service-shipping\"",
        "href=\"#queue-shipping-orders\"",
        "3 at once, 5 s each",
        "after 1.5s, 1 min, 2 h",
        "<code>orderId</code></dt><dd>text <span class=\"tag\">key</span>",
        "written as json (12 bytes), and read again as the same event",
    ] {
        assert!(event.contains(part), "no {part}:\n{event}");
    }
    assert!(thing(&page, "queue-shipping-orders").contains("shipping-orders-dead"));
    assert!(thing(&page, "topic-shop-orders").contains("href=\"#queue-shipping-orders\""));
    assert!(thing(&page, "service-shipping").contains("It does not say that it publishes anything."));
}

#[test]
fn a_consumer_that_reads_fewer_fields_is_told_apart_from_the_publisher() {
    let billing = service("billing", "send", &["amount", "orderId"]);
    let shipping = service("shipping", "receive", &["orderId"]);
    let page = page(&[shipping, billing]);
    let (of_billing, of_shipping) = thing(&page, "event-Paid").split_once("As shipping knows it").expect("it differs");
    assert!(of_billing.contains("<code>amount</code>") && !of_shipping.contains("<code>amount</code>"));
    assert!(of_shipping.contains("<code>orderId</code>"));
}

#[test]
fn the_same_documents_make_the_same_page_in_any_order() {
    let documents =
        ["a", "b", "c"].map(|name| service(name, if name == "b" { "send" } else { "receive" }, &[name, "orderId"]));
    let [a, b, c] = documents.clone();
    assert_eq!(page(&documents), page(&[c, a.clone(), b, a]));
}

#[test]
fn what_is_no_document_is_refused() {
    for text in ["", "{", "[]", "3", r#"{"openapi":"3.0.0"}"#, r#"{"asyncapi":"2.6.0"}"#, r#"{"asyncapi":3}"#] {
        let error = Catalog::new("shop").document(text).expect_err(text);
        assert_eq!(error.kind(), CatalogErrorKind::Document, "{text}");
    }
}

#[test]
fn documents_with_holes_and_loops_are_shown_as_far_as_they_go() {
    let around = json!({ "$ref": "#/channels/a" });
    for operations in [json!(null), json!([]), json!({ "a": null }), json!({ "a": { "messages": [null, 3, around] } })]
    {
        let page = page(&[json!({ "asyncapi": "3.0.0", "channels": { "a": around }, "operations": operations })]);
        assert!(page.ends_with("</html>\n"));
    }
}

/// The same document with the attack for every name and every text.
fn attacked(document: &Json) -> Json {
    match document {
        Json::String(text) if text.starts_with('#') => {
            json!(text.replace("Paid", &ATTACK.replace('~', "~0").replace('/', "~1")))
        }
        Json::String(text) if ["3.0.0", "send", "receive"].contains(&&**text) => document.clone(),
        Json::String(_) => json!(ATTACK),
        Json::Array(items) => items.iter().map(attacked).collect(),
        Json::Object(members) => members
            .iter()
            .map(|(name, value)| {
                let ours = ["Paid", "orderId"].contains(&&**name);
                (if ours { ATTACK.to_owned() } else { name.clone() }, attacked(value))
            })
            .collect(),
        other => other.clone(),
    }
}

#[test]
fn whatever_contracts_say_the_page_has_no_markup_of_it() {
    for action in ["send", "receive"] {
        let page = page(&[attacked(&service("billing", action, &["orderId"]))]);
        assert!(page.matches("&lt;script&gt;alert(1)").count() > 15, "it is not shown:\n{page}");
        let [tags, closed] = ["<script", "</script"].map(|tag| page.matches(tag).count());
        assert_eq!((tags, closed), (1, 1), "one script, which is ours");
        for markup in ["<img", "onerror=alert(2)>", "</style>-", "--><b>", "\u{202e}", "href=\"javascript"] {
            assert!(!page.contains(markup), "it has {markup}:\n{page}");
        }
    }
}

#[test]
fn a_page_may_do_nothing_but_be_shown_and_searched() {
    let page = page(&[]);
    let (_, rest) = page.split_once("content=\"").expect("a policy");
    let policy = rest.split('"').next().expect("it ends").replace("&#39;", "'");
    assert_eq!(policy, super::page::policy());
    assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"), "{policy}");
    for outside in ["http://", "https://", "src=", "@import", "url(", "fetch(", "import("] {
        let allowed = if outside == "url(" { page.matches("url(#arrow)").count() } else { 0 };
        assert_eq!(page.matches(outside).count(), allowed, "{outside}");
    }
}
