//! What is published arrives: unchanged, each once, whatever else is published beside it.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::{FutureExt, StreamExt, future, stream};

use super::message_limit;
use crate::{
    event::Attributes,
    testing::transport::{Done, Tamper, Trial, tampered, trial::held},
    transport::{Capabilities, Outgoing, PublishError, Transport},
};

/// P9: bodies and attributes arrive unchanged, the empty one and the largest among them.
pub async fn p_02_roundtrip(trial: &Trial) -> Done {
    let (transport, plan) = trial.queue("letters").await;
    let capabilities = transport.capabilities();
    let attributes = attributes(capabilities.attribute_limit);
    let mut reader = trial.reader(&*transport, &plan).await;
    for body in bodies(&capabilities, &attributes) {
        let mut message = trial.message(&plan, body);
        message.sealed.attributes = attributes.clone();
        let sent = message.sealed.clone();
        trial.publish(&*transport, message).await.expect("it is within every limit");
        let got = reader.next().await;
        let came = &got.delivery.sealed;
        assert!(came.body == sent.body, "{} bytes went out, {} others came", sent.body.len(), came.body.len());
        for (name, value) in sent.attributes.iter() {
            assert_eq!(came.attributes.get(name), Some(value), "{name} of {} bytes", sent.body.len());
        }
        assert_eq!(came.attributes.len(), sent.attributes.len(), "{:?}", came.attributes);
        got.ack().await.expect("the delivery is ours to ack");
    }
    Done::Kept
}

/// Values of every type, as many as a message may carry.
fn attributes(limit: usize) -> Attributes {
    let mut all = Attributes::new();
    all.set("text", "a");
    all.set("Text_of-all.planes", planes());
    all.set("whole", 0_i64);
    all.set("lowest", i64::MIN);
    all.set("highest", u64::MAX);
    all.set("float", 0.1_f64);
    all.set("float-that-is-whole", 1.0_f64);
    all.set("float-that-is-small", f64::MIN_POSITIVE);
    all.set("yes", true);
    all.set("no", false);
    all.iter().take(limit).fold(Attributes::new(), |few, (name, value)| few.with(name.to_owned(), value.clone()))
}

/// Nothing, one byte, every byte, a character of every Unicode plane, and one byte less than there may be.
fn bodies(capabilities: &Capabilities, attributes: &Attributes) -> Vec<Vec<u8>> {
    let mut bodies = vec![Vec::new(), vec![0], (0..=u8::MAX).collect(), planes().into_bytes()];
    let beside: usize = attributes.iter().map(|(name, value)| name.len() + value.to_string().len()).sum();
    bodies.extend(message_limit(capabilities).map(|limit| vec![b'x'; limit - 1 - beside]));
    bodies
}

fn planes() -> String {
    (0..=0x10).filter_map(|plane| char::from_u32((plane << 16) + 0x6f22)).collect()
}

/// P1, P3: what is published at once arrives, each once.
pub async fn p_03_concurrent(trial: &Trial) -> Done {
    let (transport, plan) = trial.queue("letters").await;
    let publishes = (0..50).map(|_| async {
        for number in 0..trial.many() / 50 {
            let message = trial.message(&plan, number.to_string());
            trial.publish(&*transport, message).await.expect("there is room");
        }
    });
    let mut reader = trial.reader(&*transport, &plan).await;
    future::join(future::join_all(publishes), reader.complete(trial.many())).await;
    assert_eq!(trial.tally().duplicates(), 0, "nothing is delivered twice without a fault");
    Done::Kept
}

/// P2: a publish that is dropped half-way breaks nothing; those beside it are taken and arrive.
pub async fn p_11_dropped_future(trial: &Trial) -> Done {
    let (transport, plan) = trial.queue("letters").await;
    let transport = tampered(transport, Arc::new(Hesitates(Mutex::new(trial.chance()))));
    let publish = |number: usize| {
        let message = trial.message(&plan, number.to_string());
        (message.id.clone(), trial.publish(&*transport, message))
    };
    let publishes = stream::iter(0..trial.many()).map(|number| {
        let (id, publish) = publish(number);
        async move {
            if number % 2 == 0 {
                drop(publish.now_or_never());
                return None;
            }
            publish.await.expect("nobody dropped it");
            Some(id)
        }
    });
    let mut kept: Vec<_> = publishes.buffer_unordered(50).filter_map(future::ready).collect().await;
    // More than may be under way at once, so that a place that is never given back is missed.
    for number in 0..2 * trial.many() {
        drop(publish(number).1.now_or_never());
        tokio::task::yield_now().await;
    }
    let (last, publish) = publish(0);
    publish.await.expect("nobody dropped it");
    kept.push(last);
    let mut reader = trial.reader(&*transport, &plan).await;
    reader.complete_all(kept).await;
    reader.complete_rest(trial.silence()).await;
    assert_eq!(trial.tally().duplicates(), 0, "nothing is delivered twice without a fault");
    Done::Kept
}

/// Waits for a moment before it answers, or now and then before it publishes: a publish can be dropped at either place.
struct Hesitates(Mutex<fastrand::Rng>);

#[async_trait]
impl Tamper for Hesitates {
    async fn publish(&self, outgoing: Outgoing, on: &dyn Transport) -> Result<(), PublishError> {
        let is_before = held(&self.0).u8(0..8) == 0;
        if is_before {
            tokio::task::yield_now().await;
        }
        let answer = on.publish(outgoing).await;
        if !is_before {
            tokio::task::yield_now().await;
        }
        answer
    }
}
