//! Takes the time of many messages through both services, in turns. Each time is a line of JSON; the last line says how
//! busy other programs kept the machine meanwhile.

use std::{fs, sync::Arc, time::Instant};

use serde_json::json;
use tegami::Service;
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
    let before = Ticks::now();
    for round in 0..ROUNDS {
        eprintln!("   round {} of {ROUNDS}", round + 1);
        for workers in [1, 2] {
            tell("tegami", workers, time(workers, async |latch| Own::start(latch, |s| on(s, workers)).await));
            tell("ruststream", workers, time(workers, async |latch| Other::start(latch, subscriber(workers)).await));
        }
    }
    println!("{}", json!({"others": Ticks::now().others_since(&before)}));
}

fn on(service: Service<Latch>, workers: usize) -> Service<Latch> {
    service.on_with::<OrderPaid>(own::handle, |s| s.concurrency(workers))
}

fn subscriber(workers: usize) -> fn(other::Scope<'_>) {
    if workers == 1 { other::one } else { other::with_two_workers }
}

fn tell(side: &str, workers: usize, seconds: f64) {
    println!("{}", json!({"side": side, "workers": workers, "messages": MESSAGES, "seconds": seconds}));
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

/// What Linux has counted of the processors' time.
struct Ticks {
    all: i64,
    idle: i64,
    own: i64,
}

impl Ticks {
    fn now() -> Self {
        let machine = fs::read_to_string("/proc/stat").expect("Linux tells");
        let spent = numbers(machine.lines().next().expect("a line for all processors"));
        let own = fs::read_to_string("/proc/self/stat").expect("Linux tells");
        let own = numbers(own.rsplit_once(')').expect("the name stands in brackets").1);
        // The first eight are all there is; the fourth and fifth are idle. Of our own, user and system.
        Self { all: spent[..8].iter().sum(), idle: spent[3] + spent[4], own: own[10] + own[11] }
    }

    /// The share of the machine that others used.
    fn others_since(&self, before: &Self) -> f64 {
        let all = self.all - before.all;
        let ours = (self.idle - before.idle) + (self.own - before.own);
        (all - ours).max(0) as f64 / all.max(1) as f64
    }
}

fn numbers(line: &str) -> Vec<i64> {
    line.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}
