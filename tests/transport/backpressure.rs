//! Bounded queues, waiting publishers and waiting consumers.

use std::time::Duration;

use futures_util::{FutureExt, future::join_all};
use tegami::transport::{Memory, PublishErrorKind, Transport};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout},
};

use crate::support::{consumer, declare, id, message, one, plan};

#[tokio::test(start_paused = true)]
async fn b1_queue_takes_its_capacity_and_not_one_more() {
    let memory = Memory::builder().capacity(3).build();
    let mut billing = consumer(&memory, plan("billing")).await;
    for name in ["a", "b", "c"] {
        memory.publish(message(name)).await.unwrap();
    }
    let in_flight = one(&mut billing).await;
    let began = Instant::now();
    let error = memory.publish(message("d")).await.unwrap_err();
    assert_eq!(error.kind(), PublishErrorKind::Backpressure);
    let waited = began.elapsed();
    assert!(waited >= Duration::from_secs(10) && waited <= Duration::from_secs(11), "P3: {waited:?}");
    in_flight.ack().await.unwrap();
    let rest = billing.next(10).await.unwrap();
    assert_eq!(rest.iter().map(id).collect::<Vec<_>>(), ["b", "c"], "P2: what was rejected is never delivered");
}

#[tokio::test(start_paused = true)]
async fn a_publish_deadline_of_for_ever_does_not_overflow() {
    let memory = Memory::builder().capacity(1).publish_deadline(Duration::MAX).build();
    declare(&memory, [plan("billing")]).await;
    memory.publish(message("a")).await.unwrap();
    let hour = Duration::from_secs(3600);
    assert!(timeout(hour, memory.publish(message("b"))).await.is_err(), "it waits");
}

#[tokio::test(start_paused = true)]
async fn b1_publish_goes_on_as_soon_as_there_is_room() {
    let memory = Memory::builder().capacity(1).build();
    let mut billing = consumer(&memory, plan("billing")).await;
    memory.publish(message("a")).await.unwrap();
    let began = Instant::now();
    let free = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        one(&mut billing).await.ack().await.unwrap();
    };
    let (published, ()) = tokio::join!(memory.publish(message("b")), free);
    published.unwrap();
    assert_eq!(began.elapsed(), Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn p1_full_queue_keeps_the_message_out_of_the_others_too() {
    let memory = Memory::builder().capacity(1).publish_deadline(Duration::from_secs(1)).build();
    let mut billing = consumer(&memory, plan("billing")).await;
    memory.publish(message("a")).await.unwrap();
    one(&mut billing).await.ack().await.unwrap();
    declare(&memory, [plan("shipping")]).await;
    memory.publish(message("b")).await.unwrap();
    one(&mut billing).await.ack().await.unwrap();
    let error = memory.publish(message("c")).await.unwrap_err();
    assert_eq!(error.kind(), PublishErrorKind::Backpressure);
    assert_eq!(memory.depth("billing").unwrap().ready, 0);
    assert_eq!(memory.depth("shipping").unwrap().ready, 1);
}

#[tokio::test(start_paused = true)]
async fn p10_publishes_at_once_wait_one_deadline_and_each_has_its_answer() {
    let memory = Memory::builder().capacity(2).build();
    declare(&memory, [plan("billing")]).await;
    let began = Instant::now();
    let answers = join_all(["a", "b", "c", "d"].map(|id| memory.publish(message(id)))).await;
    assert_eq!(answers.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, true, false, false]);
    assert!(began.elapsed() <= Duration::from_secs(11));
}

#[tokio::test(start_paused = true)]
async fn p2_dropped_publish_leaves_its_place_to_the_next() {
    let memory = Memory::builder().capacity(1).build();
    let mut billing = consumer(&memory, plan("billing")).await;
    memory.publish(message("a")).await.unwrap();
    let mut dropped = Box::pin(memory.publish(message("dropped")));
    let mut waiting = Box::pin(memory.publish(message("b")));
    assert!(dropped.as_mut().now_or_never().is_none() && waiting.as_mut().now_or_never().is_none());
    // The place is offered to the one that is dropped before it looks.
    one(&mut billing).await.ack().await.unwrap();
    drop(dropped);
    let began = Instant::now();
    waiting.await.unwrap();
    assert_eq!(began.elapsed(), Duration::ZERO);
    assert_eq!(id(&one(&mut billing).await), "b");
}

