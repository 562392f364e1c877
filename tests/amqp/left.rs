//! All that differs on RabbitMQ from what was planned, and what earlier plans left there.

use std::time::Duration;

use crate::contracts::shop::orders::v1::OrderPaid;
use tegami::{
    Context, Retry, Service,
    envelope::{MessageId, Sealed},
    transport::{Outgoing, Provision, Prune, Remnant, Topology, Transport as _, TransportErrorKind, amqp::Amqp},
};
use tegami_test_servers::{Fault, Proxy, Rabbit, Release, Way};

/// A service with these groups, each with two steps of retries.
fn topology(prefix: &str, groups: &[&str]) -> Topology {
    let service = Service::new("billing").prefix(prefix);
    let retry = || Retry::after([Duration::from_millis(50), Duration::from_millis(90)]);
    let service = groups.iter().fold(service, |service, group| {
        service.on_with::<OrderPaid>(async |_: OrderPaid, _: Context| Ok(()), |s| s.group(*group).retry(retry()))
    });
    service.topology().expect("it is right")
}

/// Names that nobody took before.
fn prefix(what: &str) -> String {
    format!("{what}-{}-", fastrand::u32(..))
}

async fn put(amqp: &Amqp, queue: &str) {
    let mut message = Outgoing::new(MessageId::parse("1").expect("it is one"), "paid", "orders", Sealed::default());
    message.queue = Some(queue.to_owned());
    amqp.publish(message).await.expect("it is stored");
}

async fn all_is_told(release: Release) {
    let rabbit = Rabbit::take(release).await;
    let (amqp, plan) = (Amqp::new(rabbit.url()), topology(&prefix("told"), &["a", "b"]));
    let told = amqp.differences(&plan, Provision::Verify).await.expect("it is up");
    assert_eq!(told.len(), 8, "each of four queues, twice: {told:?}");
    assert!(told.iter().all(|one| one.kind() == TransportErrorKind::Missing));
    let error = amqp.provision(&plan, Provision::Verify).await.expect_err("nothing is there");
    assert!(told.iter().all(|one| error.to_string().contains(&one.to_string())), "{error}");
    assert!(amqp.differences(&plan, Provision::Create).await.expect("it is up").is_empty());
    let other = Amqp::new(format!("{}?queue_type=classic", rabbit.url()));
    for mode in [Provision::Verify, Provision::Create] {
        let told = other.differences(&plan, mode).await.expect("it is up");
        assert_eq!(told.len(), 8, "{mode:?}: {told:?}");
        assert!(told.iter().all(|one| one.kind() == TransportErrorKind::Mismatch));
    }
    let other = Amqp::new(format!("{}?exchange=amq.fanout", rabbit.url()));
    let told = other.differences(&topology(&prefix("not"), &["c"]), Provision::Create).await.expect("it is up");
    assert_eq!(told.len(), 5, "the exchange, and what is not made for it: {told:?}");
    amqp.close().await;
}

#[tokio::test]
async fn n7_all_that_differs_is_told_on_rabbitmq_3() {
    all_is_told(Release::V3).await;
}

#[tokio::test]
async fn n7_all_that_differs_is_told_on_rabbitmq_4() {
    all_is_told(Release::V4).await;
}

/// What is told of these, as (queue, why it stays).
fn told(remnants: &[Remnant]) -> Vec<(&str, Option<&str>)> {
    remnants.iter().map(|left| (&*left.queue, left.kept.as_deref())).collect()
}

async fn is_pruned(release: Release, settings: &str) {
    let rabbit = Rabbit::take(release).await;
    let (amqp, prefix) = (Amqp::new(rabbit.url() + settings), prefix("left"));
    let former = topology(&prefix, &["dead", "empty", "full", "kept", "read"]);
    let mut today = topology(&prefix, &["kept"]);
    today.queues[0].retry_delays.pop();
    assert!(amqp.differences(&former, Provision::Create).await.expect("it is up").is_empty());
    let [dead, empty, full, kept, read] = &former.queues[..] else { panic!("five: {former}") };
    put(&amqp, &full.name).await;
    put(&amqp, &dead.dead_letters).await;
    let reading = amqp.consume(read).await.expect("it is there");
    let stays = [
        (&*dead.name, format!("`{}` is not empty: 1", dead.dead_letters)),
        (&*full.name, format!("`{}` is not empty: 1", full.name)),
        (&*read.name, format!("`{}` is read", read.name)),
    ];
    let step = format!("{}-retry-2", kept.name);
    let expected: Vec<(&str, Option<&str>)> = vec![
        (stays[0].0, Some(&stays[0].1)),
        (&empty.name, None),
        (stays[1].0, Some(&stays[1].1)),
        (&step, None),
        (stays[2].0, Some(&stays[2].1)),
    ];
    let looked = amqp.prune(&former.queues, &today, Prune::Look).await.expect("it is up");
    assert_eq!(told(&looked), expected);
    assert_eq!(looked[1].with.len(), 3, "its retries and dead letters: {:?}", looked[1].with);
    let deleted = amqp.prune(&former.queues, &today, Prune::Delete).await.expect("it is up");
    assert_eq!(told(&deleted), expected);
    let again = amqp.prune(&former.queues, &today, Prune::Look).await.expect("it is up");
    assert_eq!(told(&again).len(), 3, "{again:?}");
    assert!(amqp.differences(&today, Provision::Verify).await.expect("it is up").is_empty());
    assert_eq!(amqp.dead_letters(&dead.name, 10).await.expect("it is there").len(), 1);
    drop(reading);
    amqp.close().await;
    // A queue of the same name that is not as ours are is not ours.
    let other = Amqp::new(rabbit.url() + if settings.is_empty() { "?queue_type=classic" } else { "" });
    let looked = other.prune(std::slice::from_ref(full), &today, Prune::Delete).await.expect("it is up");
    assert!(told(&looked)[0].1.is_some_and(|why| why.contains("not as this service has it")), "{looked:?}");
    other.close().await;
}

