//! One queue that a tomodachi service and a tegami service read, side by side.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    desk::{Desk, letter},
    peer::Peer,
};

const LETTERS: u64 = 300;

/// Fails a tenth of the first attempts.
pub fn at_times(run: usize, attempt: u32) -> bool {
    attempt == 1 && run.is_multiple_of(10)
}

/// Each letter is handled once, by the one or the other; both have a part.
pub async fn share(mut peer: Peer, mut desk: Desk) {
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

/// What a tomodachi held that is killed, and all the rest, comes to the desk. This one never ends a handler.
pub async fn inherit(mut peer: Peer, mut desk: Desk) {
    publish(&desk).await;
    peer.read().await;
    drop(peer);
    let mut handled = BTreeSet::new();
    while handled.len() < LETTERS as usize {
        handled.insert(desk.run().await.letter.number);
    }
    desk.running.stop().await.expect("it stops");
}

async fn publish(desk: &Desk) {
    let letters: Vec<_> = (0..LETTERS).map(|number| letter(number, "hello")).collect();
    for answer in desk.running.publisher().publish_all(&letters).await {
        answer.expect("it is published");
    }
}
