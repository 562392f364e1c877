//! What observers see of a service, and what is counted for Prometheus.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use tegami::{
    Context, Error, HandlerError, Publisher, Retry, Service,
    telemetry::{End, Fact},
    testing::{
        TestService,
        transport::{Tamper, tampering},
    },
    transport::{Backlog, Memory, QueuePlan, Transport},
};

use crate::{
    contracts::shop::{billing::v1::ReceiptSent, orders::v1::OrderPaid},
    order,
};

type Lines = Arc<Mutex<Vec<String>>>;

/// A line for each fact.
fn note(lines: &Lines) -> impl Fn(&Fact<'_>) + Send + Sync + 'static {
    let lines = lines.clone();
    move |fact| {
        let line = match fact {
            Fact::Published(p) => format!("{} {} to {}: {:?}", p.system, p.event, p.topic, p.error),
            Fact::Taken(t) => format!("{} {} takes", t.system, t.queue),
            Fact::Settled(s) => format!("{} {:?} {} {:?} {}", s.queue, s.event, s.end.as_str(), s.reason, s.attempt),
            Fact::Counted(c) => format!("{} {} {:?}", c.system, c.queue, c.messages),
            Fact::Ran(r) => format!("{} {}", r.schedule, r.outcome),
            other => format!("{other:?}"),
        };
        lines.lock().expect("no panic").push(line);
    }
}

fn told(lines: &Lines) -> Vec<String> {
    std::mem::take(&mut *lines.lock().expect("no panic"))
}

/// Fails by its currency: `USD` once, `XXX` always, and `PAN` by a panic.
async fn bill(order: OrderPaid, ctx: Context) -> Result<(), HandlerError> {
    match order.currency.as_str() {
        "USD" if ctx.attempt() == 1 => Err(HandlerError::retry("not now")),
        "XXX" => Err(HandlerError::reject("no such currency")),
        "PAN" => panic!("on purpose"),
        _ => {
            let receipt = ReceiptSent::builder().order_id(order.order_id).build();
            ctx.publish_with(&receipt, |options| options.allow_unroutable()).await?;
            Ok(())
        }
    }
}

fn service(lines: &Lines) -> Service {
    let quick = Retry::after([Duration::from_millis(1)]);
    Service::new("billing").on_with::<OrderPaid>(bill, |s| s.retry(quick)).observe(note(lines))
}

async fn paid(test: &TestService, currency: &str) -> Result<(), Error> {
    let order = OrderPaid { currency: currency.to_owned(), ..order("o-1") };
    test.publish(&order).await?;
    test.settle().await;
    Ok(())
}

const QUEUE: &str = "billing-shop-orders-v1-OrderPaid";

#[tokio::test]
async fn each_delivery_is_told_when_it_is_taken_and_when_it_is_settled() -> Result<(), Error> {
    let lines = Lines::default();
    let test = TestService::start(service(&lines)).await?;
    let takes = format!("memory {QUEUE} takes");
    let settled = |what: &str| format!("{QUEUE} Some(\"shop.orders.v1.OrderPaid\") {what}");
    for (currency, ends) in [
        ("EUR", vec!["done None 1"]),
        ("USD", vec!["retried Some(\"handler-error\") 1", "done None 2"]),
        ("XXX", vec!["dead-lettered Some(\"permanent\") 1"]),
        ("PAN", vec!["retried Some(\"handler-panic\") 1", "dead-lettered Some(\"handler-panic\") 2"]),
    ] {
        paid(&test, currency).await?;
        let lines = told(&lines);
        let deliveries: Vec<_> = lines.iter().filter(|line| line.contains(QUEUE)).collect();
        let expected: Vec<_> = ends.iter().flat_map(|end| [takes.clone(), settled(end)]).collect();
        assert_eq!(deliveries, expected.iter().collect::<Vec<_>>(), "{currency}");
        let publish = "memory shop.billing.v1.ReceiptSent to shop-billing-v1: None".to_owned();
        assert_eq!(lines.contains(&publish), matches!(currency, "EUR" | "USD"), "{currency}: {lines:?}");
    }
    Ok(())
}

#[tokio::test]
async fn what_a_filter_does_not_want_is_no_success_of_a_handler() -> Result<(), Error> {
    let lines = Lines::default();
    let dear = OrderPaid::amount_minor().at_least(1_000);
    let service = Service::new("billing").on_with::<OrderPaid>(bill, |s| s.filter(dear)).observe(note(&lines));
    let test = TestService::start(service).await?;
    // Past the filter of the queue.
    test.outside().publish_with(&order("o-1"), |options| options.queue(QUEUE)).await?;
    test.settle().await;
    assert!(told(&lines).iter().any(|line| line.ends_with("unwanted None 1")));
    Ok(())
}

#[tokio::test]
async fn a_publish_that_fails_is_told_with_its_kind() -> Result<(), Error> {
    let lines = Lines::default();
    let running = Service::new("billing").on::<OrderPaid>(bill).observe(note(&lines)).start().await?;
    let publisher: &Publisher = running.publisher();
    let receipt = ReceiptSent::builder().order_id("o-1").build();
    publisher.publish(&receipt).await.expect_err("nobody listens");
    publisher.publish_with(&receipt, |options| options.via("nowhere")).await.expect_err("there is no such transport");
    let topic = "shop.billing.v1.ReceiptSent to shop-billing-v1";
    let unroutable = format!("memory {topic}: Some(\"unroutable\")");
    assert_eq!(told(&lines), [unroutable, format!(" {topic}: Some(\"unsupported\")")]);
    running.stop().await?;
    Ok(())
}

#[tokio::test]
async fn h3_an_observer_that_panics_harms_nothing() -> Result<(), Error> {
    let lines = Lines::default();
    let broken = |_: &Fact<'_>| panic!("on purpose");
    let test = TestService::start(service(&Lines::default()).observe(broken).observe(note(&lines))).await?;
    paid(&test, "EUR").await?;
    assert!(test.dead_letters().is_empty());
    assert!(told(&lines).iter().any(|line| line.contains("done")), "the next one sees all the same");
    Ok(())
}

#[tokio::test]
async fn s1_what_is_cut_off_is_told_as_given_back() -> Result<(), Error> {
    let lines = Lines::default();
    let stuck = async |_: OrderPaid, _: Context| std::future::pending().await;
    let service = Service::new("billing").on::<OrderPaid>(stuck).drain(Duration::from_secs(1)).observe(note(&lines));
    let test = TestService::start(service).await?;
    test.publish(&order("o-1")).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    test.stop().await?;
    let ends = told(&lines).into_iter().filter(|line| line.contains(End::Released.as_str())).count();
    assert_eq!(ends, 1);
    Ok(())
}

#[tokio::test]
async fn what_waits_in_a_queue_is_told_twice_a_minute_until_the_service_drains() -> Result<(), Error> {
    let lines = Lines::default();
    let slow = async |order: OrderPaid, _: Context| match order.currency.as_str() {
        "XXX" => Err(HandlerError::reject("no such currency")),
        _ => std::future::pending().await,
    };
    let service = Service::new("billing").on_with::<OrderPaid>(slow, |s| s.concurrency(1)).drain(Duration::ZERO);
    let test = TestService::start(service.observe(note(&lines))).await?;
    test.publish(&OrderPaid { currency: "XXX".to_owned(), ..order("o-0") }).await?;
    test.settle().await;
    for id in ["o-1", "o-2", "o-3"] {
        test.publish(&order(id)).await?;
    }
    test.advance(Duration::from_millis(29_900)).await;
    let told_of = |lines: &Lines| {
        let lines = told(lines).into_iter();
        lines
            .filter(|line| line.contains(QUEUE) && line.contains(" Some(") && line.starts_with("memory"))
            .collect::<Vec<_>>()
    };
    assert!(told_of(&lines).is_empty(), "who has just begun asks for nothing");
    test.advance(Duration::from_millis(200)).await;
    assert_eq!(told_of(&lines), [format!("memory {QUEUE} Some(2)"), format!("memory {QUEUE}-dead Some(1)")]);
    test.advance(Duration::from_secs(60)).await;
    assert_eq!(told_of(&lines).len(), 4);
    test.stop().await?;
    assert!(told_of(&lines).is_empty());
    Ok(())
}

/// A transport that tells nothing of its queues, and says so late.
struct Silent;

#[async_trait::async_trait]
impl Tamper for Silent {
    async fn backlog(&self, _: &QueuePlan, _: &dyn Transport) -> Backlog {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_transport_that_does_not_tell_what_waits_holds_nothing_up() -> Result<(), Error> {
    let lines = Lines::default();
    let service = service(&lines).transport(tampering(Memory::new(), Arc::new(Silent)));
    let running = service.start().await?;
    tokio::time::sleep(Duration::from_secs(36)).await;
    assert_eq!(told(&lines), [format!("memory {QUEUE} None"), format!("memory {QUEUE}-dead None")]);
    running.publisher().publish(&order("o-1")).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(told(&lines).iter().any(|line| line.contains("done")));
    running.stop().await?;
    Ok(())
}

#[cfg(feature = "schedule")]
#[tokio::test]
async fn a_run_is_told_with_what_it_came_to() -> Result<(), Error> {
    use tegami::{
        schedule::{Schedule, Tick},
        time::{Clock, Wall},
    };

    async fn fail(_: Tick) -> Result<(), HandlerError> {
        Err(HandlerError::retry("not now"))
    }
    let lines = Lines::default();
    let half_past = Wall::following(Clock::starting_at(SystemTime::UNIX_EPOCH + Duration::from_secs(30)));
    let service = Service::new("billing").wall(half_past).schedule(Schedule::every(Duration::from_secs(60)), fail);
    let test = TestService::start(service.observe(note(&lines))).await?;
    test.advance(Duration::from_secs(120)).await;
    assert_eq!(told(&lines), ["fail failed", "fail failed"]);
    Ok(())
}

#[cfg(feature = "metrics")]
mod metrics {
    use tegami::telemetry::Metrics;

    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

    #[tokio::test]
    async fn what_happens_is_counted_by_names_that_messages_cannot_make_up() -> Result<(), Error> {
        let metrics = Metrics::new();
        let test = TestService::start(service(&Lines::default()).observe(metrics.clone())).await?;
        for currency in ["EUR", "EUR", "USD", "XXX", "PAN"] {
            paid(&test, currency).await?;
        }
        test.advance(Duration::from_secs(31)).await;
        let text = metrics.text();
        let queue = format!("messaging_system=\"memory\",messaging_destination_name=\"{QUEUE}\"");
        let dead = queue.replace(QUEUE, &format!("{QUEUE}-dead"));
        let event = "event=\"shop.orders.v1.OrderPaid\"";
        let process = "messaging_operation_name=\"process\"";
        let sent = "messaging_system=\"memory\",messaging_operation_name=\"publish\",\
                    messaging_destination_name=\"shop-billing-v1\",event=\"shop.billing.v1.ReceiptSent\"";
        for line in [
            format!("tegami_deliveries_in_flight{{{queue}}} 0"),
            format!("tegami_queue_messages{{{queue}}} 0"),
            format!("tegami_queue_messages{{{dead}}} 2"),
            format!("tegami_retries_total{{{queue},{event},reason=\"handler-error\"}} 1"),
            format!("tegami_retries_total{{{queue},{event},reason=\"handler-panic\"}} 1"),
            format!("tegami_dead_letters_total{{{queue},{event},reason=\"permanent\"}} 1"),
            format!("tegami_dead_letters_total{{{queue},{event},reason=\"handler-panic\"}} 1"),
            format!("messaging_process_duration_seconds_count{{{queue},{event},outcome=\"done\",{process}}} 3"),
            format!("messaging_client_consumed_messages_total{{{queue},{process}}} 7"),
            format!("messaging_client_sent_messages_total{{{sent}}} 3"),
            format!("tegami_delivery_wait_seconds_count{{{queue},{event}}} 7"),
        ] {
            assert!(text.lines().any(|there| there == line), "{line} is not in\n{text}");
        }
        assert!(
            text.contains("messaging_client_operation_duration_seconds_count{messaging_system=\"memory\""),
            "{text}"
        );
        assert!(text.ends_with("# EOF\n"), "{text}");
        Ok(())
    }

    #[tokio::test]
    async fn a_time_is_shown_with_the_trace_of_its_latest_example() -> Result<(), Error> {
        let metrics = Metrics::new();
        let test = TestService::start(service(&Lines::default()).observe(metrics.clone())).await?;
        let parent = format!("00-{TRACE}-b7ad6b7169203331-01");
        test.outside().publish_with(&order("o-1"), |o| o.attribute("traceparent", parent)).await?;
        test.settle().await;
        let example = format!("# {{trace_id=\"{TRACE}\"}}");
        let text = metrics.text();
        let shown = |name: &str| text.lines().any(|line| line.starts_with(name) && line.contains(&example));
        assert!(shown("messaging_process_duration_seconds_bucket"), "{text}");
        assert!(shown("messaging_client_operation_duration_seconds_bucket"), "{text}");
        Ok(())
    }
}
