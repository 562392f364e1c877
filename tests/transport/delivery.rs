//! Delivered, settled, delivered again.

use std::time::{Duration, SystemTime};

use tegami::transport::{Memory, Reason, ReasonKind, SettleErrorKind, Transport};
use tokio::time::Instant;

use crate::support::{consumer, id, message, nothing, one, plan};

#[tokio::test(start_paused = true)]
async fn d1_unsettled_delivery_comes_back_with_the_same_attempt() {
    let memory = Memory::new();
    let mut billing = consumer(&memory, plan("billing")).await;
    memory.publish(message("a")).await.unwrap();
    let first = one(&mut billing).await;
    assert_eq!((first.attempt, first.redelivered), (1, false));
    drop(first);
    let again = one(&mut billing).await;
    assert_eq!((again.attempt, again.redelivered), (1, true));
    again.release().await.unwrap();
    let again = one(&mut billing).await;
    assert_eq!((again.attempt, again.redelivered), (1, true));
    again.ack().await.unwrap();
    assert!(nothing(&mut billing).await);
    memory.quiet().await;
}

#[tokio::test(start_paused = true)]
async fn r3_retry_comes_after_its_delay_and_holds_up_nobody() {
    let memory = Memory::new();
    let mut billing = consumer(&memory, plan("billing")).await;
    memory.publish(message("a")).await.unwrap();
    let began = Instant::now();
    one(&mut billing).await.retry(Duration::from_secs(5)).await.unwrap();
    memory.publish(message("b")).await.unwrap();
    let neighbour = one(&mut billing).await;
    assert_eq!(id(&neighbour), "b");
    assert_eq!(began.elapsed(), Duration::ZERO);
    neighbour.ack().await.unwrap();
    let again = one(&mut billing).await;
    assert_eq!((id(&again).as_str(), again.attempt), ("a", 2));
    assert!(began.elapsed() >= Duration::from_secs(5), "never early");
    assert!(began.elapsed() < Duration::from_millis(5_010), "and not late");
}

#[tokio::test(start_paused = true)]
async fn x1_dead_letter_keeps_bytes_id_and_reason() {
    let memory = Memory::new();
    let mut billing = consumer(&memory, plan("billing")).await;
    memory.publish(message("a")).await.unwrap();
    let reason = Reason::new(ReasonKind::Undecodable, "billing", SystemTime::UNIX_EPOCH);
    one(&mut billing).await.dead_letter(reason.clone()).await.unwrap();
    let dead = memory.dead_letters("billing", 10).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].payload().as_ref(), b"a");
    assert_eq!(dead[0].details(), &reason);
    memory.quiet().await;
}

#[tokio::test(start_paused = true)]
async fn d2_delivery_given_back_by_closing_cannot_be_settled() {
    let memory = Memory::new();
    let mut other = consumer(&memory, plan("billing")).await;
    let leaving = memory.clone();
    let mut billing = consumer(&leaving, plan("billing")).await;
    memory.publish(message("a")).await.unwrap();
    let held = one(&mut billing).await;
    leaving.close().await;
    let again = one(&mut other).await;
    assert_eq!((again.attempt, again.redelivered), (1, true));
    assert_eq!(held.ack().await.unwrap_err().kind(), SettleErrorKind::Lost);
    again.ack().await.unwrap();
}
