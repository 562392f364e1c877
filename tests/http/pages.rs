//! Pages of the user's own: which answers get them, and what becomes of one that fails.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use tegami::{
    Error, ErrorKind, Service,
    http::{
        HttpOptions, Page,
        axum::{
            Router,
            body::Bytes,
            http::StatusCode,
            response::Html,
            routing::{get as on_get, post as on_post},
        },
    },
    service::Running,
};
use tokio::sync::mpsc;

use crate::{
    SHORT,
    client::{Answer, Client, ask, get, post},
    serve,
};

/// A page for each of these statuses, which says what it is about.
fn paged(http: HttpOptions, statuses: &[u16]) -> HttpOptions {
    let about = async |page: Page| format!("{} {} is {}", page.method, page.uri.path(), page.status.as_u16());
    let page = |http: HttpOptions, status: &u16| http.page(StatusCode::from_u16(*status).expect("a status"), about);
    statuses.iter().fold(http, page)
}

async fn fails() -> Result<&'static str, StatusCode> {
    Err(StatusCode::INTERNAL_SERVER_ERROR)
}

async fn panics() {
    panic!("the password is tiger")
}

async fn taken() -> (StatusCode, &'static str) {
    (StatusCode::NOT_FOUND, "no such order, and it was never here")
}

async fn never() {
    std::future::pending::<()>().await;
}

fn router() -> Router {
    Router::new()
        .route("/", on_get(async || "hello"))
        .route("/fails", on_get(fails))
        .route("/panics", on_get(panics))
        .route("/order", on_get(taken))
        .route("/never", on_get(never))
        .route("/read", on_post(async |body: Bytes| body.len().to_string()))
}

async fn paged_service() -> Result<Running, Error> {
    serve(router(), |http| {
        let http = paged(http, &[400, 404, 405, 413, 414, 431, 500, 503]);
        http.limits(|limits| (limits.body, limits.handler) = (10, SHORT))
    })
    .await
}

fn chunked(path: &str, body: &str) -> String {
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n")
}

#[tokio::test]
async fn empty_errors_get_the_pages_they_were_given() -> Result<(), Error> {
    let service = paged_service().await?;
    let long = "u".repeat(8 * 1024);
    for (request, told) in [
        (get("/nowhere"), "GET /nowhere is 404"),
        (get("/fails"), "GET /fails is 500"),
        (get("/panics"), "GET /panics is 500"),
        (get("/never"), "GET /never is 503"),
        (post("/fails", "", ""), "POST /fails is 405"),
        (post("/read", "", "eleven bytes"), "POST /read is 413"),
        (chunked("/read", "eleven bytes"), "POST /read is 413"),
        (get(&format!("/{long}")), &format!("GET /{long} is 414")),
        (format!("GET / HTTP/1.1\r\nHost: a\r\nx: {}\r\n\r\n", "v".repeat(32 * 1024)), "GET / is 431"),
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), "GET / is 400"),
    ] {
        let answer = ask(&service, request).await;
        assert_eq!(answer.text(), told);
        assert!(told.ends_with(&answer.status.to_string()), "{told}: {}", answer.head);
        assert_eq!(answer.header("server"), Some("tegami"), "{told}");
    }
    assert_eq!(ask(&service, get("/order")).await.text(), "no such order, and it was never here");
    Ok(())
}

#[tokio::test]
async fn a_page_takes_nothing_from_the_answer_but_its_emptiness() -> Result<(), Error> {
    let page = async |page: Page| (StatusCode::NOT_FOUND, Html(format!("<p>{}", page.uri.path())));
    let service = serve(router(), move |http| http.page(StatusCode::METHOD_NOT_ALLOWED, page)).await?;
    let answer = ask(&service, post("/fails", "", "")).await;
    assert_eq!((answer.status, answer.text().as_str()), (404, "<p>/fails"));
    assert_eq!(answer.header("allow"), Some("GET,HEAD"));
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    Ok(())
}

