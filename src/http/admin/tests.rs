//! Pages of a service that somebody made up to break them.

use axum::{body::Body, extract::Request, response::Response};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tower_service::Service;

use super::{Figures, Site, router};
use crate::{
    catalog::{Catalog, Html},
    health::{Board, Kind, Status},
};

/// What would run, were it not escaped: in text, in an attribute, in a style, in a comment.
const ATTACK: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)></style>--><b>&lt;";

fn evil_document() -> Value {
    let schema = json!({ "title": ATTACK });
    json!({ "info": { "title": ATTACK }, "components": { "messages": { ATTACK: { "payload": { "schema": schema } } } } })
}

fn evil_site() -> Site {
    let board = Board::new(ATTACK, CancellationToken::new());
    board.light(Kind::Queue, ATTACK).set(Status::down(ATTACK));
    let (service, topology) = (ATTACK.to_owned(), json!({ "service": ATTACK }).to_string());
    let catalog = Catalog::of(ATTACK, &evil_document()).page_with(Html::default());
    Site { service, board, topology, document: evil_document(), catalog }
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
    for (path, times) in [("/", 5), ("/catalog", 4)] {
        let answer = ask(path, "text/html").await;
        assert_eq!(answer.status(), 200, "{path}");
        let page = text(answer).await;
        assert!(page.matches("&lt;script&gt;alert(1)").count() >= times, "{path} does not show it:\n{page}");
        for markup in ["<script>alert", "<img", "</style>-", "--><b>"] {
            assert!(!page.contains(markup), "{path} has {markup}:\n{page}");
        }
    }
}

#[tokio::test]
async fn k3_every_answer_forbids_scripts_but_our_own_and_is_kept_by_nobody() {
    let schema = format!("/contracts/{}.json", segment());
    for path in ["/", "/catalog", "/topology", "/asyncapi.json", "/health/live", "/nothing", &schema] {
        let answer = ask(path, "*/*").await;
        let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{path}: {policy}");
        assert!(policy.contains("; script-src 'sha256-") && policy.ends_with("; frame-ancestors 'none'"), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
        assert_eq!((header("x-content-type-options"), header("cache-control")), ("nosniff", "no-store"), "{path}");
        let kind = match path {
            "/" | "/catalog" => "text/html; charset=utf-8",
            "/nothing" => "",
            _ => "application/json",
        };
        assert_eq!(header("content-type"), kind, "{path}");
    }
}

#[tokio::test]
async fn who_names_json_gets_data_and_browsers_get_pages() {
    let kind = async |accept: &str| {
        let answer = ask("/", accept).await;
        answer.headers()["content-type"].to_str().expect("text").to_owned()
    };
    for accept in ["application/json", "application/json, */*;q=0.5", "application/health+json"] {
        assert_eq!(kind(accept).await, "application/json", "{accept}");
    }
    for accept in ["*/*", "", "text/html,application/xhtml+xml", "text/html, application/json"] {
        assert_eq!(kind(accept).await, "text/html; charset=utf-8", "{accept}");
    }
}
