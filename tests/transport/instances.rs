//! Queues that each instance has for itself.

use std::time::{Duration, SystemTime};

use tegami::transport::{
    Memory, Provision, PublishErrorKind, QueuePlan, Reach, Reason, ReasonKind, SettleErrorKind, Transport,
    TransportErrorKind,
};
use tokio::time::timeout;

use crate::support::{consumer, declare, id, message, one, plan, topology};

fn each() -> QueuePlan {
    QueuePlan { reach: Reach::PerInstance, ..plan("caches") }
}

fn ready(memory: &Memory) -> usize {
    memory.depth("caches").expect("the queue").ready
}

#[tokio::test(start_paused = true)]
async fn d3_each_instance_gets_all_from_its_start_to_its_close() {
    let first = Memory::new();
    let second = first.clone();
    declare(&first, [each()]).await;
    first.publish(message("1")).await.unwrap();
    let mut reading = consumer(&second, each()).await;
    first.publish(message("2")).await.unwrap();
    assert_eq!(ready(&first), 3, "two for the first, one for the second");
    let delivery = one(&mut reading).await;
    assert_eq!(id(&delivery), "2");
    second.close().await;
    assert_eq!(delivery.ack().await.unwrap_err().kind(), SettleErrorKind::Lost);
    assert!(reading.next(1).await.is_err(), "it was closed");
    first.publish(message("3")).await.unwrap();
    assert_eq!(ready(&first), 3, "for the first alone");
    first.close().await;
    timeout(Duration::ZERO, first.quiet()).await.expect("nothing of them is left to wait for");
}

#[tokio::test(start_paused = true)]
async fn d3_the_last_drop_ends_an_instance_as_close_does() {
    let outside = Memory::new();
    let instance = outside.clone();
    let mut reading = consumer(&instance, each()).await;
    drop(instance);
    outside.publish(message("1")).await.unwrap();
    one(&mut reading).await.ack().await.unwrap();
    drop(reading);
    let error = outside.publish(message("2")).await.unwrap_err();
    assert_eq!(error.kind(), PublishErrorKind::Unroutable, "no queue is bound any more");
}

#[tokio::test(start_paused = true)]
async fn d3_a_delivery_of_an_instance_that_is_gone_settles_nothing_of_the_next() {
    let outside = Memory::new();
    let gone = outside.clone();
    let mut reading = consumer(&gone, each()).await;
    outside.publish(message("1")).await.unwrap();
    let stale = one(&mut reading).await;
    gone.close().await;
    let mut next = consumer(&outside, each()).await;
    outside.publish(message("2")).await.unwrap();
    let held = one(&mut next).await;
    assert_eq!(stale.ack().await.unwrap_err().kind(), SettleErrorKind::Lost);
    held.ack().await.expect("it is still ours");
}

#[tokio::test(start_paused = true)]
async fn p3_an_instance_that_goes_keeps_no_publish_waiting() {
    let outside = Memory::builder().capacity(1).build();
    let [slow, other] = [outside.clone(), outside.clone()];
    declare(&slow, [each()]).await;
    let mut reading = consumer(&other, each()).await;
    outside.publish(message("1")).await.unwrap();
    one(&mut reading).await.ack().await.unwrap();
    let (published, ()) = tokio::join!(outside.publish(message("2")), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        slow.close().await;
    });
    published.expect("the queue that was full is gone");
    assert_eq!(id(&one(&mut reading).await), "2");
}

#[tokio::test(start_paused = true)]
async fn x7_what_an_instance_gave_up_on_outlives_it_and_has_no_queue_to_go_back_to() {
    let outside = Memory::new();
    let instance = outside.clone();
    let mut reading = consumer(&instance, each()).await;
    outside.publish(message("1")).await.unwrap();
    let reason = Reason::new(ReasonKind::Permanent, "no", 1, SystemTime::UNIX_EPOCH);
    one(&mut reading).await.dead_letter(reason).await.unwrap();
    instance.close().await;
    assert_eq!(outside.depth("caches").expect("the queue").dead, 1);
    let error = outside.redrive("caches").await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Missing);
    assert!(error.to_string().contains("`caches`") && error.to_string().contains("each instance"), "{error}");
    assert_eq!(outside.dead_letters("caches", 9).await.unwrap().len(), 1, "it stays");
}

#[tokio::test(start_paused = true)]
async fn n7_a_queue_for_each_instance_is_not_one_for_all() {
    let memory = Memory::new();
    declare(&memory, [each()]).await;
    let error = memory.provision(&topology([plan("caches")]), Provision::Create).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Mismatch);
    assert!(error.to_string().contains("one for all instances"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn d3_an_instance_makes_its_own_queue_where_it_may_make_no_other() {
    let memory = Memory::new();
    let error = memory.provision(&topology([each()]), Provision::Verify).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Missing);
    declare(&memory.clone(), [each()]).await;
    for mode in [Provision::Verify, Provision::Assume] {
        let instance = memory.clone();
        instance.provision(&topology([each()]), mode).await.unwrap();
        memory.publish(message("1")).await.expect("it is bound");
    }
}
