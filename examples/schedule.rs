//! A handler that runs by the clock: every second, three times, then the service stops.
//!
//! ```console
//! $ cargo run --example schedule --features schedule
//! `30 2 * * * in Europe/Berlin` comes again, 5 times are known
//! `count` runs for the 1. time
//! `count` runs for the 2. time
//! `count` runs for the 3. time
//! ```

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::SystemTime,
};

use tegami::{
    HandlerError, Service,
    schedule::{Schedule, Tick},
};

#[tokio::main]
async fn main() -> Result<(), tegami::Error> {
    let nightly = Schedule::cron("30 2 * * *").in_zone("Europe/Berlin");
    println!("`{nightly}` comes again, {} times are known", nightly.upcoming(SystemTime::now(), 5)?.len());
    Service::new("billing").state(AtomicU32::new(0)).schedule(Schedule::heartbeat(), count).run().await
}

async fn count(tick: Tick<AtomicU32>) -> Result<(), HandlerError> {
    let number = tick.state().fetch_add(1, Ordering::Relaxed) + 1;
    println!("`{}` runs for the {number}. time", tick.name());
    if number == 3 {
        tick.stop();
    }
    Ok(())
}
