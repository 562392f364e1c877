//! The names of topics and queues: within every broker's limits, and different for what is different.

use std::{collections::HashSet, ops::RangeInclusive};

use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, prop_assume, proptest};
use tegami::{
    Contract, Event,
    contract::{Names, dead_letter_queue, retry_queue},
};
use tegami_heavy_tests::heavy::v1::EverythingTold;

use crate::cases;

/// What SQS and SNS and AMQP take, in characters.
const QUEUE: usize = 80;
const TOPIC: usize = 256;
const SHORT_STRING: usize = 255;

/// A contract of these names; it lives as long as the test.
fn contract(topic: &str, event: &str, ordered: bool) -> Contract {
    let leak = |text: String| -> &'static str { text.leak() };
    let name = leak(format!("heavy.v1.{event}"));
    Contract { name, topic: leak(topic.to_owned()), routing_key: name, ordered, ..*EverythingTold::CONTRACT }
}

fn queue(service: &str, topic: &str, event: &str) -> String {
    Names::new("", service).queue(&contract(topic, event, false))
}

fn is_plain(name: &str) -> bool {
    let stem = name.strip_suffix(".fifo").unwrap_or(name);
    !stem.is_empty() && stem.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_')
}

/// Is the one service named like the other with `-…` behind it?
fn one_continues_the_other(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
    long.strip_prefix(short).is_some_and(|rest| rest.starts_with('-'))
}

/// Names of every letter that brokers take, from a seed: drawing each letter takes long.
fn plain(length: RangeInclusive<usize>) -> impl Strategy<Value = String> {
    (any::<u64>(), length).prop_map(|(seed, length)| {
        let mut rng = fastrand::Rng::with_seed(seed);
        (0..length).map(|_| if rng.u8(0..8) == 0 { ['-', '_'][rng.usize(0..2)] } else { rng.alphanumeric() }).collect()
    })
}

/// Names of few letters, so that they often meet.
fn few(least: usize) -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(vec!['a', '-', '_']), least..5)
        .prop_map(|letters| letters.into_iter().collect())
}

/// As `few`, for events, which have no `-`.
fn event() -> impl Strategy<Value = String> {
    few(0).prop_map(|rest| format!("E{}", rest.replace('-', "b")))
}

#[test]
fn every_name_is_within_the_limits_and_the_same_each_time() {
    proptest!(cases(10_000), |(
        prefix in plain(0..=32), service in plain(1..=64), topic in plain(1..=219), event in plain(0..=99),
        group in plain(1..=99), ordered in any::<bool>(), step in any::<usize>(),
    )| {
        let event = format!("E{}", event.replace('-', "_"));
        let names = Names::new(prefix, service);
        let contract = contract(&topic, &event, ordered);
        let queues = [names.queue(&contract), names.group(&group, ordered)];
        prop_assert_eq!(&queues, &[names.clone().queue(&contract), names.clone().group(&group, ordered)]);
        for queue in queues {
            let (dead, retry) = (dead_letter_queue(&queue), retry_queue(&queue, step));
            prop_assert!(queue.len() <= QUEUE && dead.len() <= QUEUE && retry.len() <= SHORT_STRING);
            for name in [queue, dead, retry] {
                prop_assert!(is_plain(&name) && name.ends_with(".fifo") == ordered, "{}", name);
            }
        }
        let (topic, key) = (names.topic(&contract), names.routing_key(&contract));
        prop_assert!(topic.len() <= TOPIC && is_plain(&topic), "{}", topic);
        prop_assert!(key.len() <= SHORT_STRING, "{}", key);
    });
}

#[test]
fn a_service_has_one_queue_for_each_topic_and_event() {
    proptest!(cases(10_000), |(
        service in few(1), one in (few(1), event()), other in (few(1), event()), more in 0..80_usize,
    )| {
        let service = service + &"x".repeat(more.min(60));
        let of = |(topic, event): &(String, String)| queue(&service, &(topic.clone() + &"x".repeat(more)), event);
        prop_assert_eq!(of(&one) == of(&other), one == other, "{} {}", of(&one), of(&other));
    });
}

