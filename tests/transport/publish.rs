//! Where a publish goes, and when it is refused.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use tegami::{
    event::{Attributes, NumberField, Policy},
    transport::{Binding, Memory, PublishErrorKind, QueuePlan, Transport},
};
use tokio::time::Instant;

use crate::support::{EVENT, TOPIC, binding, consumer, declare, id, message, nothing, one, plan};

struct OrderPaid;

fn amounts_from(amount: i64) -> Policy {
    NumberField::<OrderPaid>::new("amount_minor").at_least(amount).policy().clone()
}

#[tokio::test(start_paused = true)]
async fn d3_queues_each_get_all_and_consumers_of_one_queue_share() {
    let memory = Memory::new();
    let mut billing = consumer(&memory, plan("billing")).await;
    let mut replica = consumer(&memory.clone(), plan("billing")).await;
    let mut shipping = consumer(&memory, plan("shipping")).await;
    memory.publish(message("a")).await.unwrap();
    memory.publish(message("b")).await.unwrap();
    let shared = [one(&mut billing).await, one(&mut replica).await];
    assert_eq!(shared.each_ref().map(id), ["a", "b"]);
    let all = shipping.next(10).await.unwrap();
    assert_eq!(all.iter().map(id).collect::<Vec<_>>(), ["a", "b"]);
    assert!(nothing(&mut billing).await && nothing(&mut replica).await && nothing(&mut shipping).await);
}

#[tokio::test(start_paused = true)]
async fn p4_unroutable_is_rejected_for_exactly_that_message() {
    let memory = Memory::new();
    let mut billing = consumer(&memory, plan("billing")).await;
    let batch: Vec<_> = (0..100)
        .map(|number| {
            let mut outgoing = message(&number.to_string());
            if number % 10 == 0 {
                outgoing.topic = "nobody-listens".into();
            }
            outgoing
        })
        .collect();
    let answers = join_all(batch.into_iter().map(|outgoing| memory.publish(outgoing))).await;
    for (number, answer) in answers.iter().enumerate() {
        let kind = answer.as_ref().err().map(|error| error.kind());
        assert_eq!(kind, (number % 10 == 0).then_some(PublishErrorKind::Unroutable), "message {number}");
    }
    let told = answers[0].as_ref().map_err(ToString::to_string).expect_err("nobody listens");
    assert!(told.contains("`memory:` is each process's own") && told.contains("TEGAMI_TRANSPORT"), "{told}");
    let delivered = billing.next(200).await.unwrap();
    assert_eq!(delivered.len(), 90);
    assert!(delivered.iter().all(|delivery| !id(delivery).ends_with('0')));
}

#[tokio::test(start_paused = true)]
async fn p4_unroutable_is_counted_where_it_is_allowed() {
    let memory = Memory::new();
    let mut outgoing = message("a");
    outgoing.allow_unroutable = true;
    memory.publish(outgoing).await.unwrap();
    assert_eq!(memory.unroutable(), 1);
    memory.quiet().await;
}

#[tokio::test(start_paused = true)]
async fn p4_bound_but_filtered_out_is_no_error() {
    let memory = Memory::new();
    let bindings = vec![Binding { policy: amounts_from(100), ..binding() }];
    let mut billing = consumer(&memory, QueuePlan { bindings, ..plan("billing") }).await;
    for (name, amount) in [("small", 99_i64), ("large", 100)] {
        let mut outgoing = message(name);
        outgoing.sealed.attributes.set("amount_minor", amount);
        memory.publish(outgoing).await.unwrap();
    }
    memory.publish(message("without")).await.unwrap();
    let large = one(&mut billing).await;
    assert_eq!(id(&large), "large");
    assert!(nothing(&mut billing).await);
    assert_eq!(memory.unroutable(), 0);
}

#[tokio::test(start_paused = true)]
async fn d5_binding_by_name_takes_only_its_event() {
    let memory = Memory::new();
    let bindings = vec![Binding { by_name: true, ..binding() }];
    let mut billing = consumer(&memory, QueuePlan { bindings, ..plan("billing") }).await;
    let mut other = message("other");
    other.event = "shop.orders.v1.OrderLost".into();
    assert_eq!(memory.publish(other).await.unwrap_err().kind(), PublishErrorKind::Unroutable);
    memory.publish(message("mine")).await.unwrap();
    let mine = one(&mut billing).await;
    assert_eq!(id(&mine), "mine");
    assert!(nothing(&mut billing).await);
}

#[tokio::test(start_paused = true)]
async fn d5_two_bindings_of_one_queue_deliver_once() {
    let memory = Memory::new();
    let bindings =
        vec![binding(), Binding { by_name: true, ..binding() }, Binding { policy: amounts_from(1), ..binding() }];
    let mut billing = consumer(&memory, QueuePlan { bindings, ..plan("billing") }).await;
    let mut outgoing = message("a");
    outgoing.sealed.attributes.set("amount_minor", 5_i64);
    memory.publish(outgoing).await.unwrap();
    one(&mut billing).await.ack().await.unwrap();
    assert!(nothing(&mut billing).await);
}

#[tokio::test(start_paused = true)]
async fn d5_topics_with_similar_names_stay_apart() {
    let memory = Memory::new();
    let topics =
        [TOPIC.to_owned(), format!("{TOPIC}-dead"), TOPIC.to_uppercase(), format!("{TOPIC}."), TOPIC[1..].to_owned()];
    let mut consumers = Vec::new();
    for (number, topic) in topics.iter().enumerate() {
        let bindings = vec![Binding { topic: topic.clone(), ..binding() }];
        consumers.push(consumer(&memory, QueuePlan { bindings, ..plan(&format!("queue-{number}")) }).await);
    }
    for topic in &topics {
        let mut outgoing = message(topic);
        outgoing.topic = topic.clone().into();
        memory.publish(outgoing).await.unwrap();
    }
    for (consumer, topic) in consumers.iter_mut().zip(&topics) {
        let delivery = one(consumer).await;
        assert_eq!(&id(&delivery), topic);
        assert!(nothing(consumer).await);
    }
}

