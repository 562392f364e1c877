//! A broker that knows us and does not have, or does not let us have, what the service needs.

use super::{
    assert_refused, assert_tells,
    broker::{ALL, Office, RELEASES, Rights},
    service::run,
};

/// The queue of the service, as the log and the errors name it.
const QUEUE: &str = "billing-shop-orders-v1-OrderPaid";
const ORDERED: [&str; 2] =
    ["billing-shop-warehouse-v1-StockMoved.fifo", "billing-shop-warehouse-v1-StockMoved-dead.fifo"];

#[tokio::test]
async fn k1_who_cannot_log_in_is_told_why() {
    for release in RELEASES {
        let office = Office::open(release).await;
        let url = office.url().replace("one@", "two@");
        assert_refused(&run("plain", &url, &[]).await, &["clerk", "ACCESS_REFUSED", "transient: false"]);
        let url = office.url().replace("/startup", "/elsewhere");
        assert_refused(&run("plain", &url, &[]).await, &["/elsewhere", "vhost elsewhere not found"]);
        let url = office.url().replace("/startup", "/");
        assert_refused(&run("plain", &url, &[]).await, &["(its `/` at the end names the virtual host ``)"]);
        office.close().await;
        assert_refused(&run("plain", &office.url(), &[]).await, &["clerk", "ACCESS_REFUSED"]);
    }
}

#[tokio::test]
async fn n7_each_permission_that_is_missing_stops_the_start() {
    const QUEUES: &str = "^billing-.*";
    const LEAST: Rights = [QUEUES, "^(billing-.*|amq\\\\.topic|amq\\\\.default)$", "^(billing-.*|amq\\\\.topic)$"];
    let [configure, write, read] = LEAST;
    for release in RELEASES {
        let office = Office::open(release).await;
        for (allowed, words) in [
            (["^$", write, read], [QUEUE, "refused for user 'clerk'"]),
            ([configure, "^$", read], ["'amq.default'", "refused for user 'clerk'"]),
            ([configure, "^amq\\\\.(topic|default)$", read], ["binding of queue", "refused for user 'clerk'"]),
            ([configure, write, "^billing-.*"], ["on `amq.topic`", "refused for user 'clerk'"]),
            ([configure, write, "^amq\\\\.topic$"], ["consume from queue `billing-", "refused for user 'clerk'"]),
        ] {
            office.allow(allowed).await;
            assert_refused(&run("plain", &office.url(), &[]).await, &words);
        }
        office.allow([configure, "^(billing-.*|amq\\\\.default)$", read]).await;
        let told = run("secrets", &office.url(), &[]).await;
        assert_refused(&told, &["an event was not published", "ACCESS_REFUSED", "'amq.topic'"]);
        office.allow(LEAST).await;
        let told = run("secrets", &office.url(), &[]).await;
        assert_eq!(told.code, Some(0), "the least is not enough: {}", told.text);
        office.close().await;
    }
}

#[tokio::test]
async fn n7_what_is_missing_is_named_where_nothing_may_be_created() {
    let verify = [("TEGAMI_PROVISION", "verify")];
    for release in RELEASES {
        let office = Office::open(release).await;
        let told = run("plain", &office.url(), &verify).await;
        assert_refused(&told, &["queue `billing-", "NOT_FOUND", "transient: false"]);
        let told = run("plain", &format!("{}?exchange=shop.events", office.url()), &verify).await;
        assert_refused(&told, &["exchange `shop.events`", "NOT_FOUND"]);
        assert_eq!(run("plain", &office.url(), &[]).await.code, Some(0));
        assert_eq!(run("plain", &office.url(), &verify).await.code, Some(0));
        office.close().await;
    }
}

fn text(name: &str, value: &str) -> String {
    format!("{{<<\"{name}\">>, longstr, <<\"{value}\">>}}")
}

fn number(name: &str, value: i64) -> String {
    format!("{{<<\"{name}\">>, signedint, {value}}}")
}

/// The arguments of a queue that is read, but for that of order.
fn all(dead_letters: &str) -> [String; 6] {
    [
        text("x-queue-type", "quorum"),
        text("x-dead-letter-exchange", ""),
        text("x-dead-letter-routing-key", dead_letters),
        text("x-dead-letter-strategy", "at-least-once"),
        text("x-overflow", "reject-publish"),
        number("x-delivery-limit", 20),
    ]
}

#[tokio::test]
async fn n7_the_argument_that_differs_is_named() {
    for release in RELEASES {
        let office = Office::open(release).await;
        for (place, other, named) in [
            (0, text("x-queue-type", "classic"), "queue_type"),
            (2, text("x-dead-letter-routing-key", "elsewhere"), "x-dead-letter-routing-key"),
            (4, text("x-overflow", "drop-head"), "x-overflow"),
            (5, number("x-delivery-limit", 3), "x-delivery-limit"),
        ] {
            let mut arguments = all(&format!("{QUEUE}-dead"));
            arguments[place] = other;
            // What goes with a quorum queue alone goes with its type.
            let kept = if named == "queue_type" { &arguments[..3] } else { &arguments[..] };
            office.put(QUEUE, &kept.join(", ")).await;
            for mode in ["create", "verify"] {
                let told = run("plain", &office.url(), &[("TEGAMI_PROVISION", mode)]).await;
                assert_refused(&told, &[QUEUE, named, "PRECONDITION_FAILED - inequivalent arg", "transient: false"]);
            }
        }
        let [queue, dead_letters] = ORDERED;
        office.put(queue, &all(dead_letters).join(", ")).await;
        assert_refused(&run("ordered", &office.url(), &[]).await, &[queue, "x-single-active-consumer"]);
        office.close().await;
    }
}

#[tokio::test]
async fn o5_a_queue_where_a_dead_letter_halts_its_key_has_no_limit_that_could_be_reached() {
    let [queue, dead_letters] = ORDERED;
    let single = "{<<\"x-single-active-consumer\">>, bool, true}".to_owned();
    for release in RELEASES {
        let office = Office::open(release).await;
        let ordered = [&all(dead_letters)[..], std::slice::from_ref(&single)].concat();
        office.put(queue, &ordered.join(", ")).await;
        assert_eq!(run("ordered", &office.url(), &[]).await.code, Some(0), "what goes on has the limit");
        assert_refused(&run("halting", &office.url(), &[]).await, &[queue, "x-delivery-limit", "PRECONDITION_FAILED"]);
        let mut halting = ordered;
        halting[5] = number("x-delivery-limit", i32::MAX.into());
        office.put(queue, &halting.join(", ")).await;
        assert_eq!(run("halting", &office.url(), &[]).await.code, Some(0));
        office.close().await;
    }
}

#[tokio::test]
async fn x6_no_secret_is_logged_while_messages_are_published_retried_and_given_up() {
    for release in RELEASES {
        let office = Office::open(release).await;
        office.allow(ALL).await;
        for url in [office.url(), office.tls_url()] {
            let told = run("secrets", &url, &[]).await;
            assert_eq!(told.code, Some(0), "{}", told.text);
            let words = ["service started", "attempt failed", "given up; kept as a dead letter", "service stopped"];
            assert_tells(&told, &words);
        }
        office.close().await;
    }
}
