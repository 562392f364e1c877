//! What came into queues.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use crate::startup::Account;

/// Emulators deliver a little after the publish.
const AFTER: Duration = Duration::from_millis(500);
/// How soon all has come.
const SOON: Duration = Duration::from_secs(60);

/// The bodies that a queue took; waits until all are there that are expected, but not for ever. What comes while a
/// queue is read, LocalStack may lose.
pub async fn taken(account: &Account, queue: &str, expected: &BTreeSet<String>) -> BTreeSet<String> {
    let (began, mut bodies) = (Instant::now(), BTreeSet::new());
    let count = || account.caller.count(queue).expect("it answers")[0];
    while count() < expected.len() as u64 && began.elapsed() < SOON {
        tokio::time::sleep(AFTER).await;
    }
    loop {
        loop {
            let received = account.caller.receive(queue).expect("it answers");
            if received.is_empty() {
                break;
            }
            bodies.extend(received.iter().filter_map(|message| Some(message["Body"].as_str()?.to_owned())));
        }
        if expected.is_subset(&bodies) || began.elapsed() > SOON {
            return bodies;
        }
        tokio::time::sleep(AFTER).await;
    }
}

/// Time for what is not expected.
pub async fn settle() {
    tokio::time::sleep(2 * AFTER).await;
}