#[test]
fn a_service_has_one_queue_for_each_group() {
    proptest!(cases(10_000), |(service in few(1), one in few(1), other in few(1), more in 0..80_usize)| {
        let names = Names::new("", service);
        let of = |group: &String| names.group(&("x".repeat(more) + group), false);
        prop_assert_eq!(of(&one) == of(&other), one == other, "{} {}", of(&one), of(&other));
    });
}

#[test]
fn services_share_no_queue_unless_one_name_continues_the_other_with_a_dash() {
    proptest!(cases(10_000), |(
        one in (few(1), few(1), event()), other in (few(1), few(1), event()), more in 0..80_usize,
    )| {
        prop_assume!(one.0 != other.0 && !one_continues_the_other(&one.0, &other.0));
        let of = |(service, topic, event): &(String, String, String)| {
            queue(service, &(topic.clone() + &"x".repeat(more)), event)
        };
        prop_assert!(of(&one) != of(&other), "{}", of(&one));
        let group = |(service, group, _): &(String, String, String)| Names::new("", service).group(group, false);
        prop_assert!(group(&one) != group(&other), "{}", group(&one));
    });
}

#[test]
fn known_collision_of_services_where_one_name_continues_the_other_with_a_dash() {
    assert_eq!(queue("a", "b-c", "E"), queue("a-b", "c", "E"));
    assert_eq!(Names::new("", "a").group("b-c", false), Names::new("", "a-b").group("c", false));
}

#[test]
fn known_collision_of_a_group_named_like_the_topic_and_event_of_a_queue() {
    assert_eq!(queue("a", "shop-orders-v1", "E"), Names::new("", "a").group("shop-orders-v1-E", false));
}

#[test]
fn known_collision_of_events_of_one_short_name_on_one_topic() {
    let first = contract("orders", "E", false);
    let second = Contract { name: "heavy.v2.E", ..first };
    assert_eq!(Names::new("", "a").queue(&first), Names::new("", "a").queue(&second));
}

#[test]
fn known_collision_of_prefixes_that_do_not_end_where_the_service_begins() {
    let contract = contract("t", "E", false);
    assert_eq!(Names::new("a", "bc").queue(&contract), Names::new("ab", "c").queue(&contract));
}

#[test]
fn names_that_differ_only_in_what_is_cut_differ() {
    let topic = "t".repeat(80);
    let queues: HashSet<String> = (0..10_000).map(|n| queue("billing", &topic, &format!("E{n}"))).collect();
    let kept: HashSet<&str> = queues.iter().map(|queue| &queue[..queue.len() - 8]).collect();
    assert_eq!((queues.len(), kept.len()), (10_000, 1));
}

#[test]
fn known_collision_of_two_hashes_among_some_ten_thousand_names_alike_in_what_is_kept() {
    let topic = "t".repeat(80);
    assert_eq!(queue("billing", &topic, "E51127"), queue("billing", &topic, "E71353"));
}

#[test]
fn known_collision_of_a_group_named_like_a_shortened_name() {
    let names = Names::new("", "billing");
    let shortened = names.group(&"g".repeat(99), false);
    let group = shortened.strip_prefix("billing-").expect("the service is kept");
    assert_eq!(names.group(group, false), shortened);
}

#[test]
fn a_prefix_can_make_a_topic_and_a_routing_key_too_long_so_a_start_looks() {
    let names = Names::new("p".repeat(32), "billing");
    let longest = Contract { routing_key: "k".repeat(255).leak(), ..contract(&"t".repeat(256), "E", true) };
    assert_eq!((names.topic(&longest).len(), names.routing_key(&longest).len()), (TOPIC + 37, SHORT_STRING + 32));
}