#[tokio::test(start_paused = true)]
async fn p9_body_and_attributes_arrive_unchanged() {
    let memory = Memory::new();
    let mut billing = consumer(&memory, plan("billing")).await;
    for body in [Vec::new(), vec![0], (0..=255).collect(), "aé漢🦀\u{10ffff}".into()] {
        let mut outgoing = message("a");
        outgoing.sealed.body = Bytes::from(body);
        outgoing.sealed.attributes =
            Attributes::new().with("text", "é").with("n", -1_i64).with("x", 0.5).with("yes", true);
        let sent = outgoing.sealed.clone();
        memory.publish(outgoing).await.unwrap();
        let delivery = one(&mut billing).await;
        assert_eq!(delivery.sealed, sent);
        delivery.ack().await.unwrap();
    }
}

/// Publishes once at the limit and once beyond.
async fn assert_limit(at: tegami::envelope::Sealed, beyond: tegami::envelope::Sealed) {
    let memory = Memory::new();
    let mut billing = consumer(&memory, plan("billing")).await;
    let mut outgoing = message("beyond");
    outgoing.sealed = beyond;
    let error = memory.publish(outgoing).await.unwrap_err();
    assert_eq!(error.kind(), PublishErrorKind::TooLarge, "{error}");
    assert!(nothing(&mut billing).await, "a rejected message is never delivered");
    let mut outgoing = message("at");
    outgoing.sealed = at.clone();
    memory.publish(outgoing).await.unwrap();
    assert_eq!(one(&mut billing).await.sealed, at);
}

fn sealed(body: usize, attributes: Attributes) -> tegami::envelope::Sealed {
    tegami::envelope::Sealed { body: vec![7; body].into(), attributes }
}

#[tokio::test(start_paused = true)]
async fn p7_message_is_limited_attributes_counted() {
    let attributes = Attributes::new().with("four", "1234").with("n", -10_i64);
    let room = 1024 * 1024 - 8 - 4;
    assert_limit(sealed(room, attributes.clone()), sealed(room + 1, attributes)).await;
}

#[tokio::test(start_paused = true)]
async fn p7_number_of_attributes_is_limited() {
    let many = |count: usize| (0..count).fold(Attributes::new(), |all, number| all.with(format!("a{number}"), true));
    assert_limit(sealed(1, many(64)), sealed(1, many(65))).await;
}

#[tokio::test(start_paused = true)]
async fn p7_name_of_an_attribute_is_limited() {
    let named = |length: usize| Attributes::new().with("n".repeat(length), 1_i64);
    assert_limit(sealed(1, named(128)), sealed(1, named(129))).await;
}

#[tokio::test(start_paused = true)]
async fn p7_value_of_an_attribute_is_limited() {
    let valued = |length: usize| Attributes::new().with("a", "v".repeat(length));
    assert_limit(sealed(1, valued(4096)), sealed(1, valued(4097))).await;
}

#[tokio::test(start_paused = true)]
async fn p7_all_attributes_together_are_limited() {
    let full = |last: usize| {
        let seven = (0..7).fold(Attributes::new(), |all, number| all.with(number.to_string(), "v".repeat(4095)));
        seven.with("7", "v".repeat(last))
    };
    assert_limit(sealed(1, full(4095)), sealed(1, full(4096))).await;
}

#[tokio::test(start_paused = true)]
async fn delayed_publish_is_seen_by_nobody_before_its_time() {
    let memory = Memory::new();
    let mut billing = consumer(&memory, plan("billing")).await;
    let began = Instant::now();
    let mut outgoing = message("a");
    outgoing.delay = Some(Duration::from_secs(30));
    memory.publish(outgoing).await.unwrap();
    assert!(nothing(&mut billing).await);
    one(&mut billing).await.ack().await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(30));
}

#[tokio::test(start_paused = true)]
async fn delay_is_taken_at_its_limit_and_refused_beyond() {
    let memory = Memory::new();
    declare(&memory, [plan("billing")]).await;
    let longest = memory.capabilities().delay.unwrap();
    let mut outgoing = message("a");
    outgoing.delay = Some(longest + Duration::from_nanos(1));
    assert_eq!(memory.publish(outgoing.clone()).await.unwrap_err().kind(), PublishErrorKind::Unsupported);
    outgoing.delay = Some(longest);
    memory.publish(outgoing).await.unwrap();
    assert_eq!(memory.depth("billing").unwrap().delayed, 1);
}

#[tokio::test(start_paused = true)]
async fn accepted_publishes_are_recorded_up_to_the_bound() {
    let memory = Memory::builder().record(2).build();
    declare(&memory, [plan("billing")]).await;
    for name in ["a", "b", "c"] {
        memory.publish(message(name)).await.unwrap();
    }
    let mut lost = message("lost");
    lost.topic = "nobody-listens".into();
    memory.publish(lost).await.unwrap_err();
    let published = memory.published();
    assert_eq!(published.iter().map(|outgoing| outgoing.id.as_str()).collect::<Vec<_>>(), ["b", "c"]);
    assert_eq!(published[0].event, EVENT);
    assert!(Memory::new().published().is_empty());
}
