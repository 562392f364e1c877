//! Given up on, kept, and put back.

use std::time::{Duration, SystemTime};

use tegami::transport::{Memory, Reason, ReasonKind, SettleErrorKind, Transport, TransportErrorKind};
use tokio::time::Instant;

use crate::support::{consumer, id, message, nothing, one, plan};

fn reason(attempts: u32) -> Reason {
    Reason::new(ReasonKind::HandlerError, "no ink", attempts, SystemTime::UNIX_EPOCH)
}

#[tokio::test(start_paused = true)]
async fn x1_dead_letter_keeps_bytes_id_and_reason() {
    let memory = Memory::new();
    let mut billing = consumer(&memory, plan("billing")).await;
    let sent = message("a");
    memory.publish(sent.clone()).await.unwrap();
    one(&mut billing).await.dead_letter(reason(6)).await.unwrap();
    let dead = memory.dead_letters("billing", 10).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].payload(), &sent.sealed.body);
    assert_eq!(dead[0].attributes(), &sent.sealed.attributes);
    assert_eq!(dead[0].id(), Some(&sent.id));
    assert_eq!(dead[0].details(), &reason(6));
    memory.quiet().await;
}

#[tokio::test(start_paused = true)]
async fn x7_redriven_dead_letters_keep_their_ids_and_begin_again() {
    let memory = Memory::new();
    let mut billing = consumer(&memory, plan("billing")).await;
    for name in ["a", "b", "c"] {
        memory.publish(message(name)).await.unwrap();
        let delivery = one(&mut billing).await;
        delivery.retry(Duration::ZERO).await.unwrap();
        one(&mut billing).await.dead_letter(reason(2)).await.unwrap();
    }
    assert_eq!(memory.dead_letters("billing", 2).await.unwrap().len(), 2, "at most the limit");
    assert_eq!(memory.redrive("billing").await.unwrap(), 3);
    assert!(memory.dead_letters("billing", 10).await.unwrap().is_empty());
    for name in ["a", "b", "c"] {
        let delivery = one(&mut billing).await;
        assert_eq!((id(&delivery).as_str(), delivery.attempt, delivery.redelivered), (name, 1, true));
        delivery.ack().await.unwrap();
    }
    assert_eq!(memory.redrive("billing").await.unwrap(), 0);
    memory.quiet().await;
}

#[tokio::test(start_paused = true)]
async fn x7_redrive_wakes_a_waiting_consumer() {
    let memory = Memory::new();
    let mut billing = consumer(&memory, plan("billing")).await;
    memory.publish(message("a")).await.unwrap();
    one(&mut billing).await.dead_letter(reason(1)).await.unwrap();
    let (delivery, redriven) = tokio::join!(one(&mut billing), memory.redrive("billing"));
    assert_eq!((id(&delivery).as_str(), redriven.unwrap()), ("a", 1));
}

#[tokio::test(start_paused = true)]
async fn x4_full_dead_letter_queue_leaves_the_original_in_place() {
    let memory = Memory::builder().capacity(1).build();
    let mut billing = consumer(&memory, plan("billing")).await;
    memory.publish(message("a")).await.unwrap();
    one(&mut billing).await.dead_letter(reason(1)).await.unwrap();
    memory.publish(message("b")).await.unwrap();
    let refused = one(&mut billing).await.dead_letter(reason(1)).await.unwrap_err();
    assert_eq!(refused.kind(), SettleErrorKind::CopyRefused);
    assert!(nothing(&mut billing).await, "no hot loop");
    let began = Instant::now();
    let again = one(&mut billing).await;
    assert_eq!((id(&again).as_str(), again.attempt), ("b", 1));
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert_eq!(memory.redrive("billing").await.unwrap(), 0, "no room for it");
    again.ack().await.unwrap();
    assert_eq!(memory.redrive("billing").await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn dead_letters_of_an_unknown_queue_are_an_error() {
    let memory = Memory::new();
    assert_eq!(memory.dead_letters("nobody", 1).await.unwrap_err().kind(), TransportErrorKind::Missing);
    assert_eq!(memory.redrive("nobody").await.unwrap_err().kind(), TransportErrorKind::Missing);
}
