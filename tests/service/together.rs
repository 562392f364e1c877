//! Handlers, schedules and requests of one service stop together; services of one process do not (S).

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use tegami::{
    Config, Context, HandlerError, Service,
    error::BoxError,
    http::axum::{Router, extract::State, routing::get},
    schedule::{Schedule, Tick},
    service::{Ended, Running},
    transport::Memory,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{contracts::shop::orders::v1::OrderPaid, order};

/// A stop takes so much more than its drain time at most (S1).
const AFTER_DRAIN: Duration = Duration::from_secs(10);
/// What a busy machine adds.
const MARGIN: Duration = Duration::from_secs(5);

/// How long each of them works, and what of it was begun and done.
#[derive(Clone, Default)]
struct Work {
    takes: Duration,
    begun: Arc<AtomicUsize>,
    done: Arc<AtomicUsize>,
}

impl Work {
    async fn go(&self) {
        self.begun.fetch_add(1, SeqCst);
        tokio::time::sleep(self.takes).await;
        self.done.fetch_add(1, SeqCst);
    }
}

async fn handle(_: OrderPaid, ctx: Context<Work>) -> Result<(), HandlerError> {
    ctx.state().go().await;
    Ok(())
}

async fn tidy(tick: Tick<Work>) -> Result<(), HandlerError> {
    tick.state().go().await;
    Ok(())
}

async fn answer(State(work): State<Work>) -> &'static str {
    work.go().await;
    "done"
}

async fn ask(address: SocketAddr) -> Result<String, BoxError> {
    let mut client = TcpStream::connect(address).await?;
    client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await?;
    let mut answer = String::new();
    client.read_to_string(&mut answer).await?;
    Ok(answer)
}

/// A service at work on an event, a tick and a request.
async fn at_work(
    work: &Work,
    drain: &str,
) -> Result<(Running, tokio::task::JoinHandle<Result<String, BoxError>>), BoxError> {
    let config = Config::new().set("drain", drain)?.set("http.address", "127.0.0.1:0")?;
    let service = Service::new("billing").config(config).transport(Memory::new()).state(work.clone());
    let service = service.on::<OrderPaid>(handle).schedule(Schedule::daily().immediately(), tidy);
    let running = service.routes(Router::new().route("/", get(answer))).start().await?;
    running.publisher().publish(&order("o-1")).await?;
    let asked = tokio::spawn(ask(running.http_address().expect("it has routes")));
    let all_at_work = async {
        while work.begun.load(SeqCst) < 3 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), all_at_work).await?;
    Ok((running, asked))
}

#[tokio::test]
async fn s1_what_runs_at_a_stop_ends_together_in_the_drain_time() -> Result<(), BoxError> {
    let work = Work { takes: Duration::from_millis(300), ..Work::default() };
    let (running, asked) = at_work(&work, "60").await?;
    let began = Instant::now();
    assert_eq!(running.stop().await?, Ended::Drained);
    assert!(began.elapsed() <= work.takes + MARGIN, "they were waited for to the end: {:?}", began.elapsed());
    assert_eq!(work.done.load(SeqCst), 3);
    assert!(asked.await??.ends_with("done"));
    Ok(())
}

#[tokio::test]
async fn s1_what_does_not_end_is_dropped_together_in_drain_time_and_ten_seconds() -> Result<(), BoxError> {
    let work = Work { takes: Duration::from_secs(3600), ..Work::default() };
    let (running, asked) = at_work(&work, "0.2").await?;
    let began = Instant::now();
    assert_eq!(running.stop().await?, Ended::Forced);
    let most = Duration::from_millis(200) + AFTER_DRAIN + MARGIN;
    assert!(began.elapsed() <= most, "{:?}", began.elapsed());
    assert_eq!(work.done.load(SeqCst), 0);
    assert!(!asked.await?.unwrap_or_default().contains("200 OK"));
    Ok(())
}

#[tokio::test]
async fn nobody_can_connect_before_the_started_hooks_are_done() -> Result<(), BoxError> {
    let address = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let config = Config::new().set("http.address", &address.to_string())?;
    let service = Service::new("billing").config(config).transport(Memory::new()).state(Work::default());
    let service = service.routes(Router::new().route("/", get(answer))).started(async move |_| {
        assert!(TcpStream::connect(address).await.is_err(), "let in too early");
        Ok::<(), BoxError>(())
    });
    let running = service.start().await?;
    assert!(TcpStream::connect(address).await.is_ok());
    running.stop().await?;
    assert!(TcpStream::connect(address).await.is_err(), "let in after the end");
    Ok(())
}

#[tokio::test]
async fn of_two_services_in_one_process_one_stops_and_the_other_works_on() -> Result<(), BoxError> {
    let (one, other) = (Work::default(), Work::default());
    let (stopping, asked) = at_work(&one, "20").await?;
    let (staying, also_asked) = at_work(&other, "20").await?;
    let (stopped, address) = (stopping.http_address(), staying.http_address().expect("it has routes"));
    stopping.stop().await?;
    assert!(TcpStream::connect(stopped.expect("it had routes")).await.is_err());
    assert!(TcpStream::connect(address).await.is_ok());
    staying.publisher().publish(&order("o-2")).await?;
    let handled = async {
        while other.done.load(SeqCst) < 4 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), handled).await?;
    staying.stop().await?;
    drop((asked.await??, also_asked.await??));
    Ok(())
}