#[tokio::test]
async fn n7_what_earlier_plans_left_goes_only_where_it_is_empty_and_unread_on_rabbitmq_3() {
    is_pruned(Release::V3, "").await;
}

#[tokio::test]
async fn n7_what_earlier_plans_left_goes_only_where_it_is_empty_and_unread_on_rabbitmq_4() {
    is_pruned(Release::V4, "").await;
}

#[tokio::test]
async fn n7_classic_queues_of_earlier_plans_go_alike_on_rabbitmq_4() {
    is_pruned(Release::V4, "?queue_type=classic").await;
}

#[tokio::test]
async fn n7_a_broker_that_answers_half_is_an_error_and_tells_no_difference_on_rabbitmq_4() {
    let rabbit = Rabbit::take(Release::V4).await;
    let server: std::net::SocketAddr = (std::net::Ipv4Addr::LOCALHOST, rabbit.port()).into();
    let plan = topology(&prefix("half"), &["a", "b", "c", "d"]);
    let mut cut = 0;
    for bytes in (300..3_000).step_by(300) {
        let proxy = Proxy::to(server, 7).await.expect("there is a free port");
        let amqp = Amqp::new(rabbit.url().replace(&server.port().to_string(), &proxy.address().port().to_string()));
        proxy.put(Way::Down, Fault::CutAfter(bytes));
        match amqp.differences(&plan, Provision::Verify).await {
            Ok(all) => assert_eq!(all.len(), 16, "{bytes}: {all:?}"),
            Err(error) => {
                assert_eq!(error.kind(), TransportErrorKind::Unreachable, "{bytes}: {error}");
                cut += 1;
            }
        }
        amqp.close().await;
    }
    assert!(cut > 3, "{cut} were cut");
}

/// Whatever a cut hits: what has gone by then is told, and what is told to have gone is not there.
#[tokio::test]
async fn n7_what_was_deleted_is_told_though_the_rest_failed_on_rabbitmq_4() {
    let rabbit = Rabbit::take(Release::V4).await;
    let server: std::net::SocketAddr = (std::net::Ipv4Addr::LOCALHOST, rabbit.port()).into();
    let (direct, former) = (Amqp::new(rabbit.url()), topology(&prefix("cut"), &["a", "b", "c", "d"]));
    let today = Topology { topics: Vec::new(), queues: Vec::new() };
    let mut halves = 0;
    for bytes in (600..3_000).step_by(300) {
        assert!(direct.differences(&former, Provision::Create).await.expect("it is up").is_empty());
        let proxy = Proxy::to(server, 7).await.expect("there is a free port");
        let amqp = Amqp::new(rabbit.url().replace(&server.port().to_string(), &proxy.address().port().to_string()));
        proxy.put(Way::Down, Fault::CutAfter(bytes));
        let pruned = amqp.prune(&former.queues, &today, Prune::Delete).await;
        amqp.close().await;
        let left = direct.prune(&former.queues, &today, Prune::Look).await.expect("it is up");
        let is_left = |queue: &str| left.iter().any(|left| left.queue == queue);
        match pruned {
            Ok(told) => {
                let (kept, gone): (Vec<_>, Vec<_>) = told.iter().partition(|left| left.kept.is_some());
                assert!(gone.iter().all(|gone| !is_left(&gone.queue)), "{bytes}: {told:?}");
                assert_eq!(told.len(), former.queues.len(), "{bytes}: {told:?}");
                halves += usize::from(!kept.is_empty() && !gone.is_empty());
            }
            Err(error) => assert_eq!(left.len(), former.queues.len(), "{bytes}: {error}"),
        }
    }
    direct.close().await;
    assert!(halves > 0, "no cut came between two of them");
}
