//! How long a message is on its way through lapin by itself.

use std::sync::Arc;

use futures_util::StreamExt;
use lapin::options::BasicAckOptions;

use super::raw;
use crate::broker::{
    BODY,
    latency::{Clock, Latency, Walk},
};

/// Publishes and consumes at this pace.
pub async fn raw(url: &str, walk: Walk) -> Latency {
    let clock = Arc::new(Clock::of(walk));
    let (consuming, channel) = raw::open(url).await;
    let mut deliveries = raw::consumer(&channel).await;
    let seen = clock.clone();
    let reading = tokio::spawn(async move {
        for _ in 0..walk.messages {
            let delivery = deliveries.next().await.expect("a delivery").expect("the broker is there");
            seen.handled(number_of(&delivery.data));
            delivery.ack(BasicAckOptions::default()).await.expect("it is acked");
        }
    });
    let (publishing, channel) = raw::open(url).await;
    let outlet = raw::Outlet::of(channel).await;
    let bodies: Vec<Vec<u8>> = (0..).map(body).take(walk.messages).collect();
    let publish = async |number: usize| raw::confirmed(outlet.publish(&bodies[number]).await).await;
    let latency = clock.time(publish).await;
    reading.await.expect("it ends");
    for connection in [publishing, consuming] {
        connection.close(200, "done".into()).await.expect("goodbye");
    }
    latency
}

/// As long as a message of tegami's; its number stands in front.
fn body(number: u32) -> Vec<u8> {
    let mut body = number.to_be_bytes().to_vec();
    body.resize(BODY, b'n');
    body
}

fn number_of(body: &[u8]) -> u32 {
    u32::from_be_bytes(*body.first_chunk().expect("it stands in front"))
}
