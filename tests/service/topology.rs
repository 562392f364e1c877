//! From subscriptions to queues, and what is refused before anything is connected (K).

use std::time::Duration;

use tegami::{
    Context, Error, ErrorKind, HandlerError, Service,
    transport::{Memory, Reach},
};

use crate::contracts::shop::{billing::v1::ReceiptSent, orders::v1::OrderPaid, warehouse::v1::StockMoved};

async fn ignore<E: tegami::Event>(_: E, _: Context) -> Result<(), HandlerError> {
    Ok(())
}

#[test]
fn names_follow_from_service_and_contract() -> Result<(), Error> {
    let service = Service::new("billing").prefix("staging-").on::<OrderPaid>(ignore);
    let topology = service.topology()?;
    let [queue] = &topology.queues[..] else { panic!("one queue") };
    assert_eq!(queue.name, "staging-billing-shop-orders-v1-OrderPaid");
    assert_eq!(queue.dead_letters, "staging-billing-shop-orders-v1-OrderPaid-dead");
    let [binding] = &queue.bindings[..] else { panic!("one binding") };
    assert_eq!(binding.topic, "staging-shop-orders-v1");
    assert_eq!(binding.routing_key, "staging-shop.orders.v1.OrderPaid");
    assert!(!binding.by_name, "foreign publishers on a one-event topic are heard");
    assert!(topology.topics[0].source.starts_with("proto/shop/orders/v1/orders.proto:"));
    Ok(())
}

#[test]
fn k1_two_handlers_of_one_event_need_a_group() {
    let service = Service::new("billing").on::<OrderPaid>(ignore).on::<OrderPaid>(ignore);
    let error = service.topology().expect_err("one queue, two handlers");
    assert_eq!(error.kind(), ErrorKind::Subscription);
    assert!(error.to_string().contains("shop.orders.v1.OrderPaid") && error.to_string().contains("group"), "{error}");
}

#[test]
fn k1_wishes_that_cannot_both_be_had_are_refused() {
    let clash = Service::new("billing")
        .on_with::<OrderPaid>(ignore, |s| s.group("all").concurrency(2))
        .on_with::<ReceiptSent>(ignore, |s| s.group("all").concurrency(3));
    let none = Service::new("billing").on_with::<OrderPaid>(ignore, |s| s.concurrency(0));
    let endless = Service::new("billing").on_with::<OrderPaid>(ignore, |s| s.concurrency(usize::MAX));
    let never = Service::new("billing").on_with::<OrderPaid>(ignore, |s| s.timeout(Duration::ZERO));
    let nameless = Service::new("billing").on_with::<OrderPaid>(ignore, |s| s.group("a b"));
    let words = ["2 and 3", "concurrency 0", "65535", "timeout of 0", "a b"];
    for (service, word) in [clash, none, endless, never, nameless].into_iter().zip(words) {
        let error = service.topology().expect_err(word).to_string();
        assert!(error.contains(word), "{error}");
    }
}

#[tokio::test]
async fn k1_a_service_with_a_wrong_name_or_nothing_to_do_does_not_start() {
    let start = |service: Service| service.transport(Memory::new()).start();
    let error = start(Service::new("bill ing").on::<OrderPaid>(ignore)).await.err().expect("a blank in the name");
    assert!(error.to_string().contains("bill ing"), "{error}");
    let error = start(Service::new("b".repeat(65)).on::<OrderPaid>(ignore)).await.err().expect("65 characters");
    assert!(error.to_string().contains("64"), "{error}");
    assert!(start(Service::new("b".repeat(64)).on::<OrderPaid>(ignore)).await.is_ok());
    let error = Service::new("idle").transport(Memory::new()).run().await.expect_err("nothing to run");
    assert!(error.to_string().contains("idle"), "{error}");
    assert!(start(Service::new("publishes-only")).await.is_ok());
}

#[test]
fn k1_a_prefix_set_in_code_is_held_to_the_same_rule() {
    let error = Service::new("billing").prefix("a b").topology().expect_err("a blank in the prefix");
    assert!(error.to_string().contains("a b"), "{error}");
}

