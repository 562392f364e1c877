//! Trouble by a seed: real services in processes of their own on a real RabbitMQ or SNS and SQS and a real PostgreSQL, a
//! nemesis that does something to one of them every few seconds, and at the end the account of every message.
//!
//! `scripts/soak chaos` runs it; docs/design/chaos.md says what it does. Nothing here runs by itself but the tests of
//! its parts.
//!
//! `phase` goes from the first process to the account, in a `place` with its servers; `crew` has the processes, whose
//! program is `worker`; `nemesis` draws and does what goes wrong; `fate` draws what becomes of each message in its
//! handler; `book` reads the ledgers as they grow, and `report` prints what they say.

mod account;
mod asked;
mod baseline;
mod book;
mod crew;
mod fate;
mod nemesis;
mod phase;
mod place;
mod report;
mod worker;

// Not every generated item is used here.
#[allow(dead_code, missing_docs)]
mod contracts {
    tegami::include_contracts!();
}

use std::{panic::AssertUnwindSafe, process::exit};

use asked::Asked;
use futures_util::FutureExt;
use tokio::{
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
};

/// The whole of it. It ends with 0 if every promise was kept, 1 if one was not, 2 if it could not be asked.
#[test]
#[ignore = "it takes minutes: scripts/soak chaos runs it"]
fn chaos() {
    let asked = Asked::given();
    let code = Runtime::new().expect("a runtime").block_on(async {
        let open = phase::Open::default();
        let code = tokio::select! {
            biased;
            code = told_to_end() => code,
            ended = AssertUnwindSafe(phase::all(&asked, &open)).catch_unwind() => ended.unwrap_or(2),
        };
        // Its processes have ended with it.
        phase::close(&open).await;
        code
    });
    exit(code);
}

/// One of its processes.
#[test]
#[ignore = "a process that the other test starts"]
fn work() {
    worker::work();
}

/// Waits until somebody wants it to end; what that ends with.
async fn told_to_end() -> i32 {
    let mut asked = [SignalKind::interrupt(), SignalKind::terminate()].map(|kind| signal(kind).expect("signals"));
    let [interrupt, terminate] = &mut asked;
    tokio::select! {
        biased;
        _ = interrupt.recv() => 130,
        _ = terminate.recv() => 143,
    }
}
