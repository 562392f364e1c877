//! How long a message is on its way through the SDK by itself.

use std::{net::SocketAddr, sync::Arc};

use super::{TOGETHER, raw::Client};
use crate::broker::{
    BODY,
    latency::{Clock, Latency, Walk},
};

/// Publishes and consumes at this pace, with one receive at a time, as tegami has while there is little to receive.
pub async fn raw(emulator: SocketAddr, walk: Walk) -> Latency {
    let (clock, client) = (Arc::new(Clock::of(walk)), Client::connect(emulator).await);
    let reading = tokio::spawn(read(client.clone(), clock.clone(), walk.messages));
    let bodies: Vec<String> = (0..walk.messages).map(|number| format!("{number:0BODY$}")).collect();
    let latency = clock.time(async |number: usize| client.publish(&bodies[number]).await).await;
    reading.await.expect("it ends");
    latency
}

async fn read(client: Client, clock: Arc<Clock>, messages: usize) {
    let (mut came, mut done) = (0, Vec::new());
    while came < messages {
        let deleting = client.delete_together(std::mem::take(&mut done));
        ((), done) = tokio::join!(deleting, client.receive(TOGETHER));
        for message in &done {
            let number = message.body.as_deref().and_then(|body| body.parse().ok());
            clock.handled(number.expect("the body is its number"));
        }
        came += done.len();
    }
    client.delete_together(done).await;
}
