//! Every line within a delivery, a request or a run knows where it belongs.

use std::{
    net::SocketAddr,
    time::{Duration, SystemTime},
};

use serde_json::json;
use tegami::{
    Context, Error, HandlerError, Retry, Service,
    error::BoxError,
    schedule::Tick,
    testing::TestService,
    time::{Clock, Wall},
    transport::Memory,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Lines;
use crate::{contracts::shop::orders::v1::OrderPaid, order};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

async fn fail(order: OrderPaid, _: Context) -> Result<(), HandlerError> {
    tracing::info!(attempt = "mine", order_id = order.order_id, "at work");
    Err(HandlerError::retry("no bank takes it"))
}

async fn note(_: OrderPaid, _: Context) -> Result<(), HandlerError> {
    tracing::info!("noted");
    Ok(())
}

#[tokio::test]
async fn each_line_of_a_delivery_knows_handler_event_message_attempt_and_trace() -> Result<(), Error> {
    let (lines, _guard) = Lines::begin(&[("log.format", "json")])?;
    let service =
        Service::new("billing").on_with::<OrderPaid>(fail, |s| s.retry(Retry::after([Duration::from_secs(1)])));
    let test = TestService::start(service).await?;
    let id = test.outside().publish_with(&order("o-1"), |p| p.attribute("traceparent", PARENT)).await?.to_string();
    test.settle().await;
    let handler = "service::logs::contexts::fail";
    let [first, second] = &lines.told("at work")[..] else { panic!("{}", lines.text()) };
    for line in [first, second] {
        assert_eq!(line["logger"], handler.rsplit_once("::").expect("a path").0);
        assert_eq!((&line["handler"], &line["queue"]), (&json!(handler), &json!("billing-shop-orders-v1-OrderPaid")));
        assert_eq!((&line["event"], &line["message_id"]), (&json!("shop.orders.v1.OrderPaid"), &json!(id)));
        assert_eq!((&line["correlation_id"], &line["trace_id"]), (&json!(id), &json!(TRACE)));
        assert_eq!((&line["attempt"], &line["order_id"]), (&json!("mine"), &json!("o-1")), "a line's own field counts");
    }
    let [failed] = &lines.told("attempt failed")[..] else { panic!("{}", lines.text()) };
    assert_eq!(
        (&failed["attempt"], &failed["handler"], &failed["message_id"]),
        (&json!(1), &json!(handler), &json!(id))
    );
    let [given_up] = &lines.told("given up")[..] else { panic!("{}", lines.text()) };
    assert_eq!((&given_up["level"], &given_up["trace_id"]), (&json!("error"), &json!(TRACE)));
    Ok(())
}

#[tokio::test]
async fn keys_stand_in_tomodachis_order() -> Result<(), Error> {
    let (lines, _guard) = Lines::begin(&[("log.format", "json")])?;
    tracing::warn!(target: "billing", { amount = 3, ratio = 0.5, paid = true, event = "e" }, "sent");
    let text = lines.text();
    let (time, rest) =
        text.strip_prefix(r#"{"timestamp": ""#).and_then(|text| text.split_once('"')).expect("a time first");
    assert!(time.len() == 27 && time.ends_with('Z') && time.as_bytes()[19] == b'.', "{time}");
    let expected = r#", "logger": "billing", "level": "warning", "message": "sent", "amount": 3, "ratio": 0.5, "paid": true, "event": "e"}"#;
    assert_eq!(rest, format!("{expected}\n"));
    Ok(())
}

#[tokio::test]
async fn each_line_of_a_run_knows_its_schedule_its_time_and_the_conversation_it_begins() -> Result<(), Error> {
    async fn tidy(tick: Tick) -> Result<(), HandlerError> {
        tracing::info!("at work");
        tick.publish(&order("o-1")).await?;
        Ok(())
    }
    let (lines, _guard) = Lines::begin(&[("log.format", "json")])?;
    let half_past = Wall::following(Clock::starting_at(SystemTime::UNIX_EPOCH + Duration::from_secs(30)));
    let service = Service::new("billing").wall(half_past).every(Duration::from_secs(60), tidy).on::<OrderPaid>(note);
    let test = TestService::start(service).await?;
    test.advance(Duration::from_secs(120)).await;
    test.settle().await;
    let (runs, noted) = (lines.told("at work"), lines.told("noted"));
    assert_eq!((runs.len(), noted.len()), (2, 2), "{}", lines.text());
    for (run, noted) in runs.iter().zip(&noted) {
        assert_eq!(run["schedule"], "tidy", "{run}");
        assert!(run["planned"].as_str().is_some_and(|time| time.ends_with(":00+00:00")), "{run}");
        assert!(run["correlation_id"].is_string() && run["correlation_id"] == noted["correlation_id"], "{run} {noted}");
    }
    assert_ne!(runs[0]["correlation_id"], runs[1]["correlation_id"]);
    Ok(())
}

/// Asks a service at this address for `/work`, with these headers.
async fn ask(address: SocketAddr, headers: &str) -> Result<(), BoxError> {
    let mut client = tokio::net::TcpStream::connect(address).await?;
    let head = format!("GET /work?x=1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{headers}\r\n");
    client.write_all(head.as_bytes()).await?;
    client.read_to_string(&mut String::new()).await?;
    Ok(())
}

#[tokio::test]
async fn a_request_that_names_no_conversation_knows_the_one_it_begins() -> Result<(), BoxError> {
    use tegami::{
        Publisher,
        http::axum::{Router, routing::get},
    };

    async fn work(publisher: Publisher) {
        tracing::info!("at work");
        publisher.publish(&order("o-1")).await.expect("it is stored");
    }
    let (lines, _guard) = Lines::begin(&[("log.format", "json")])?;
    let memory = Memory::new();
    let service = Service::new("billing").transport(memory.clone()).on::<OrderPaid>(note);
    let service = service.routes(Router::new().route("/work", get(work)));
    let running = service.http(|http| http.address("127.0.0.1:0")).start().await?;
    ask(running.http_address().expect("it has routes"), "").await?;
    memory.quiet().await;
    running.stop().await?;
    let access = lines.told("").into_iter().filter(|line| line["status_code"] == 200);
    let told: Vec<_> = lines.told("at work").into_iter().chain(lines.told("noted")).chain(access).collect();
    assert_eq!(told.len(), 3, "{}", lines.text());
    assert!(told[0]["correlation_id"].is_string(), "{}", told[0]);
    assert!(told.iter().all(|line| line["correlation_id"] == told[0]["correlation_id"]), "{told:?}");
    Ok(())
}

#[tokio::test]
async fn each_line_of_a_request_knows_its_path_and_trace() -> Result<(), BoxError> {
    use tegami::http::axum::{Router, routing::get};

    async fn work() -> &'static str {
        tracing::info!("at work");
        "done"
    }
    let (lines, _guard) = Lines::begin(&[("log.format", "json")])?;
    let service = Service::new("billing").transport(Memory::new()).routes(Router::new().route("/work", get(work)));
    let running = service.http(|http| http.address("127.0.0.1:0")).start().await?;
    let address = running.http_address().expect("it has routes");
    ask(address, &format!("X-Request-Id: r-1\r\ntraceparent: {PARENT}\r\n")).await?;
    running.stop().await?;
    let access = lines.told("").into_iter().filter(|line| line["status_code"] == 200);
    let told: Vec<_> = lines.told("at work").into_iter().chain(access).collect();
    assert_eq!(told.len(), 2, "{}", lines.text());
    for line in told {
        assert_eq!((&line["request_method"], &line["request_path"]), (&json!("GET"), &json!("/work")), "{line}");
        assert_eq!((&line["correlation_id"], &line["trace_id"]), (&json!("r-1"), &json!(TRACE)), "{line}");
    }
    Ok(())
}
