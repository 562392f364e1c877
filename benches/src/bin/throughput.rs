//! Takes the time of many messages through both services, in turns, and prints each time as a line of JSON.

use std::{sync::Arc, time::Instant};

use tegami_benches::{
    event::OrderPaid,
    latch::Latch,
    other::{self, Other},
    own::{self, Own},
    run::Side,
};
use tokio::runtime::{Builder, Runtime};

/// How often each is measured.
const ROUNDS: usize = 7;
/// Messages of one measurement, half of what a queue holds.
const MESSAGES: usize = 50_000;

fn main() {
    for _ in 0..ROUNDS {
        for workers in [1, 2] {
            tell("tegami", workers, time(workers, async |latch| Own::start(latch, |s| on(s, workers)).await));
            tell("ruststream", workers, time(workers, async |latch| Other::start(latch, subscriber(workers)).await));
        }
    }
}

fn on(service: tegami::Service<Latch>, workers: usize) -> tegami::Service<Latch> {
    service.on_with::<OrderPaid>(own::handle, |s| s.concurrency(workers))
}

fn subscriber(workers: usize) -> fn(other::Scope<'_>) {
    if workers == 1 { other::one } else { other::with_two_workers }
}

fn tell(side: &str, workers: usize, seconds: f64) {
    let line = serde_json::json!({"side": side, "workers": workers, "messages": MESSAGES, "seconds": seconds});
    println!("{line}");
}

/// Seconds from the first publish to the last message handled, after as many messages that are not timed.
fn time<S: Side, R>(workers: usize, start: impl AsyncFnOnce(Latch) -> (S, R)) -> f64 {
    let runtime = Builder::new_multi_thread().worker_threads(workers).enable_all().build().expect("a runtime");
    let latch = Latch::default();
    let (side, _running) = runtime.block_on(start(latch.clone()));
    let side = Arc::new(side);
    send(&runtime, &side, &latch);
    let began = Instant::now();
    send(&runtime, &side, &latch);
    began.elapsed().as_secs_f64()
}

fn send<S: Side>(runtime: &Runtime, side: &Arc<S>, latch: &Latch) {
    latch.expect(MESSAGES);
    let side = side.clone();
    let publishing = runtime.spawn(async move {
        for _ in 0..MESSAGES {
            side.publish().await;
        }
    });
    runtime.block_on(async { tokio::join!(publishing, latch.all()) }).0.expect("all are published");
}
