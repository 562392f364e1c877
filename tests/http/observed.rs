//! What observers see of requests.

use std::sync::{Arc, Mutex};

use tegami::{
    Error, Service,
    http::axum::{Router, http::StatusCode, routing::get},
    telemetry::Fact,
};

use crate::client::ask;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

#[tokio::test]
async fn an_answer_is_told_by_its_route_and_never_by_what_a_client_makes_up() -> Result<(), Error> {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let note = {
        let lines = lines.clone();
        move |fact: &Fact<'_>| {
            let line = match fact {
                Fact::Asked(a) => format!("{} by {}", a.method, a.scheme),
                Fact::Answered(a) => format!("{} {:?} {} {:?}", a.method, a.route, a.status, a.trace),
                _ => return,
            };
            lines.lock().expect("no panic").push(line);
        }
    };
    let router = Router::new()
        .route("/orders/{id}", get(async || "an order"))
        .route("/broken", get(async || StatusCode::INTERNAL_SERVER_ERROR));
    let service = Service::new("shop").routes(router).http(|http| http.address("127.0.0.1:0")).observe(note);
    let service = service.start().await?;
    let traced = format!("GET /orders/o-1 HTTP/1.1\r\ntraceparent: 00-{TRACE}-b7ad6b7169203331-01");
    for head in [
        &*traced,
        "GET /orders/o-2 HTTP/1.1\r\ntraceparent: nonsense",
        "GET /broken HTTP/1.1",
        "GET /nowhere/at/all HTTP/1.1",
        "BREW /orders/o-1 HTTP/1.1",
    ] {
        ask(&service, format!("{head}\r\nHost: a\r\n\r\n")).await;
    }
    service.stop().await?;
    let order = r#"GET Some("/orders/{id}")"#;
    let mut expected = [
        format!("{order} 200 Some({TRACE:?})"),
        format!("{order} 200 None"),
        r#"GET Some("/broken") 500 None"#.to_owned(),
        "GET None 404 None".to_owned(),
        r#"_OTHER Some("/orders/{id}") 405 None"#.to_owned(),
        "_OTHER by http".to_owned(),
    ]
    .to_vec();
    expected.extend(["GET by http"; 4].map(str::to_owned));
    expected.sort();
    let mut lines = std::mem::take(&mut *lines.lock().expect("no panic"));
    lines.sort();
    assert_eq!(lines, expected);
    Ok(())
}
