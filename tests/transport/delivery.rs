//! Delivered, settled, delivered again.

use std::time::{Duration, SystemTime};

use tegami::{
    time::Clock,
    transport::{Memory, SettleErrorKind, Transport},
};
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

#[tokio::test(start_paused = true)]
async fn d4_attempts_count_per_queue_and_never_downwards() {
    let memory = Memory::new();
    let mut billing = consumer(&memory, plan("billing")).await;
    let mut shipping = consumer(&memory, plan("shipping")).await;
    memory.publish(message("a")).await.unwrap();
    for attempt in 1..=6 {
        let delivery = one(&mut billing).await;
        assert_eq!((delivery.attempt, delivery.redelivered), (attempt, attempt > 1));
        delivery.retry(Duration::from_secs(1)).await.unwrap();
        drop(one(&mut billing).await);
    }
    assert_eq!(one(&mut billing).await.attempt, 7);
    assert_eq!(one(&mut shipping).await.attempt, 1);
}

#[tokio::test(start_paused = true)]
async fn first_delivery_is_remembered_by_the_clock_given_in() {
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
    let memory = Memory::builder().clock(Clock::starting_at(start)).build();
    let mut billing = consumer(&memory, plan("billing")).await;
    memory.publish(message("a")).await.unwrap();
    let delivery = one(&mut billing).await;
    assert_eq!(delivery.first_delivered, Some(start));
    delivery.retry(Duration::from_secs(7)).await.unwrap();
    assert_eq!(one(&mut billing).await.first_delivered, Some(start));
}

#[tokio::test(start_paused = true)]
async fn r3_failing_message_starves_no_other() {
    let memory = Memory::new();
    let mut billing = consumer(&memory, plan("billing")).await;
    memory.publish(message("bad")).await.unwrap();
    memory.publish(message("good")).await.unwrap();
    one(&mut billing).await.retry(Duration::ZERO).await.unwrap();
    assert_eq!(id(&one(&mut billing).await), "good");
}

#[tokio::test(start_paused = true)]
async fn r3_endless_delay_is_no_panic() {
    let memory = Memory::new();
    let mut billing = consumer(&memory, plan("billing")).await;
    memory.publish(message("a")).await.unwrap();
    one(&mut billing).await.retry(Duration::MAX).await.unwrap();
    assert!(nothing(&mut billing).await);
    assert_eq!(memory.depth("billing").unwrap().delayed, 1);
}

#[tokio::test(start_paused = true)]
async fn r8_many_returns_all_complete() {
    let memory = Memory::new();
    let mut billing = consumer(&memory, plan("billing")).await;
    for number in 0..50 {
        memory.publish(message(&number.to_string())).await.unwrap();
    }
    for _ in 0..300 {
        one(&mut billing).await.retry(Duration::from_millis(10)).await.unwrap();
    }
    for _ in 0..50 {
        let delivery = one(&mut billing).await;
        assert_eq!(delivery.attempt, 7);
        delivery.ack().await.unwrap();
    }
    memory.quiet().await;
}

#[tokio::test(start_paused = true)]
async fn quiet_waits_for_ready_delayed_and_in_flight() {
    let memory = Memory::new();
    let mut billing = consumer(&memory, plan("billing")).await;
    let began = Instant::now();
    let mut late = message("a");
    late.delay = Some(Duration::from_secs(3));
    memory.publish(late).await.unwrap();
    let work = async {
        one(&mut billing).await.retry(Duration::from_secs(4)).await.unwrap();
        let delivery = one(&mut billing).await;
        tokio::time::sleep(Duration::from_secs(5)).await;
        delivery.ack().await.unwrap();
    };
    tokio::join!(memory.quiet(), work);
    assert!(began.elapsed() >= Duration::from_secs(12));
    let depth = memory.depth("billing").unwrap();
    assert_eq!((depth.ready, depth.delayed, depth.in_flight, depth.dead), (0, 0, 0, 0));
}
