//! Counts the calls that pass on their way to the emulator, whoever makes them.

use std::{
    collections::BTreeMap,
    io::{self, BufRead},
    net::SocketAddr,
};

use serde::Serialize;
use tegami_test_servers::AwsFault;

/// Where the counting is done, and what was counted.
#[derive(Debug, Serialize)]
pub struct Counted {
    endpoint: String,
    calls: BTreeMap<String, u64>,
}

/// Hands calls on to the emulator, and tells of them at first and after each line of stdin.
///
/// # Panics
/// There is no free port.
pub async fn count(emulator: SocketAddr, tell: impl Fn(Counted)) {
    let proxy = AwsFault::before(emulator, 0).await.expect("there is a free port");
    let counted = || Counted { endpoint: proxy.endpoint(), calls: proxy.counts().into_iter().collect() };
    tell(counted());
    // The proxy has a thread of its own.
    for line in io::stdin().lock().lines() {
        line.expect("it can be read");
        tell(counted());
    }
}