#[tokio::test]
async fn a_head_request_is_told_what_a_get_would_be() -> Result<(), Error> {
    let service = paged_service().await?;
    for (path, longer) in [("/order", 0), ("/nowhere", 1), ("/fails", 1)] {
        let mut client = Client::connect(&service).await;
        client.send(format!("HEAD {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).await;
        let head = client.answer().await;
        // These pages tell the method, which is a letter longer.
        let got = ask(&service, get(path)).await;
        let length = (got.body.len() + longer).to_string();
        assert_eq!((head.status, head.header("content-length")), (got.status, Some(&*length)), "{path}");
        assert_eq!(head.header("content-type"), got.header("content-type"), "{path}");
        assert!(head.body.is_empty(), "{path}");
    }
    Ok(())
}

/// Answers with 503: one while the only place is taken, and one while the service stops.
async fn refusals() -> Result<(Answer, Answer), Error> {
    let (begins, mut begun) = mpsc::channel(1);
    let hold = async move || {
        begins.send(()).await.expect("the test waits");
        never().await;
    };
    let service =
        serve(router().route("/hold", on_get(hold)), |http| paged(http, &[503]).limits(|limits| limits.requests = 1));
    let service = service.await?;
    let mut late = Client::connect(&service).await;
    late.send("GET /late HTTP/1.1\r\n").await;
    let mut holding = Client::connect(&service).await;
    holding.send(get("/hold")).await;
    begun.recv().await.expect("it is handled");
    let overload = ask(&service, get("/")).await;
    let address = service.http_address().expect("it has routes");
    let stopping = tokio::spawn(service.stop());
    while Client::try_at(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    late.send("Host: a\r\n\r\n").await;
    let draining = late.answer().await;
    drop(holding);
    stopping.await.expect("no panic")?;
    Ok((overload, draining))
}

#[tokio::test]
async fn w5_overload_and_the_stop_have_pages_too() -> Result<(), Error> {
    let (overload, draining) = refusals().await?;
    assert_eq!((overload.status, overload.text().as_str()), (503, "GET / is 503"));
    assert_eq!(overload.header("retry-after"), Some("1"));
    assert_eq!((draining.status, draining.text().as_str()), (503, "GET /late is 503"));
    assert_eq!((draining.header("connection"), draining.header("retry-after")), (Some("close"), Some("1")));
    Ok(())
}

#[tokio::test]
async fn w7_a_page_that_panics_is_none() -> Result<(), Error> {
    let asked = Arc::new(AtomicUsize::new(0));
    let counts = asked.clone();
    let page = move |_: Page| {
        let count = counts.fetch_add(1, Relaxed);
        assert!(count.is_multiple_of(2), "before it waits: the password is tiger");
        async { panic!("once it is waited for: the password is tiger") as &'static str }
    };
    let service = serve(router(), move |http| http.page(StatusCode::NOT_FOUND, page)).await?;
    let mut client = Client::connect(&service).await;
    for _ in 0..2 {
        let answer = client.ask(get("/nowhere")).await;
        assert_eq!((answer.status, answer.text().as_str()), (404, ""));
        assert_eq!(client.ask(get("/")).await.text(), "hello");
    }
    assert_eq!(asked.load(Relaxed), 2);
    Ok(())
}

#[tokio::test]
async fn w1_a_page_has_no_more_time_than_a_handler() -> Result<(), Error> {
    let page = async |_: Page| never().await;
    let service =
        serve(router(), move |http| http.page(StatusCode::NOT_FOUND, page).limits(|limits| limits.handler = SHORT));
    let answer = ask(&service.await?, get("/nowhere")).await;
    assert_eq!((answer.status, answer.text().as_str()), (404, ""));
    Ok(())
}

#[tokio::test]
async fn what_is_no_request_is_answered_without_a_page() -> Result<(), Error> {
    let service = paged_service().await?;
    let many = (0..100).map(|n| format!("x-{n}: v\r\n")).collect::<String>();
    for (bytes, status) in [
        ("GET / HTTP/9.9\r\nHost: a\r\n\r\n".to_owned(), 400),
        ("rubbish\r\n\r\n".to_owned(), 400),
        (format!("GET / HTTP/1.1\r\nHost: a\r\n{many}\r\n"), 431),
        (format!("GET / HTTP/1.1\r\nHost: a\r\nx: {}\r\n\r\n", "v".repeat(500_000)), 431),
        (get(&format!("/{}", "u".repeat(70_000))), 414),
    ] {
        let answer = ask(&service, bytes).await;
        assert_eq!((answer.status, answer.text().as_str()), (status, ""));
        assert_eq!((answer.header("connection"), answer.header("server")), (Some("close"), None));
    }
    Ok(())
}

#[tokio::test]
async fn k1_a_page_for_what_is_no_error_stops_the_start() {
    for status in [100, 200, 302, 399, 600, 999] {
        let service = Service::new("billing").routes(router()).http(move |http| paged(http, &[404, status]));
        let error = service.start().await.err().expect("it is no error");
        assert_eq!(error.kind(), ErrorKind::Setting);
        let told = error.to_string();
        assert!(told.contains(&status.to_string()) && told.contains("400 to 599"), "{told}");
    }
}
