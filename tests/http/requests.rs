//! What a handler has: state, publisher, and the limits on what it does.

use std::{
    future::poll_fn,
    net::TcpListener,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Poll, Waker},
};

use tegami::{
    Context, Error, ErrorKind, HandlerError, Publisher, Service,
    http::axum::{
        Router,
        extract::{Path, State},
        http::StatusCode,
        response::AppendHeaders,
        routing::{get as on_get, post as on_post},
    },
    transport::Memory,
};
use tokio::sync::{Notify, mpsc};

use crate::{
    LONG, SHORT,
    client::{Client, ask, get, post},
    contracts::shop::orders::v1::OrderPaid,
    serve,
};

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn order(id: &str) -> OrderPaid {
    OrderPaid::builder().order_id(id).currency("EUR").amount_minor(990).build()
}

#[derive(Clone)]
struct App {
    seen: mpsc::Sender<(String, String, Option<String>)>,
}

async fn note(order: OrderPaid, ctx: Context<App>) -> Result<(), HandlerError> {
    let trace = ctx.attributes().text("traceparent").map(str::to_owned);
    ctx.state().seen.send((order.order_id, ctx.correlation_id().to_string(), trace)).await?;
    Ok(())
}

async fn pay(State(_): State<App>, publisher: Publisher, Path(id): Path<String>) -> Result<StatusCode, StatusCode> {
    let published = publisher.publish(&order(&id)).await;
    published.map(|_| StatusCode::ACCEPTED).map_err(|_| StatusCode::BAD_GATEWAY)
}

#[tokio::test]
async fn p1_a_request_publishes_with_its_trace_and_correlation() -> Result<(), Error> {
    let (seen, mut orders) = mpsc::channel(8);
    let router = Router::new().route("/orders/{id}", on_post(pay));
    let service = Service::new("billing").transport(Memory::new()).state(App { seen }).on::<OrderPaid>(note);
    let service = service.routes(router).http(|http| http.address("127.0.0.1:0")).start().await?;
    let headers = format!("traceparent: {TRACE}\r\nx-correlation-id: c-1\r\n");
    assert_eq!(ask(&service, post("/orders/o-1", &headers, "")).await.status, 202);
    let expected = ("o-1".to_owned(), "c-1".to_owned(), Some(TRACE.to_owned()));
    assert_eq!(orders.recv().await, Some(expected));
    assert_eq!(ask(&service, post("/orders/o-2", "traceparent: rubbish\r\n", "")).await.status, 202);
    let (id, correlation, trace) = orders.recv().await.expect("it is handled");
    assert_eq!((id.as_str(), trace), ("o-2", None));
    assert_eq!(correlation.len(), 36, "{correlation}");
    service.stop().await?;
    Ok(())
}

#[tokio::test]
async fn w7_a_panic_is_a_500_without_text_and_the_connection_lives() -> Result<(), Error> {
    async fn panics() {
        panic!("the password is tiger")
    }
    let router = Router::new().route("/panic", on_get(panics)).route("/", on_get(async || "hello"));
    let service = serve(router, |http| http).await?;
    let mut client = Client::connect(&service).await;
    for _ in 0..3 {
        let answer = client.ask(get("/panic")).await;
        assert_eq!((answer.status, answer.text().as_str()), (500, ""));
        assert_eq!(client.ask(get("/")).await.text(), "hello");
    }
    Ok(())
}

#[tokio::test]
async fn w1_a_handler_that_takes_too_long_is_answered_with_503() -> Result<(), Error> {
    let router = Router::new()
        .route("/slow", on_get(async || tokio::time::sleep(LONG).await))
        .route("/", on_get(async || "hello"));
    let service = serve(router, |http| http.limits(|limits| limits.handler = SHORT)).await?;
    let mut client = Client::connect(&service).await;
    assert_eq!(client.ask(get("/slow")).await.status, 503);
    assert_eq!(client.ask(get("/")).await.status, 200);
    Ok(())
}

#[tokio::test]
async fn a_handler_is_woken_by_the_waker_it_had_at_first() -> Result<(), Error> {
    // Many a simple future keeps no other.
    let (first, is_done) = (Arc::new(OnceLock::<Waker>::new()), Arc::new(AtomicBool::new(false)));
    let (keeps, asks) = (first.clone(), is_done.clone());
    let wait = async move || {
        poll_fn(|cx| {
            keeps.get_or_init(|| cx.waker().clone());
            if asks.load(Relaxed) { Poll::Ready("done") } else { Poll::Pending }
        })
        .await
    };
    let service =
        serve(Router::new().route("/", on_get(wait)), |http| http.limits(|limits| limits.handler = LONG)).await?;
    let mut client = Client::connect(&service).await;
    client.send(get("/")).await;
    while first.get().is_none() {
        tokio::task::yield_now().await;
    }
    is_done.store(true, Relaxed);
    first.get().expect("it was asked").wake_by_ref();
    assert_eq!(client.answer().await.text(), "done");
    Ok(())
}

