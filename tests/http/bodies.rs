//! Bodies: at the limit and beyond, told or not, for every way to read one.

use tegami::{
    Error,
    http::axum::{
        Form, Json, Router,
        body::{Body, Bytes, to_bytes},
        routing::post as on_post,
    },
};

use crate::{
    SHORT,
    client::{Client, NOTHING},
    serve,
};

const LIMIT: usize = 64 * 1024;
const WAYS: [&str; 5] = ["/bytes", "/text", "/json", "/form", "/raw"];

async fn raw(body: Body) -> String {
    // It does not care whether the body broke: the answer is not its to give.
    to_bytes(body, usize::MAX).await.map_or_else(|_| "broken".to_owned(), |bytes| bytes.len().to_string())
}

fn router() -> Router {
    Router::new()
        .route("/bytes", on_post(async |bytes: Bytes| bytes.len().to_string()))
        .route("/text", on_post(async |text: String| text.len().to_string()))
        .route("/json", on_post(async |Json(text): Json<String>| (text.len() + 2).to_string()))
        .route("/form", on_post(async |Form(pairs): Form<Vec<(String, String)>>| (pairs[0].1.len() + 2).to_string()))
        .route("/raw", on_post(raw))
        .route("/never", on_post(async || "unread"))
}

/// A body of this length that the route takes.
fn body(way: &str, length: usize) -> (String, &'static str) {
    match way {
        "/json" => (format!("\"{}\"", "a".repeat(length - 2)), "application/json"),
        "/form" => (format!("a={}", "a".repeat(length - 2)), "application/x-www-form-urlencoded"),
        _ => ("a".repeat(length), "text/plain"),
    }
}

fn head(way: &str, kind: &str, framing: &str) -> String {
    format!("POST {way} HTTP/1.1\r\nHost: a\r\nContent-Type: {kind}\r\n{framing}\r\n\r\n")
}

fn chunked(body: &str) -> String {
    let chunks = body.as_bytes().chunks(10_000).map(|chunk| {
        let text = std::str::from_utf8(chunk).expect("ASCII");
        format!("{:x}\r\n{text}\r\n", chunk.len())
    });
    chunks.chain(["0\r\n\r\n".to_owned()]).collect()
}

#[tokio::test]
async fn w4_a_body_is_read_up_to_its_limit_in_every_way() -> Result<(), Error> {
    let service = serve(router(), |http| http.limits(|limits| limits.body = LIMIT as u64)).await?;
    for way in WAYS {
        for (length, status) in [(LIMIT - 1, 200), (LIMIT, 200), (LIMIT + 1, 413)] {
            let (body, kind) = body(way, length);
            let sized = head(way, kind, &format!("Content-Length: {length}")) + &body;
            let chunked = head(way, kind, "Transfer-Encoding: chunked") + &chunked(&body);
            for request in [sized, chunked] {
                let mut client = Client::connect(&service).await;
                client.send(request).await;
                let answer = client.answer().await;
                assert_eq!(answer.status, status, "{way} {length}");
                if status == 200 {
                    assert_eq!(answer.text(), length.to_string(), "{way}");
                } else {
                    assert_eq!(client.closed().await, NOTHING, "{way} {length}");
                }
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn w4_a_length_that_is_a_lie_reaches_nobody_else() -> Result<(), Error> {
    let service =
        serve(router(), |http| http.limits(|limits| (limits.body_grace, limits.body) = (SHORT, 1024))).await?;
    for way in WAYS {
        let (body, kind) = body(way, 100);
        let mut huge = Client::connect(&service).await;
        huge.send(head(way, kind, "Content-Length: 9223372036854775807") + &body).await;
        assert_eq!(huge.answer().await.status, 413, "{way}: refused before it came");
        let mut more = Client::connect(&service).await;
        more.send(head(way, kind, "Content-Length: 200") + &body).await;
        assert_eq!(more.answer().await.status, 408, "{way}: the rest never came");
        assert_eq!(more.closed().await, NOTHING, "{way}");
    }
    Ok(())
}

#[tokio::test]
async fn w4_a_body_that_nobody_reads_ends_with_its_connection() -> Result<(), Error> {
    let service = serve(router(), |http| http.limits(|limits| limits.idle = SHORT)).await?;
    let mut client = Client::connect(&service).await;
    client.send(head("/never", "text/plain", "Content-Length: 1000000") + "some").await;
    assert_eq!(client.answer().await.text(), "unread");
    assert_eq!(client.closed().await, NOTHING);
    Ok(())
}

#[tokio::test]
async fn w4_a_body_is_asked_for_only_if_somebody_reads_it() -> Result<(), Error> {
    let service = serve(router(), |http| http.limits(|limits| limits.body = LIMIT as u64)).await?;
    let expecting = |way: &str, length: usize| {
        head(way, "text/plain", &format!("Expect: 100-continue\r\nContent-Length: {length}"))
    };
    for way in ["/bytes", "/text", "/raw"] {
        let mut client = Client::connect(&service).await;
        assert_eq!(client.ask(expecting(way, 5)).await.status, 100, "{way}");
        assert_eq!(client.ask("hello").await.text(), "5", "{way}");
    }
    for (way, length, status) in [("/bytes", LIMIT + 1, 413), ("/never", 5, 200), ("/nowhere", 5, 404)] {
        let mut client = Client::connect(&service).await;
        assert_eq!(client.ask(expecting(way, length)).await.status, status, "{way}");
        assert_eq!(client.closed().await, NOTHING, "{way}: what comes next could be the body, or a request");
    }
    Ok(())
}
