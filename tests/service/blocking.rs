//! A handler that blocks its thread (L4, H-02). In real time: the watch knows no other.

use std::{
    sync::{Arc, LazyLock, Mutex, MutexGuard},
    thread,
    time::{Duration, Instant},
};

use tegami::{Context, Error, HandlerError, Service, transport::Memory};
use tokio::runtime::{Builder, Runtime};
use tracing_subscriber::filter::LevelFilter;

use crate::{
    contracts::shop::{billing::v1::ReceiptSent, orders::v1::OrderPaid},
    log::Log,
    order,
};

/// How long the handler blocks.
const BLOCK: Duration = Duration::from_secs(12);

/// What every thread of these tests logs.
static LOG: LazyLock<Log> = LazyLock::new(|| {
    let log = Log::default();
    tracing::subscriber::set_global_default(log.subscriber(LevelFilter::WARN)).expect("nobody else sets one");
    log
});

/// When the handler began to block, when it was reported, and when the others completed.
#[derive(Debug, Default)]
struct Times {
    began: Option<Instant>,
    reported: Option<Instant>,
    others: Vec<Instant>,
}

#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Times>>);

impl Notes {
    fn times(&self) -> MutexGuard<'_, Times> {
        self.0.lock().expect("no panic while it is held")
    }
}

async fn block(_: OrderPaid, ctx: Context<Notes>) -> Result<(), HandlerError> {
    ctx.state().times().began = Some(Instant::now());
    thread::sleep(BLOCK);
    Ok(())
}

async fn note(_: ReceiptSent, ctx: Context<Notes>) -> Result<(), HandlerError> {
    ctx.state().times().others.push(Instant::now());
    Ok(())
}

/// Runs a service whose one handler blocks, with receipts for its other one all the while.
async fn run(name: &str, notes: Notes) -> Result<(), Error> {
    let service = Service::new(name).transport(Memory::new()).state(notes);
    let running = service.on::<OrderPaid>(block).on::<ReceiptSent>(note).start().await?;
    running.publisher().publish(&order("o-1")).await?;
    let until = Instant::now() + BLOCK + Duration::from_millis(500);
    while Instant::now() < until {
        running.publisher().publish(&ReceiptSent::builder().order_id("o-2").build()).await?;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    running.stop().await?;
    Ok(())
}

/// Watches the log from outside while the service of this name runs.
fn times(name: &'static str, runtime: Runtime) -> Times {
    LazyLock::force(&LOG);
    let notes = Notes::default();
    let service = run(name, notes.clone());
    let running = thread::spawn(move || runtime.block_on(service).expect("it ends well"));
    let queue = format!("queue=\"{name}-shop-orders-v1-OrderPaid\"");
    let told = |text| LOG.lines().into_iter().filter(|line| line.contains(text) && line.contains(&queue)).count();
    while !running.is_finished() {
        if told("blocks its thread") > 0 {
            notes.times().reported.get_or_insert_with(Instant::now);
        }
        thread::sleep(Duration::from_millis(10));
    }
    running.join().expect("no panic");
    assert_eq!((told("blocks its thread"), told("blocked its thread")), (1, 1), "once as it blocks, once as it ends");
    let line = LOG.lines().into_iter().find(|line| line.contains(&queue)).expect("it was told");
    let named = ["shop.orders.v1.OrderPaid", "id=", "attempt=1", "3s"].iter().all(|part| line.contains(part));
    assert!(named, "{line}");
    std::mem::take(&mut notes.times())
}

fn assert_reported(times: &Times) {
    let took = times.reported.expect("it was reported") - times.began.expect("it blocked");
    assert!(took >= Duration::from_secs(3) && took <= BLOCK - Duration::from_secs(2), "reported after {took:?}");
}

#[test]
fn h02_l4_a_blocked_thread_is_reported_within_five_seconds_and_stalls_no_other_subscription() {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let times = times("two", runtime);
    assert_reported(&times);
    let mut moments = times.others.clone();
    moments.extend(times.began);
    moments.sort();
    let stall = moments.windows(2).map(|two| two[1] - two[0]).max().expect("receipts were handled");
    assert!(stall <= BLOCK / 2, "the others stalled for {stall:?}");
    assert!(times.others.len() > 100, "{}", times.others.len());
}

#[test]
fn l4_a_blocked_thread_is_reported_where_it_is_the_only_one_and_the_clock_is_paused() {
    let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
    assert_reported(&times("one", runtime));
}
