//! Pages of a service that somebody made up to break them.

use std::time::Duration;

use axum::{body::Body, extract::Request, response::Response};
use http_body_util::BodyExt;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tower_service::Service;

use super::{Figures, Site, Told, Way, router};
use crate::{
    contract::{AttributeKind, Contract, DeclaredAttribute},
    event::Policy,
    health::{Board, Kind, Status},
    transport::{Binding, QueuePlan, Reach},
};

/// What would run, were it not escaped: in text, in an attribute, in a style, in a comment.
const ATTACK: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)></style>--><b>&lt;";

static EVIL: Contract = Contract {
    name: ATTACK,
    version: 1,
    topic: ATTACK,
    shares_topic: false,
    routing_key: ATTACK,
    key: Some(ATTACK),
    attributes: &[DeclaredAttribute { name: ATTACK, kind: AttributeKind::Text }],
    ordered: true,
    fingerprint: ATTACK,
    source: ATTACK,
};

fn evil_schema() -> schemars::Schema {
    let field = json!({
        "type": ATTACK, "format": ATTACK, "pattern": ATTACK, "enum": [ATTACK], "const": ATTACK, "minLength": ATTACK,
        "description": ATTACK, "examples": [ATTACK],
    });
    let schema = json!({
        "description": ATTACK, "type": "object", "required": [ATTACK],
        "properties": { ATTACK: field, "text": { "type": "string", "format": ATTACK } },
    });
    schema.try_into().expect("it is an object")
}

fn evil_site() -> Site {
    let board = Board::new(ATTACK, CancellationToken::new());
    board.light(Kind::Queue, ATTACK).set(Status::down(ATTACK));
    let queue = QueuePlan {
        name: ATTACK.to_owned(),
        dead_letters: ATTACK.to_owned(),
        ordered: true,
        retry_delays: Vec::new(),
        halts: true,
        bindings: Vec::new(),
        concurrency: 1,
        reach: Reach::PerInstance,
    };
    let (topic, routing_key) = (ATTACK.to_owned(), ATTACK.to_owned());
    let way = Way {
        via: Some(ATTACK.to_owned()),
        queue,
        binding: Binding { topic, routing_key, event: ATTACK, by_name: false, policy: Policy::default() },
        contract: &EVIL,
        timeout: Duration::from_secs(1),
        delays: vec![Duration::from_millis(1500), Duration::from_secs(7200)],
        handler: ATTACK.to_owned(),
        told: Told { schema: evil_schema, reads: |_| true },
    };
    Site { service: ATTACK.to_owned(), board, ways: vec![way] }
}

async fn ask(path: &str, accept: &str) -> Response {
    let request = Request::get(path).header("accept", accept).body(Body::empty()).expect("it is a request");
    let Ok(answer) = router(evil_site(), Figures::default()).call(request).await;
    answer
}

async fn text(answer: Response) -> String {
    let bytes = answer.into_body().collect().await.expect("it is there").to_bytes();
    String::from_utf8(bytes.to_vec()).expect("text")
}

/// The attack as one segment of a path.
fn segment() -> String {
    ATTACK.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn k3_whatever_a_service_is_named_and_says_no_page_has_markup_of_it() {
    for (path, times) in [
        ("/".to_owned(), 5),
        ("/topology".to_owned(), 8),
        ("/contracts".to_owned(), 4),
        (format!("/contracts/{}", segment()), 14),
    ] {
        let answer = ask(&path, "text/html").await;
        assert_eq!(answer.status(), 200, "{path}");
        let page = text(answer).await;
        let (head, body) = page.split_once("</style>").expect("our own style");
        for part in [head.replace(super::html::STYLE, "").as_str(), body] {
            for markup in ["<script", "<img", "</style", "-->", "<b>", "alert(1)<"] {
                assert!(!part.contains(markup), "{path} has {markup}:\n{part}");
            }
        }
        assert!(page.matches("script").count() >= times, "{path} does not show it:\n{page}");
    }
}

#[tokio::test]
async fn k3_every_answer_forbids_scripts_and_is_kept_by_nobody() {
    let schema = format!("/contracts/{}.json", segment());
    for path in ["/", "/topology", "/contracts.json", "/health/live", "/health/ready", "/nothing", &schema] {
        let answer = ask(path, "*/*").await;
        let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{path}: {policy}");
        assert!(!policy.contains("unsafe") && !policy.contains("script"), "{policy}");
        assert_eq!((header("x-content-type-options"), header("cache-control")), ("nosniff", "no-store"), "{path}");
        assert!(path.contains("json") == (header("content-type") == "application/json") || path.contains("health"));
    }
}

#[tokio::test]
async fn who_names_json_gets_data_and_browsers_get_pages() {
    let kind = async |accept: &str| {
        let answer = ask("/topology", accept).await;
        answer.headers()["content-type"].to_str().expect("text").to_owned()
    };
    for accept in ["application/json", "application/json, */*;q=0.5", "application/health+json"] {
        assert_eq!(kind(accept).await, "application/json", "{accept}");
    }
    for accept in ["*/*", "", "text/html,application/xhtml+xml", "text/html, application/json"] {
        assert_eq!(kind(accept).await, "text/html; charset=utf-8", "{accept}");
    }
}