#[test]
fn long_queue_names_are_cut_to_eighty_and_stay_apart() -> Result<(), Error> {
    let name = |service: String| -> Result<String, Error> {
        Ok(Service::new(service).on::<OrderPaid>(ignore).topology()?.queues[0].dead_letters.clone())
    };
    let (one, two) = (name("s".repeat(63) + "1")?, name("s".repeat(63) + "2")?);
    assert_eq!((one.len(), two.len()), (80, 80));
    assert_ne!(one, two);
    Ok(())
}

#[test]
fn k1_a_prefix_or_name_that_breaks_the_names_of_queues_is_refused_in_code_too() {
    for prefix in ["a b", "\u{e9}", &"p".repeat(33)] {
        let error = Service::new("billing").prefix(prefix).on::<OrderPaid>(ignore).topology().expect_err(prefix);
        assert!(error.kind() == ErrorKind::Setting && error.to_string().contains(prefix), "{error}");
    }
    let error = Service::new("\u{e9}".repeat(40)).on::<OrderPaid>(ignore).topology().expect_err("multi-byte");
    assert_eq!(error.kind(), ErrorKind::Setting);
}

#[test]
fn the_longest_names_are_valid_unique_and_have_room_for_dead_letters() -> Result<(), Error> {
    let mut names = std::collections::BTreeSet::new();
    for ending in ["1", "2"] {
        let service = Service::new("s".repeat(64))
            .prefix("p".repeat(32))
            .on::<OrderPaid>(ignore)
            .on_with::<ReceiptSent>(ignore, |s| s.group("g".repeat(1_000) + ending))
            .on_with::<StockMoved>(ignore, |s| s.group("g".repeat(1_000) + ending));
        for queue in service.topology()?.queues {
            for name in [queue.name, queue.dead_letters] {
                let stem = name.strip_suffix(".fifo").unwrap_or(&name);
                assert!(stem.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_'), "{name}");
                assert!(name.len() <= 80 && (name.contains("-dead") || name.len() <= 75), "{name}");
                names.insert(name);
            }
        }
    }
    assert_eq!(names.len(), 10, "the order's queue is the same in both: {names:?}");
    Ok(())
}

#[test]
fn k1_a_group_named_as_the_dead_letters_of_another_is_refused() {
    for beside in ["all-dead", "all-retry-1", "all-retry-5"] {
        let service = Service::new("billing")
            .on_with::<OrderPaid>(ignore, |s| s.group("all"))
            .on_with::<ReceiptSent>(ignore, |s| s.group(beside));
        let error = service.topology().expect_err(beside).to_string();
        assert!(error.contains(beside) && error.contains("`billing-all`"), "{error}");
    }
}

#[test]
fn a_group_keeps_what_is_ordered_apart_from_what_is_not() -> Result<(), Error> {
    let service = Service::new("billing")
        .on_with::<OrderPaid>(ignore, |s| s.group("all"))
        .on_with::<StockMoved>(ignore, |s| s.group("all"));
    let queues = service.topology()?.queues;
    let kept: Vec<_> = queues.iter().map(|queue| (queue.name.as_str(), queue.ordered)).collect();
    assert_eq!(kept, [("billing-all", false), ("billing-all.fifo", true)]);
    Ok(())
}

/// A service that reads the order's queue of this name.
fn reading(queue: &str) -> Service {
    Service::new("billing").prefix("staging-").on_with::<OrderPaid>(ignore, |s| s.queue(queue))
}

#[test]
fn k1_a_named_queue_is_read_by_that_name_after_the_prefix() -> Result<(), Error> {
    for name in ["q".to_owned(), "q".repeat(67), "A-z_0.9".to_owned(), "q".repeat(68), "q".repeat(80)] {
        let queue = reading(&name).topology()?.queues.remove(0);
        assert_eq!(queue.name, format!("staging-{name}"));
        let (dead, fits) = (format!("staging-{name}-dead"), name.len() <= 67);
        assert_eq!(queue.dead_letters == dead, fits, "cut to the 80 characters that SQS takes");
        assert!(queue.dead_letters.len() <= 80 && queue.dead_letters.ends_with("-dead"), "{}", queue.dead_letters);
        assert_eq!(queue.bindings[0].topic, "staging-shop-orders-v1", "fed as any other");
    }
    Ok(())
}

#[test]
fn k1_a_named_queue_that_not_every_broker_takes_is_refused() {
    for name in ["", &"q".repeat(81), "a b", "a/b", "\u{e9}"] {
        let error = reading(name).topology().expect_err(name);
        assert_eq!(error.kind(), ErrorKind::Subscription);
        assert!(error.to_string().contains(&format!("`{name}`")) && error.to_string().contains("80"), "{error}");
    }
}

#[test]
fn k1_a_named_queue_says_fifo_exactly_if_it_is_in_order() -> Result<(), Error> {
    let ordered =
        |queue: &'static str| Service::new("depot").on_with::<StockMoved>(ignore, move |s| s.queue(queue)).topology();
    assert!(ordered("moves.fifo")?.queues[0].ordered);
    for error in [ordered("moves"), reading("orders.fifo").topology()] {
        assert!(error.expect_err("the wrong end").to_string().contains(".fifo"));
    }
    Ok(())
}

#[test]
fn k1_a_subscription_has_a_group_or_a_named_queue() {
    let both = Service::new("billing").on_with::<OrderPaid>(ignore, |s| s.queue("orders").group("all"));
    let error = both.topology().expect_err("both").to_string();
    assert!(error.contains("`orders`") && error.contains("`all`"), "{error}");
}

#[test]
fn k1_subscriptions_on_one_named_queue_share_it() -> Result<(), Error> {
    let one = |service: Service| service.on_with::<ReceiptSent>(ignore, |s| s.queue("orders"));
    let queues = one(reading("orders")).topology()?.queues;
    let [queue] = &queues[..] else { panic!("one queue") };
    assert_eq!(queue.bindings.len(), 2);
    let error = reading("orders").on_with::<OrderPaid>(ignore, |s| s.queue("orders")).topology();
    assert!(error.expect_err("two handlers").to_string().contains("staging-orders"));
    Ok(())
}

#[test]
fn k1_a_queue_is_one_for_each_instance_for_all_of_its_group_or_for_none() -> Result<(), Error> {
    let service = || Service::new("billing").on_with::<OrderPaid>(ignore, |s| s.group("all").per_instance());
    assert_eq!(service().topology()?.queues[0].reach, Reach::PerInstance);
    let mixed = service().on_with::<ReceiptSent>(ignore, |s| s.group("all"));
    let error = mixed.topology().expect_err("some only").to_string();
    assert!(error.contains("`billing-all`") && error.contains("each instance"), "{error}");
    Ok(())
}

#[test]
fn what_a_service_reads_is_told_with_its_filters_and_who_applies_them() -> Result<(), Error> {
    let euros = OrderPaid::currency().is("EUR").and(OrderPaid::amount_minor().at_least(100));
    let service = Service::new("billing")
        .on_with::<OrderPaid>(ignore, |s| s.filter(euros))
        .on_with::<ReceiptSent>(ignore, |s| s.group("all").per_instance());
    let told = service.topology()?.to_string();
    let expected = "\
billing-all (one for each instance)
  <- shop-billing-v1 (shop.billing.v1.ReceiptSent)
billing-shop-orders-v1-OrderPaid
  <- shop-orders-v1 (shop.orders.v1.OrderPaid) filtered by the broker, on AMQP by the consumer: \
currency is \"EUR\" and amount_minor is at least 100; everywhere by the consumer: amount_minor
";
    assert_eq!(told, expected);
    Ok(())
}

#[test]
fn a_filter_is_told_in_plain_words() {
    let amount = OrderPaid::amount_minor;
    for (filter, words) in [
        (OrderPaid::currency().one_of(["EUR", "USD"]), r#"currency is one of ["EUR", "USD"]"#),
        (OrderPaid::currency().none_of(["EUR"]), r#"currency is none of ["EUR"]"#),
        (OrderPaid::currency().starts_with("E"), r#"currency starts with "E""#),
        (OrderPaid::currency().exists().and(amount().is_absent()), "currency exists and amount_minor is absent"),
        (amount().is(5), "amount_minor is 5"),
        (amount().at_most(2.5).and(amount().at_least(1)), "amount_minor is at most 2.5 and amount_minor is at least 1"),
    ] {
        assert_eq!(filter.policy().to_string(), words);
    }
}
