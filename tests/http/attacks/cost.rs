//! What attacks cost the process that they are made on: memory for a while, descriptors and tasks for no longer than they
//! last.

use std::time::Duration;

use super::{
    http2,
    server::{Holds, Server},
    websocket,
};
use crate::{
    LONG,
    client::{Client, get},
    sockets::{BINARY, frame, upgrade},
};

/// Clients of each of the kinds that take most.
const EACH: usize = 100;
const ROUNDS: usize = 4;
const MIB: usize = 1024 * 1024;
/// What all clients of a round may take at once, 700 of them.
const AT_ONCE: usize = 256 * MIB;
/// What may be left of all rounds but the first: some 16 KiB for each attack.
const LEFT: usize = 32 * MIB;

/// What is sent on each connection of a round.
fn round() -> Vec<Vec<u8>> {
    let handshake = upgrade("/echo", "");
    let on_socket = |bytes: &[u8]| [handshake.as_bytes(), bytes].concat();
    // The largest frame that may come, of which the last byte never does.
    let mut half = frame(BINARY, &[0; 256 * 1024]);
    half.pop();
    let heavy = [http2::endless(), http2::bombs(), on_socket(&half), on_socket(&websocket::endless())];
    let heavy = heavy.into_iter().flat_map(|bytes| std::iter::repeat_n(bytes, EACH));
    let http2 = http2::all().into_iter().map(|attack| attack.bytes);
    http2.chain(websocket::all().into_iter().map(|attack| on_socket(&attack.bytes))).chain(heavy).collect()
}

/// Makes all of these attacks at once, and leaves when all are made.
async fn attack(server: &Server, attacks: &[Vec<u8>]) {
    let mut clients = Vec::new();
    for bytes in attacks {
        let mut client = Client::at(server.address).await;
        client.send(bytes).await;
        clients.push(client);
    }
    let mut good = Client::at(server.address).await;
    assert_eq!(good.ask(get("/")).await.status, 200, "a good client is served, while all of them are there");
}

/// What it holds once it holds no more than so many descriptors and tasks.
async fn settled(server: &Server, before: &Holds) -> Holds {
    let settle = async {
        loop {
            let holds = server.holds().await;
            if holds.descriptors <= before.descriptors && holds.tasks <= before.tasks {
                return holds;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    match tokio::time::timeout(LONG, settle).await {
        Ok(holds) => holds,
        Err(_) => panic!("{:?} are left of attacks, and before them {before:?}", server.holds().await),
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn w6_attacks_cost_bounded_memory_and_leave_no_descriptor_and_no_task() {
    let (server, attacks) = (Server::start(), round());
    // Before the first connection a runtime has not all that it needs.
    let fresh = server.holds().await;
    let before = settled(&server, &Holds { tasks: fresh.tasks.max(2), ..fresh }).await;
    // The first round has allocators keep what they reuse in the next ones.
    attack(&server, &attacks).await;
    let first = settled(&server, &before).await;
    let mut last = first;
    for _ in 1..ROUNDS {
        attack(&server, &attacks).await;
        last = settled(&server, &before).await;
    }
    println!("{} attacks, {ROUNDS} times: {before:?}, then {first:?}, and in the end {last:?}", attacks.len());
    assert!(last.peak - before.resident < AT_ONCE, "{before:?}, then {last:?}");
    assert!(last.resident.saturating_sub(first.resident) < LEFT, "{first:?}, then {last:?}");
}
