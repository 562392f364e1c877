//! One queue that a tomodachi service and a tegami service read, side by side.

use std::collections::{BTreeMap, BTreeSet};

use tegami::{Event, transport::amqp::tomodachi_queue};
use tegami_test_servers::Release;

use crate::{
    generated::letters::v1::LetterPosted,
    office::{Desk, KEY, Office, Plan, letter},
    peer::{Kind, Peer, holds, reads},
};

const LETTERS: u64 = 300;
/// What both read.
const QUEUE: &str = "shared";

/// A desk that reads as tomodachi does; a tenth of its first attempts fail.
fn beside_tomodachi(queue: impl Into<String>) -> Plan {
    let fails = |run: usize, attempt| attempt == 1 && run.is_multiple_of(10);
    Plan { parameters: "?compat=tomodachi", queue: queue.into(), fails, ..Plan::new(Kind::Json) }
}

pub async fn tomodachi_first(release: Release) {
    let office = Office::open(release).await;
    let peer = Peer::start(&office, [reads(Kind::Json, KEY, Some(QUEUE))]).await;
    let desk = office.desk(beside_tomodachi(QUEUE)).await.expect("it joins");
    share(peer, desk).await;
}

pub async fn tegami_first(release: Release) {
    let office = Office::open(release).await;
    let desk = office.desk(beside_tomodachi(QUEUE)).await.expect("it starts");
    let peer = Peer::start(&office, [reads(Kind::Json, KEY, Some(QUEUE))]).await;
    share(peer, desk).await;
}

pub async fn named_by_tomodachi(release: Release) {
    let office = Office::open(release).await;
    let peer = Peer::start(&office, [reads(Kind::Json, KEY, None)]).await;
    let queue = tomodachi_queue(LetterPosted::CONTRACT.routing_key);
    let desk = office.desk(beside_tomodachi(queue)).await.expect("it joins");
    share(peer, desk).await;
}

/// Each letter is handled once, by the one or the other; both have a part.
async fn share(mut peer: Peer, mut desk: Desk) {
    publish(&desk).await;
    let (mut by_tomodachi, mut by_tegami) = (BTreeMap::new(), BTreeMap::new());
    while by_tomodachi.len() + by_tegami.len() < LETTERS as usize {
        tokio::select! {
            read = peer.read() => *by_tomodachi.entry(read.number()).or_insert(0) += 1,
            run = desk.run() => if !run.failed {
                *by_tegami.entry(run.letter.number).or_insert(0) += 1;
            },
        }
    }
    assert!(!by_tomodachi.is_empty() && !by_tegami.is_empty(), "each has a part");
    let handled: BTreeMap<u64, i32> = by_tomodachi.into_iter().chain(by_tegami).collect();
    assert_eq!(handled, (0..LETTERS).map(|number| (number, 1)).collect(), "each letter is handled, and once");
    desk.running.stop().await.expect("it stops");
}

async fn publish(desk: &Desk) {
    let letters: Vec<_> = (0..LETTERS).map(|number| letter(number, "hello")).collect();
    for answer in desk.running.publisher().publish_all(&letters).await {
        answer.expect("it is published");
    }
}

pub async fn killed(release: Release) {
    let office = Office::open(release).await;
    let mut peer = Peer::start(&office, [holds(KEY, QUEUE)]).await;
    let mut desk = office.desk(Plan { fails: |_, _| false, ..beside_tomodachi(QUEUE) }).await.expect("it joins");
    publish(&desk).await;
    peer.read().await;
    drop(peer);
    let mut handled = BTreeSet::new();
    while handled.len() < LETTERS as usize {
        handled.insert(desk.run().await.letter.number);
    }
    desk.running.stop().await.expect("it stops");
}

pub async fn without_compat(release: Release) {
    let office = Office::open(release).await;
    let _peer = Peer::start(&office, [reads(Kind::Json, KEY, Some(QUEUE))]).await;
    let refused = office.desk(Plan { parameters: "", ..beside_tomodachi(QUEUE) }).await.err().expect("it differs");
    let told = refused_text(&refused);
    assert!(told.contains(&format!("{}{QUEUE}", office.prefix)) && told.contains("inequivalent arg"), "{told}");
}

/// The error and its causes.
fn refused_text(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
