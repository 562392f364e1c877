//! The access log: a line for each answer, with the words that tomodachi's had.

use std::{
    io,
    sync::{Arc, Mutex},
};

use futures_util::{StreamExt, stream};
use tegami::{
    Error,
    http::{
        Files, Page, WebSocket,
        axum::{
            Router,
            body::{Body, Bytes},
            http::StatusCode,
            response::Response,
            routing::{any, get as on_get, post as on_post},
        },
        quiet, quiet_on,
    },
    service::Running,
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

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("one thread").clone()).expect("text")
    }

    /// Waits for so many lines of answers.
    async fn lines(&self, count: usize) -> Vec<String> {
        self.lines_with("status_code=", count).await
    }

    /// Waits for so many lines with this.
    async fn lines_with(&self, part: &str, count: usize) -> Vec<String> {
        let wait = async {
            loop {
                let text = self.text();
                let lines: Vec<_> = text.lines().filter(|line| line.contains(part)).map(str::to_owned).collect();
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

#[tokio::test]
async fn answers_that_went_out_are_told_with_their_status_however_they_came_about() -> Result<(), Error> {
    let (log, _guard) = Log::begin();
    let parts = async || {
        let parts = stream::iter([Ok::<_, io::Error>(Bytes::from_static(b"he")), Ok(Bytes::from_static(b"llo"))]);
        ([("content-length", "5")], Body::from_stream(parts))
    };
    let page = async |_: Page| "nothing here";
    let router = Router::new().route("/parts", on_get(parts)).nest_service("/files", Files::below("proto"));
    let service = serve(router, move |http| http.page(StatusCode::NOT_FOUND, page)).await?;
    let file = "/files/shop/orders/v1/orders.proto";
    for (method, path) in [("GET", "/parts"), ("GET", file), ("GET", "/none"), ("HEAD", file), ("HEAD", "/none")] {
        ask(&service, format!("{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).await;
    }
    let lines = log.lines(5).await;
    for (line, status) in lines.iter().zip([200, 200, 404, 200, 404]) {
        assert!(line.contains(&format!(" status_code={status} ")) && !line.contains("replaced"), "{line}");
    }
    Ok(())
}

/// More than a client reads that leaves, of which the length is told.
async fn measured() -> ([(&'static str, &'static str); 1], Body) {
    ([("content-length", "67108864")], much().await)
}

async fn much() -> Body {
    let parts = stream::repeat(Bytes::from_static(&[0; 1 << 16])).take(1 << 10);
    Body::from_stream(parts.map(Ok::<_, io::Error>))
}

/// Opens a socket, has it closed by its handler, and waits for the end.
async fn visit(service: &Running, path: &str) {
    let mut client = Client::connect(service).await;
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nUser-Agent: phone/1\r\n\
                   Authorization: Basic YWxpY2U6dGlnZXI=\r\n";
    assert_eq!(client.head(format!("GET {path} HTTP/1.1\r\nHost: a\r\n{upgrade}\r\n")).await, 101);
    client.send([0x81, 0x82, 0, 0, 0, 0, b'h', b'i']).await;
    let close = client.bytes(4).await.expect("it is closed with a code");
    client.send([&[0x88, 0x82, 0, 0, 0, 0], &close[2..]].concat()).await;
    while client.bytes(1).await.is_some() {}
}

/// The value of a field that stands in a line.
fn value<'a>(line: &'a str, name: &str) -> &'a str {
    let at = line.find(&format!(" {name}=")).unwrap_or_else(|| panic!("no `{name}` in {line}"));
    line[at + name.len() + 2..].split(' ').next().expect("a part")
}

#[tokio::test]
async fn a_websocket_has_a_line_when_it_opens_and_one_when_it_ends() -> Result<(), Error> {
    async fn once(request: WebSocket) -> Response {
        request.open(async |mut socket| drop(socket.next().await))
    }
    async fn panics(request: WebSocket) -> Response {
        request.open(async |mut socket| {
            socket.next().await;
            panic!("the password is tiger")
        })
    }
    let (log, _guard) = Log::begin();
    let router = Router::new().route("/once", any(once)).route("/panics", any(panics));
    let service = serve(router.route("/quiet", any(once).layer(quiet())), |http| http).await?;
    for path in ["/quiet", "/once?room=1", "/panics"] {
        visit(&service, path).await;
    }
    let lines = log.lines_with("websocket_state=", 4).await;
    let ends = [("open", None), ("closed", Some("1000")), ("open", None), ("error", Some("1011"))];
    for (line, (state, code)) in lines.iter().zip(ends) {
        let (code, time) =
            (code.map(|code| format!("websocket_close_code={code} ")), line.contains(" total_request_time=\""));
        let code = code.unwrap_or_default();
        let begin =
            format!("websocket_state=\"{state}\" {code}remote_ip=127.0.0.1 auth_user=\"alice\" request_path=\"/");
        assert!(line.contains(&begin) && line.contains(" user_agent=\"phone/1\""), "no {begin} in {line}");
        assert_eq!(time, state != "open", "{line}");
    }
    let ids: Vec<&str> = lines.iter().map(|line| value(line, "websocket_id")).collect();
    assert!(ids[0] == ids[1] && ids[2] == ids[3] && ids[0] != ids[2] && ids[0].len() == 36, "{ids:?}");
    assert_eq!(value(&lines[1], "request_query_string"), "\"room=1\"");
    assert!(!log.text().contains("status_code=") && !lines.concat().contains("/quiet"), "{}", log.text());
    Ok(())
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
    let router = router.route("/measured", on_get(measured));
    let service = serve(router, |http| http).await?;
    let mut client = Client::connect(&service).await;
    client.send(get("/hold")).await;
    begun.recv().await.expect("it is handled");
    drop(client);
    let line = log.lines(1).await[0].clone();
    assert!(line.contains("status_code=499") && !line.contains("replaced"), "{line}");
    for (count, path) in [(2, "/much"), (3, "/measured")] {
        let mut client = Client::connect(&service).await;
        client.send(get(path)).await;
        client.some().await;
        drop(client);
        let line = log.lines(count).await[count - 1].clone();
        assert!(line.contains("status_code=499 replaced_status_code=200"), "{line}");
    }
    Ok(())
}

#[tokio::test]
async fn clients_that_left_are_left_out_as_their_routes_ask() -> Result<(), Error> {
    let (log, _guard) = Log::begin();
    let (begins, mut begun) = mpsc::channel(1);
    let hold = async move || {
        begins.send(()).await.expect("the test waits");
        std::future::pending::<()>().await;
    };
    let fails = async || (StatusCode::INTERNAL_SERVER_ERROR, much().await);
    let left = || quiet_on([StatusCode::from_u16(499).expect("a number of three digits")]);
    let answered = || quiet_on([StatusCode::OK]);
    let router = Router::new()
        .route("/hold/quiet", on_get(hold.clone()).layer(quiet()))
        .route("/hold/left", on_get(hold.clone()).layer(left()))
        .route("/hold/told", on_get(hold).layer(answered()))
        .route("/much/quiet", on_get(much).layer(quiet()))
        .route("/much/left", on_get(much).layer(left()))
        .route("/much/told", on_get(much).layer(answered()))
        .route("/much/fails/told", on_get(fails).layer(quiet()))
        .route("/all/told", on_get(async || "hello").layer(left()));
    let service = serve(router, |http| http).await?;
    for path in ["/hold/quiet", "/hold/left", "/hold/told"] {
        let mut client = Client::connect(&service).await;
        client.send(get(path)).await;
        begun.recv().await.expect("it is handled");
    }
    for path in ["/much/quiet", "/much/left", "/much/told", "/much/fails/told", "/all/told"] {
        let mut client = Client::connect(&service).await;
        client.send(get(path)).await;
        client.some().await;
    }
    // When it has stopped, all is written that is to be.
    service.stop().await?;
    let (text, told) = (log.text(), log.lines(4).await);
    assert!(told.len() == 4 && told.iter().all(|line| line.contains("/told\"")), "{text}");
    let left = told.iter().filter(|line| line.contains(" status_code=499 ")).count();
    assert_eq!(left, 3, "{text}");
    Ok(())
}
