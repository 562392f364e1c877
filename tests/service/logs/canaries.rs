//! K-03: of many secrets, put wherever a service takes anything, none is told, at any level.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use serde::Deserialize;
use tegami::{
    Config, Context, Error, HandlerError, Publisher, Retry, Secret, Service,
    error::BoxError,
    http::axum::{Router, extract::State, http::StatusCode, routing::post},
    transport::{Memory, Transport},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Lines;
use crate::contracts::shop::orders::v1::OrderPaid;

/// The secrets: `canary-1-end`, and so on.
fn canary(number: usize) -> String {
    format!("canary-{number}-end")
}

/// How many there are.
const COUNT: usize = 30;
/// One that is a number.
const NUMBER: i64 = 4_111_111_111_111_111;

#[derive(Clone, Debug, Deserialize)]
struct App {
    key: Secret,
    nested: Vec<Secret>,
}

/// All that a service told beside its log.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    fn tell(&self, what: impl std::fmt::Debug) {
        self.0.lock().expect("one thread").push(format!("{what:?}"));
    }

    fn error(&self, error: &Error) {
        self.tell((error.to_string(), error));
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
    drop(publisher.publish_with(&order, |p| p.attribute("tenant", canary(5))).await);
    StatusCode::INTERNAL_SERVER_ERROR
}

/// Settings that are wrong, each with a secret within.
fn wrong_settings(told: &Told) {
    let files = [
        format!("transport = 'amqp://user:{}@host.example'\ndrain = -1", canary(6)),
        format!("password = '{}'", canary(7)),
        format!("prefix = '{}", canary(8)),
        format!("transport = '{}' x", canary(9)),
        format!("transport = ['{}']", canary(10)),
        format!("= {}", canary(11)),
    ];
    for file in files {
        told.error(&Config::parse(&file).expect_err("it is wrong"));
    }
    let variables = [("TEGAMI_PASSWORD", canary(12)), ("TEGAMI_TRANSPROT", format!("amqp://u:{}@h", canary(13)))];
    for (name, value) in variables {
        told.error(&Config::parse_with("", [(name, &*value)]).expect_err("it is wrong"));
    }
    for app in [
        format!("[app]\nkey = ['{}']\nnested = []", canary(14)),
        format!("[app]\nkey = 'x'\nnested = '{}'", canary(15)),
        format!("[app]\nkey = 'x'\nnested = {{ x = '{}' }}", canary(16)),
    ] {
        told.error(&Config::parse(&app).and_then(|config| config.app::<App>()).expect_err("it is wrong"));
    }
}

/// Transports that cannot be had, each with a secret in its URL.
async fn wrong_transports(told: &Told) -> Result<(), Error> {
    for url in [
        format!("pigeon://user:{}@host", canary(17)),
        format!("amqp://user:{}@host.example", canary(18)),
        format!("amqps://user:{}@host.example?verify=none", canary(19)),
        format!("amqps://user{}@host.example", canary(20)),
        format!("aws:eu-west-1?endpoint=https://user:{}@host.example", canary(21)),
        canary(22),
    ] {
        let config = Config::new().set("transport", &url)?;
        told.tell(&config);
        let service = Service::new("billing").config(config).started(async |_| Ok::<(), String>(()));
        told.error(&service.start().await.err().expect("there is no such transport"));
    }
    Ok(())
}

/// A request with secrets in its headers and its body, and what was answered.
async fn request(address: std::net::SocketAddr) -> Result<String, BoxError> {
    use base64_of::encode;
    let mut client = tokio::net::TcpStream::connect(address).await?;
    let body = canary(23);
    let head = format!(
        "POST /buy HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Basic {}\r\nCookie: {}\r\nX-Api-Key: {}\r\n\
         tracestate: a={}\r\nContent-Length: {}\r\n\r\n{body}",
        encode(&format!("user:{}", canary(24))),
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

mod base64_of {
    //! Base64, as `Authorization` has it.

    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    pub fn encode(text: &str) -> String {
        let mut signs = String::new();
        for three in text.as_bytes().chunks(3) {
            let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
            for n in 0..4 {
                let sign = char::from(SIGNS[(bits >> (18 - 6 * n) & 63) as usize]);
                signs.push(if n <= three.len() { sign } else { '=' });
            }
        }
        signs
    }
}

/// A service's whole life on this transport, full of secrets.
async fn live(transport: impl Transport, told: &Told) -> Result<(), BoxError> {
    let app = format!("[app]\nkey = '{}'\nnested = ['{}', '{}']", canary(2), canary(28), canary(29));
    let config = Config::parse(&app)?.set("http.address", "127.0.0.1:0")?.set("drain", "0")?;
    let app: App = config.app()?;
    told.tell((&config, &app));
    let again = Retry::after([Duration::from_millis(1)]);
    let service = Service::new("billing").config(config).transport(transport).state(app);
    let service = service.on_with::<OrderPaid>(fail, |s| s.retry(again).timeout(Duration::from_millis(50)));
    let running = service.routes(Router::new().route("/buy", post(bought))).start().await?;
    for amount in 1..5 {
        let order = OrderPaid::builder().order_id(canary(0)).currency(canary(1)).amount_minor(amount).build();
        running.publisher().publish_with(&order, |p| p.attribute("tenant", canary(5))).await?;
    }
    told.tell(request(running.http_address().expect("it has routes")).await?);
    tokio::time::sleep(Duration::from_millis(500)).await;
    told.tell(running.stop().await?);
    Ok(())
}

#[tokio::test]
async fn k03_no_secret_is_told_at_any_level_in_any_format() -> Result<(), BoxError> {
    for format in ["console", "json"] {
        let (lines, _guard) = Lines::begin(&[("log.format", format), ("log.filter", "trace")])?;
        let (told, memory) = (Told::default(), Memory::new());
        wrong_settings(&told);
        wrong_transports(&told).await?;
        live(memory.clone(), &told).await?;
        for letter in memory.dead_letters("billing-shop-orders-v1-OrderPaid", 100).await? {
            told.tell((letter.error(), letter.reason()));
        }
        tracing::warn!(url = format!("amqp://user:{}@host", canary(28)), "somebody tells of a URL");
        let all = format!("{}\n{}", lines.text(), told.0.lock().expect("one thread").join("\n"));
        for sign in ["attempt failed", "given up", "on purpose", "status_code", "user:***@host", "is no TOML"] {
            assert!(all.contains(sign), "the story lacks `{sign}`:\n{all}");
        }
        let found: Vec<usize> = (0..COUNT).filter(|number| all.contains(&canary(*number))).collect();
        assert_eq!(found, Vec::<usize>::new(), "{all}");
        let bytes = format!("{:?}", canary(0).as_bytes());
        assert!(
            !all.contains("canary-")
                && !all.contains(&NUMBER.to_string())
                && !all.contains(bytes.trim_matches(['[', ']']))
        );
    }
    Ok(())
}
