//! The service, from what is wrong with its settings to its end.

use std::{env, sync::Arc, time::Duration};

use serde::Deserialize;
use tegami::{
    Config, Context, HandlerError, Publisher, Retry, Secret, Service,
    error::BoxError,
    http::axum::{
        Router,
        extract::State,
        http::StatusCode,
        routing::{any, post},
    },
    logs,
    transport::Transport,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::Notify,
    time::{sleep, timeout},
};

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{FORMAT, NUMBER, REFUSED, URL, canary, others, persons, wrong};
use crate::contracts::shop::orders::v1::OrderPaid;

/// How long it may take until all that was published is given up.
pub const GIVEN_UP: Duration = Duration::from_secs(90);

#[derive(Clone, Debug, Deserialize)]
pub struct App {
    key: Secret,
    nested: Vec<Secret>,
}

/// Tells what there is beside the log.
pub fn tell(what: impl std::fmt::Debug) {
    eprintln!("{what:?}");
}

/// Lives, if this process was started for it. Dead letters are looked at through a transport of their own.
pub async fn live<T: Transport>(connect: impl Fn(&str) -> T) -> Result<(), BoxError> {
    let Ok(url) = env::var(URL) else { return Ok(()) };
    let log = Config::new().set("log.format", &env::var(FORMAT)?)?.set("log.filter", "trace")?;
    logs::init(&log)?;
    wrong::settings();
    wrong::collectors();
    wrong::transports().await?;
    wrong::refused(&env::var(REFUSED)?).await?;
    if !url.is_empty() {
        serve(&url, connect(&url)).await?;
    }
    tracing::warn!(url = format!("amqp://user:{}@host", canary(28)), "somebody tells of a URL");
    Ok(())
}

async fn serve(url: &str, transport: impl Transport) -> Result<(), BoxError> {
    let app = format!("[app]\nkey = '{}'\nnested = ['{}', '{}']", canary(2), canary(28), canary(29));
    let prefix = format!("canaries-{}-", std::process::id());
    let config = Config::parse(&app)?.set("http.address", "127.0.0.1:0")?.set("drain", "0")?.set("prefix", &prefix)?;
    let config = config.set("transport", url)?;
    let app: App = config.app()?;
    tell((&config, &app));
    let again = Retry::after([Duration::from_millis(1)]);
    let service = Service::new("billing").config(config).state(app);
    let service = service.on_with::<OrderPaid>(fail, |s| s.retry(again).timeout(Duration::from_millis(50)));
    let service = persons::handled(service);
    let (otlp, ran) = (others::collected().await?, Arc::new(Notify::new()));
    let service = service.observe(otlp.observer()).every(Duration::from_millis(100), others::failing(&ran));
    let router = Router::new().route("/buy", post(bought)).route("/frames", any(others::frames));
    let running = service.routes(router).admin("127.0.0.1:0").start().await?;
    for amount in 1..5 {
        let order = OrderPaid::builder().order_id(canary(0)).currency(canary(1)).amount_minor(amount).build();
        running.publisher().publish_with(&order, |p| p.attribute("tenant", canary(5))).await?;
    }
    persons::publish(running.publisher()).await?;
    let address = running.http_address().expect("it has routes");
    tell(request(address).await?);
    tell(others::framed(address).await?);
    timeout(GIVEN_UP, ran.notified()).await?;
    let queue = format!("{prefix}billing-shop-orders-v1-OrderPaid");
    timeout(GIVEN_UP, given_up(&transport, &queue)).await??;
    persons::given_up(&transport, &prefix).await?;
    persons::kept().await?;
    others::look(running.admin_address().expect("it has one")).await?;
    transport.close().await;
    tell(running.stop().await?);
    tell(&otlp);
    otlp.close().await;
    Ok(())
}

/// Waits until all five are given up.
async fn given_up(transport: &impl Transport, queue: &str) -> Result<(), BoxError> {
    loop {
        let letters = transport.dead_letters(queue, 100).await?;
        if letters.len() == 5 {
            letters.iter().for_each(|letter| tell((letter.error(), letter.reason())));
            return Ok(());
        }
        sleep(Duration::from_millis(100)).await;
    }
}

async fn fail(order: OrderPaid, ctx: Context<App>) -> Result<(), HandlerError> {
    assert!(ctx.attributes().text("tenant").is_some() && ctx.state().key.reveal() == canary(2));
    match order.amount_minor {
        1 => Err(HandlerError::retry("no bank takes it")),
        2 => Err(HandlerError::reject("never")),
        3 => panic!("on purpose"),
        _ => std::future::pending().await,
    }
}

async fn bought(State(app): State<App>, publisher: Publisher, body: String) -> StatusCode {
    assert!(app.nested.len() == 2 && body.contains("canary"));
    let order = OrderPaid::builder().order_id(canary(3)).currency(canary(4)).amount_minor(NUMBER).build();
    let published = publisher.publish_with(&order, |p| p.attribute("tenant", canary(5))).await;
    published.expect("the transport is there");
    StatusCode::INTERNAL_SERVER_ERROR
}

/// A request with secrets in its headers and its body, and what was answered.
async fn request(address: std::net::SocketAddr) -> Result<String, BoxError> {
    let mut client = tokio::net::TcpStream::connect(address).await?;
    let body = canary(23);
    let head = format!(
        "POST /buy HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Basic {}\r\nCookie: {}\r\nX-Api-Key: {}\r\n\
         tracestate: a={}\r\nContent-Length: {}\r\n\r\n{body}",
        STANDARD.encode(format!("user:{}", canary(24))),
        canary(25),
        canary(26),
        canary(27),
        body.len(),
    );
    client.write_all(head.as_bytes()).await?;
    let mut answer = String::new();
    client.read_to_string(&mut answer).await?;
    Ok(answer)
}
