//! Order per key.

use std::time::{Duration, SystemTime};

use tegami::transport::{Memory, Reason, ReasonKind, Transport};
use tokio::time::Instant;

use crate::support::{consumer, id, keyed, message, nothing, one, ordered};

#[tokio::test(start_paused = true)]
async fn o2_one_message_of_a_key_is_in_flight_in_publish_order() {
    let memory = Memory::new();
    let mut billing = consumer(&memory, ordered("billing")).await;
    for (name, key) in [("a1", "a"), ("a2", "a"), ("b1", "b"), ("a3", "a")] {
        memory.publish(keyed(name, key)).await.unwrap();
    }
    let first = billing.next(10).await.unwrap();
    assert_eq!(first.iter().map(id).collect::<Vec<_>>(), ["a1", "b1"]);
    assert!(nothing(&mut billing).await, "the others wait until the first is settled");
    for delivery in first {
        delivery.ack().await.unwrap();
    }
    for name in ["a2", "a3"] {
        let delivery = one(&mut billing).await;
        assert_eq!(id(&delivery), name);
        assert!(nothing(&mut billing).await);
        delivery.ack().await.unwrap();
    }
    memory.quiet().await;
}

#[tokio::test(start_paused = true)]
async fn o2_released_message_goes_first_again() {
    let memory = Memory::new();
    let mut billing = consumer(&memory, ordered("billing")).await;
    memory.publish(keyed("a1", "a")).await.unwrap();
    memory.publish(keyed("a2", "a")).await.unwrap();
    one(&mut billing).await.release().await.unwrap();
    drop(one(&mut billing).await);
    let again = one(&mut billing).await;
    assert_eq!((id(&again).as_str(), again.attempt), ("a1", 1));
}

#[tokio::test(start_paused = true)]
async fn o3_stuck_key_delays_no_other() {
    let memory = Memory::new();
    let mut billing = consumer(&memory, ordered("billing")).await;
    memory.publish(keyed("stuck", "a")).await.unwrap();
    let stuck = one(&mut billing).await;
    for key in 1..16 {
        memory.publish(keyed("after", "a")).await.unwrap();
        memory.publish(keyed(&format!("k{key}"), &format!("k{key}"))).await.unwrap();
    }
    for key in 1..16 {
        let delivery = one(&mut billing).await;
        assert_eq!(id(&delivery), format!("k{key}"));
        delivery.ack().await.unwrap();
    }
    assert!(nothing(&mut billing).await);
    drop(stuck);
}

#[tokio::test(start_paused = true)]
async fn o5_retry_is_in_place_and_its_key_waits() {
    let memory = Memory::new();
    let mut billing = consumer(&memory, ordered("billing")).await;
    memory.publish(keyed("a1", "a")).await.unwrap();
    memory.publish(keyed("a2", "a")).await.unwrap();
    let began = Instant::now();
    one(&mut billing).await.retry(Duration::from_secs(5)).await.unwrap();
    memory.publish(keyed("b1", "b")).await.unwrap();
    let other = one(&mut billing).await;
    assert_eq!((id(&other).as_str(), began.elapsed()), ("b1", Duration::ZERO));
    let again = one(&mut billing).await;
    assert_eq!((id(&again).as_str(), again.attempt), ("a1", 2));
    assert!(began.elapsed() >= Duration::from_secs(5));
    again.ack().await.unwrap();
    assert_eq!(id(&one(&mut billing).await), "a2");
}

#[tokio::test(start_paused = true)]
async fn o5_key_goes_on_after_a_dead_letter() {
    let memory = Memory::new();
    let mut billing = consumer(&memory, ordered("billing")).await;
    memory.publish(keyed("a1", "a")).await.unwrap();
    memory.publish(keyed("a2", "a")).await.unwrap();
    let reason = Reason::new(ReasonKind::Permanent, "no", 1, SystemTime::UNIX_EPOCH);
    one(&mut billing).await.dead_letter(reason).await.unwrap();
    assert_eq!(id(&one(&mut billing).await), "a2");
}

#[tokio::test(start_paused = true)]
async fn o2_delayed_message_holds_its_key() {
    let memory = Memory::new();
    let mut billing = consumer(&memory, ordered("billing")).await;
    let mut late = keyed("a1", "a");
    late.delay = Some(Duration::from_secs(5));
    memory.publish(late).await.unwrap();
    memory.publish(keyed("a2", "a")).await.unwrap();
    assert!(nothing(&mut billing).await);
    let first = one(&mut billing).await;
    assert_eq!(id(&first), "a1");
    first.ack().await.unwrap();
    assert_eq!(id(&one(&mut billing).await), "a2");
}

#[tokio::test(start_paused = true)]
async fn o1_messages_without_key_wait_for_nobody() {
    let memory = Memory::new();
    let mut billing = consumer(&memory, ordered("billing")).await;
    memory.publish(message("x")).await.unwrap();
    memory.publish(message("y")).await.unwrap();
    assert_eq!(billing.next(10).await.unwrap().len(), 2);
}
