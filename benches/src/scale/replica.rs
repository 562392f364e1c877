//! One of several services that read one queue.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use tegami::{Context, HandlerError, Service, transport::Transport};
use tokio::{
    io::{AsyncBufReadExt, BufReader, stdin},
    time::sleep,
};

use crate::{broker::QUEUE, event::OrderNoted};

/// How many deliveries each replica handles at once.
const CONCURRENCY: usize = 10;
/// How finely handled messages are told by time.
const TICK: Duration = Duration::from_millis(100);

/// What a handler takes, and how many it had done in each tick since 1970.
#[derive(Debug, Default)]
struct Done {
    takes: Duration,
    ticks: Mutex<BTreeMap<u64, u64>>,
}

impl Done {
    fn one(&self) {
        let now = SystemTime::UNIX_EPOCH.elapsed().expect("it is later than 1970");
        let tick = u64::try_from(now.as_millis() / TICK.as_millis()).expect("it is not that late");
        *self.ticks.lock().expect("nobody panics").entry(tick).or_default() += 1;
    }
}

async fn handle(_: OrderNoted, ctx: Context<Arc<Done>>) -> Result<(), HandlerError> {
    let done = ctx.state();
    if !done.takes.is_zero() {
        sleep(done.takes).await;
    }
    done.one();
    Ok(())
}

/// Handles what comes until stdin ends, each for so long; says that it has started, and answers with what was handled when,
/// in tenths of a second since 1970.
///
/// # Panics
/// The broker is not there.
pub async fn run(transport: impl Transport, takes: Duration, started: impl FnOnce()) -> BTreeMap<u64, u64> {
    let done = Arc::new(Done { takes, ..Done::default() });
    let service = Service::new("billing").state(done.clone()).transport(transport);
    let service = service.on_with::<OrderNoted>(handle, |s| s.queue(QUEUE).concurrency(CONCURRENCY));
    let running = service.start().await.expect("the service starts");
    started();
    let mut line = String::new();
    BufReader::new(stdin()).read_line(&mut line).await.expect("it can be read");
    running.stop().await.expect("the service stops");
    std::mem::take(&mut *done.ticks.lock().expect("nobody panics"))
}