#[tokio::test]
async fn w1_requests_beyond_the_limit_are_told_to_come_back() -> Result<(), Error> {
    let (begun, end) = (mpsc::channel(8), Arc::new(Notify::new()));
    let ((begins, mut begun), ends) = (begun, end.clone());
    let hold = async move || {
        begins.send(()).await.expect("the test waits");
        ends.notified().await;
    };
    let router = Router::new().route("/", on_get(hold));
    let service = serve(router, |http| http.limits(|limits| limits.requests = 2)).await?;
    let mut held = [Client::connect(&service).await, Client::connect(&service).await];
    for client in &mut held {
        client.send(get("/")).await;
        begun.recv().await.expect("it is handled");
    }
    let mut third = Client::connect(&service).await;
    let refused = third.ask(get("/")).await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
    end.notify_waiters();
    for client in &mut held {
        assert_eq!(client.answer().await.status, 200);
    }
    third.send(get("/")).await;
    begun.recv().await.expect("there is room again");
    end.notify_waiters();
    assert_eq!(third.answer().await.status, 200);
    Ok(())
}

#[tokio::test]
async fn the_server_header_is_what_was_chosen() -> Result<(), Error> {
    let router = || Router::new().route("/", on_get(async || "hello"));
    assert_eq!(ask(&serve(router(), |http| http).await?, get("/")).await.header("server"), Some("tegami"));
    let named = serve(router(), |http| http.server_header("shop")).await?;
    assert_eq!(ask(&named, get("/")).await.header("server"), Some("shop"));
    let unnamed = serve(router(), |http| http.no_server_header()).await?;
    assert_eq!(ask(&unnamed, get("/")).await.header("server"), None);
    Ok(())
}

#[tokio::test]
async fn what_a_handler_says_in_headers_goes_out_as_it_is_and_once() -> Result<(), Error> {
    let headers = [("content-type", "text/csv"), ("server", "shop/2"), ("retry-after", "90"), ("date", "today")];
    let cookies = AppendHeaders([("set-cookie", "a"), ("set-cookie", "b")]);
    let busy = async move || (StatusCode::SERVICE_UNAVAILABLE, cookies, headers, "a,b");
    let answer = ask(&serve(Router::new().route("/", on_get(busy)), |http| http).await?, get("/")).await;
    for (name, value) in headers {
        let named = answer.head.lines().filter(|line| line.to_lowercase().starts_with(&format!("{name}:")));
        assert_eq!((named.count(), answer.header(name)), (1, Some(value)), "{}", answer.head);
    }
    assert_eq!(answer.head.matches("set-cookie: ").count(), 2, "{}", answer.head);
    Ok(())
}

#[tokio::test]
async fn k1_an_address_that_is_taken_or_wrong_stops_the_start() -> Result<(), Error> {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = taken.local_addr().map(|address| (address, taken)).expect("an address");
    let at = |address: String| {
        let service = Service::new("billing").transport(Memory::new()).routes(Router::new());
        service.http(|http| http.address(address)).start()
    };
    let error = at(taken.0.to_string()).await.err().expect("it is taken");
    assert_eq!(error.kind(), ErrorKind::Http);
    assert!(
        format!("{error:?}").contains(&taken.0.to_string()) && format!("{error:?}").contains("in use"),
        "{error:?}"
    );
    for text in ["nowhere", "nowhere:", ":8080", "localhost:http", "localhost:65536", "127.0.0.1", "no where\n:x"] {
        let error = at(text.to_owned()).await.err().expect("it is no address");
        assert_eq!(error.kind(), ErrorKind::Setting);
        assert!(error.to_string().contains(&text.escape_debug().to_string()), "{error}");
    }
    let error = at("nowhere.invalid:8080".to_owned()).await.err().expect("nobody has that name");
    assert_eq!(error.kind(), ErrorKind::Http);
    assert!(error.to_string().contains("nowhere.invalid:8080"), "{error}");
    let error = at(format!("localhost:{}", taken.0.port())).await.err().expect("it is taken");
    assert_eq!(error.kind(), ErrorKind::Http);
    let service = Service::new("billing").transport(Memory::new()).routes(Router::new());
    let error = service.http(|http| http.limits(|limits| limits.handler = std::time::Duration::ZERO));
    let error = error.start().await.err().expect("a limit is 0");
    assert!(error.to_string().contains("handler"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_host_name_is_an_address_too() -> Result<(), Error> {
    let router = Router::new().route("/", on_get(async || "hello"));
    let service = serve(router, |http| http.address("localhost:0")).await?;
    assert!(service.http_address().is_some_and(|address| address.ip().is_loopback() && address.port() > 0));
    assert_eq!(ask(&service, get("/")).await.text(), "hello");
    Ok(())
}

#[tokio::test]
async fn processes_that_ask_for_it_share_a_port() -> Result<(), Error> {
    let router = || Router::new().route("/", on_get(async || "hello"));
    let first = serve(router(), |http| http.reuse_port()).await?;
    let address = first.http_address().expect("it has routes").to_string();
    let same = address.clone();
    let second = serve(router(), move |http| http.reuse_port().address(same)).await?;
    assert_eq!(first.http_address(), second.http_address());
    assert_eq!(
        serve(router(), |http| http.address(address)).await.err().map(|error| error.kind()),
        Some(ErrorKind::Http)
    );
    Ok(())
}