#[tokio::test(start_paused = true)]
async fn publisher_that_finds_another_queue_full_passes_its_place_on() {
    let memory = Memory::builder().capacity(1).build();
    let mut billing = consumer(&memory, plan("billing")).await;
    let mut only = message("only");
    only.topic = "shop-parcels-v1".into();
    let mut parcels = plan("billing");
    parcels.bindings[0].topic = "shop-parcels-v1".into();
    declare(&memory, [plan("shipping"), parcels]).await;
    memory.publish(message("both")).await.unwrap();
    let mut to_both = Box::pin(memory.publish(message("stuck")));
    let mut to_one = Box::pin(memory.publish(only));
    assert!(to_both.as_mut().now_or_never().is_none() && to_one.as_mut().now_or_never().is_none());
    one(&mut billing).await.ack().await.unwrap();
    assert!(to_both.as_mut().now_or_never().is_none(), "the other queue is still full");
    let began = Instant::now();
    to_one.await.unwrap();
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn closing_ends_a_waiting_publish() {
    let memory = Memory::builder().capacity(1).build();
    declare(&memory, [plan("billing")]).await;
    memory.publish(message("a")).await.unwrap();
    let (error, ()) = tokio::join!(memory.publish(message("b")), memory.close());
    assert_eq!(error.unwrap_err().kind(), PublishErrorKind::Closed);
}

#[tokio::test(start_paused = true)]
async fn dropped_next_loses_neither_message_nor_wake_up() {
    let memory = Memory::new();
    let mut leaving = consumer(&memory, plan("billing")).await;
    let mut staying = consumer(&memory, plan("billing")).await;
    let mut dropped = Box::pin(leaving.next(1));
    let mut waiting = Box::pin(staying.next(1));
    assert!(dropped.as_mut().now_or_never().is_none() && waiting.as_mut().now_or_never().is_none());
    // The message wakes the first in line, which is dropped before it looks.
    memory.publish(message("a")).await.unwrap();
    drop(dropped);
    let delivered = timeout(Duration::from_millis(1), waiting).await.unwrap().unwrap();
    assert_eq!(delivered.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn waiting_consumer_learns_of_a_sooner_end_of_delay_when_another_leaves() {
    let memory = Memory::new();
    let mut leaving = consumer(&memory, plan("billing")).await;
    let mut staying = consumer(&memory, plan("billing")).await;
    let mut dropped = Box::pin(leaving.next(1));
    let mut waiting = Box::pin(staying.next(1));
    assert!(dropped.as_mut().now_or_never().is_none() && waiting.as_mut().now_or_never().is_none());
    let mut late = message("a");
    late.delay = Some(Duration::from_secs(5));
    memory.publish(late).await.unwrap();
    assert!(dropped.as_mut().now_or_never().is_none());
    drop(dropped);
    let began = Instant::now();
    timeout(Duration::from_secs(60), waiting).await.unwrap().unwrap();
    assert!(began.elapsed() >= Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn waiting_consumers_are_woken_in_turn() {
    let memory = Memory::new();
    let mut consumers = Vec::new();
    for _ in 0..3 {
        consumers.push(consumer(&memory, plan("billing")).await);
    }
    let mut waiting: Vec<_> = consumers.iter_mut().map(|consumer| consumer.next(1)).collect();
    assert!(waiting.iter_mut().all(|next| next.now_or_never().is_none()));
    for name in ["a", "b", "c"] {
        memory.publish(message(name)).await.unwrap();
    }
    let delivered = join_all(waiting).await;
    let ids: Vec<_> = delivered.iter().map(|next| id(&next.as_ref().unwrap()[0])).collect();
    assert_eq!(ids, ["a", "b", "c"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p3_concurrent_publishers_and_churning_consumers_lose_and_repeat_nothing() {
    const TASKS: usize = 20;
    const EACH: usize = 200;
    let memory = Memory::builder().capacity(50).build();
    declare(&memory, [plan("billing")]).await;
    let (heard, mut seen) = mpsc::unbounded_channel();
    let consumers: Vec<_> = (0..4).map(|_| tokio::spawn(churn(memory.clone(), heard.clone()))).collect();
    let publishers = (0..TASKS).map(|task| {
        let memory = memory.clone();
        tokio::spawn(async move {
            for number in 0..EACH {
                memory.publish(message(&format!("{task}-{number}"))).await.unwrap();
            }
        })
    });
    join_all(publishers).await.into_iter().for_each(Result::unwrap);
    memory.quiet().await;
    consumers.iter().for_each(|consumer| consumer.abort());
    let mut ids: Vec<_> = std::iter::from_fn(|| seen.try_recv().ok()).collect();
    assert_eq!(ids.len(), TASKS * EACH, "none lost, none twice");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), TASKS * EACH, "each one seen");
}

/// Opens a consumer, takes a few deliveries, leaves, and opens the next.
async fn churn(memory: Memory, heard: mpsc::UnboundedSender<String>) {
    loop {
        let mut billing = memory.consume(&plan("billing")).await.unwrap();
        for _ in 0..7 {
            for delivery in billing.next(3).await.unwrap() {
                heard.send(id(&delivery)).unwrap();
                delivery.ack().await.unwrap();
            }
        }
    }
}
