//! The access log: a line for each answer, with the words that tomodachi's had.

use std::{
    io,
    sync::{Arc, Mutex},
};

use futures_util::{StreamExt, stream};
use tegami::{
    Error,
    http::{
        axum::{
            Router,
            body::{Body, Bytes},
            http::StatusCode,
            routing::{get as on_get, post as on_post},
        },
        quiet, quiet_on,
    },
};
use tokio::sync::mpsc;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::{
    LONG,
    client::{Client, ask, get, post},
    serve,
};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Writes down what is logged on this thread, where the whole test runs.
    fn begin() -> (Self, tracing::subscriber::DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_span_events(FmtSpan::NONE);
        let guard = tracing::subscriber::set_default(subscriber.with_writer(move || writer.clone()).finish());
        (log, guard)
    }

    /// Waits for so many lines of the access log.
    async fn lines(&self, count: usize) -> Vec<String> {
        let wait = async {
            loop {
                let text = String::from_utf8(self.0.lock().expect("one thread").clone()).expect("text");
                let lines: Vec<_> =
                    text.lines().filter(|line| line.contains("status_code=")).map(str::to_owned).collect();
                if lines.len() >= count {
                    return lines;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(LONG, wait).await.expect("in time")
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("one thread").extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn each_answer_is_a_line_with_what_is_known_of_it() -> Result<(), Error> {
    let (log, _guard) = Log::begin();
    let router = Router::new().route("/orders", on_post(async |body: Bytes| body.len().to_string()));
    let service = serve(router, |http| http).await?;
    let headers = "User-Agent: curl/8\r\nAuthorization: Basic YWxpY2U6dGlnZXI=\r\n";
    assert_eq!(ask(&service, post("/orders?a=b", headers, "hello")).await.status, 200);
    let line = &log.lines(1).await[0];
    let mut rest = line.as_str();
    for field in [
        "tegami::http",
        "status_code=200",
        "remote_ip=127.0.0.1",
        "auth_user=\"alice\"",
        "request_method=\"POST\"",
        "request_path=\"/orders\"",
        "request_query_string=\"a=b\"",
        "http_version=HTTP/1.1",
        "response_content_length=1",
        "request_content_length=5",
        "request_content_read_length=5",
        "user_agent=\"curl/8\"",
        "handler_elapsed_time=\"0.",
        "request_time=\"0.",
    ] {
        let place = rest.find(field).unwrap_or_else(|| panic!("no `{field}` where it should be in {line}"));
        rest = &rest[place + field.len()..];
    }
    assert!(!line.contains("tiger") && !line.contains("replaced"), "{line}");
    Ok(())
}

#[tokio::test]
async fn routes_are_left_out_as_they_ask() -> Result<(), Error> {
    let (log, _guard) = Log::begin();
    let fails = async || StatusCode::INTERNAL_SERVER_ERROR;
    let router = Router::new()
        .route("/quiet", on_get(async || "hello").layer(quiet()))
        .route("/fails", on_get(fails).layer(quiet()))
        .route("/teapot", on_get(async || StatusCode::IM_A_TEAPOT).layer(quiet_on([StatusCode::IM_A_TEAPOT])))
        .route("/told", on_get(async || "hello").layer(quiet_on([StatusCode::IM_A_TEAPOT])));
    let service = serve(router, |http| http).await?;
    for path in ["/quiet", "/teapot", "/fails", "/told"] {
        ask(&service, get(path)).await;
    }
    let lines = log.lines(2).await;
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].contains("/fails") && lines[1].contains("/told"), "{lines:?}");
    Ok(())
}

async fn much() -> Body {
    let parts = stream::repeat(Bytes::from_static(&[0; 1 << 16])).take(1 << 10);
    Body::from_stream(parts.map(Ok::<_, io::Error>))
}

#[tokio::test]
async fn a_client_that_leaves_is_a_499() -> Result<(), Error> {
    let (log, _guard) = Log::begin();
    let (begins, mut begun) = mpsc::channel(1);
    let hold = async move || {
        begins.send(()).await.expect("the test waits");
        std::future::pending::<()>().await;
    };
    let router = Router::new().route("/hold", on_get(hold)).route("/much", on_get(much));
    let service = serve(router, |http| http).await?;
    let mut client = Client::connect(&service).await;
    client.send(get("/hold")).await;
    begun.recv().await.expect("it is handled");
    drop(client);
    let line = log.lines(1).await[0].clone();
    assert!(line.contains("status_code=499") && !line.contains("replaced"), "{line}");
    let mut client = Client::connect(&service).await;
    client.send(get("/much")).await;
    client.some().await;
    drop(client);
    let line = log.lines(2).await[1].clone();
    assert!(line.contains("status_code=499 replaced_status_code=200"), "{line}");
    Ok(())
}
