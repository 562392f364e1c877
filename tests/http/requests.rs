//! What a handler has: state, publisher, and the limits on what it does.

use std::{net::TcpListener, sync::Arc};

use tegami::{
    Context, Error, ErrorKind, HandlerError, Publisher, Service,
    http::{
        Page,
        axum::{
            Router,
            extract::{Path, State},
            http::StatusCode,
            routing::{get as on_get, post as on_post},
        },
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
async fn empty_errors_get_the_pages_they_were_given() -> Result<(), Error> {
    let page = async |page: Page| format!("no {} here", page.uri.path());
    let taken = async || (StatusCode::NOT_FOUND, "no such order");
    let router = Router::new().route("/order", on_get(taken));
    let service = serve(router, move |http| http.page(StatusCode::NOT_FOUND, page)).await?;
    let answer = ask(&service, get("/nowhere")).await;
    assert_eq!((answer.status, answer.text().as_str()), (404, "no /nowhere here"));
    assert_eq!(ask(&service, get("/order")).await.text(), "no such order");
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
    let error = at("nowhere".to_owned()).await.err().expect("it is no address");
    assert_eq!(error.kind(), ErrorKind::Setting);
    assert!(error.to_string().contains("nowhere"), "{error}");
    let service = Service::new("billing").transport(Memory::new()).routes(Router::new());
    let error = service.http(|http| http.limits(|limits| limits.handler = std::time::Duration::ZERO));
    let error = error.start().await.err().expect("a limit is 0");
    assert!(error.to_string().contains("handler"), "{error}");
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
