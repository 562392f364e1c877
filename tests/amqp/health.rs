//! What a service tells of RabbitMQ while that is killed, blocked, and rid of a queue (N1, N5, F06).

use std::time::Duration;

use tegami::{
    Context, HandlerError, Service,
    health::{Health, Kind, State},
    service::Running,
    transport::amqp::Amqp,
};
use tegami_test_servers::{Rabbit, Release};
use tokio::time::{sleep, timeout};

use crate::contracts::shop::orders::v1::OrderPaid;

/// How long anything may take to be told.
const TOLD: Duration = Duration::from_secs(30);

async fn ignore(_: OrderPaid, _: Context) -> Result<(), HandlerError> {
    Ok(())
}

fn service(rabbit: &Rabbit, name: &str) -> Service {
    Service::new(name).prefix(format!("health-{}-", std::process::id())).transport(Amqp::new(rabbit.url()))
}

async fn until(running: &Running, what: &str, holds: impl Fn(&Health) -> bool) -> Health {
    let looking = async {
        loop {
            let health = running.health().await;
            assert!(!format!("{health:?}").contains("guest:guest"), "a password is told: {health:?}");
            if holds(&health) {
                return health;
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    let found = timeout(TOLD, looking).await;
    match found {
        Ok(health) => health,
        Err(_) => panic!("{what} was not told within {TOLD:?}: {:?}", running.health().await),
    }
}

fn reason(health: &Health, kind: Kind) -> Option<&str> {
    health.components.iter().find(|component| component.kind == kind)?.status.reason()
}

#[tokio::test]
async fn n1_n5_f06_a_broker_that_goes_blocks_or_loses_a_queue_is_told_of_and_so_is_its_return() {
    let rabbit = Rabbit::take(Release::V4).await;
    let consumes = service(&rabbit, "consumes").on::<OrderPaid>(ignore).start().await.expect("it is up");
    let publishes = service(&rabbit, "publishes").start().await.expect("it is up");
    for running in [&consumes, &publishes] {
        until(running, "its being up", |health| health.state == State::Up).await;
    }

    rabbit.kill9().await;
    for running in [&consumes, &publishes] {
        let health = until(running, "the kill", |health| health.state == State::Down).await;
        assert!(reason(&health, Kind::Transport).is_some(), "{health:?}");
    }
    rabbit.start().await;
    // One of them has nobody who would ask for a connection.
    for running in [&consumes, &publishes] {
        until(running, "the return", |health| health.state == State::Up).await;
    }

    rabbit.block().await;
    let publisher = consumes.publisher().clone();
    let order = OrderPaid::builder().order_id("o-1").currency("EUR").amount_minor(1).build();
    // RabbitMQ says that it blocks to those who publish.
    let blocked = tokio::spawn(async move { publisher.publish(&order).await });
    let health = until(&consumes, "the block", |health| health.state == State::Degraded).await;
    assert!(health.is_ready() && reason(&health, Kind::Transport).is_some_and(|text| text.contains("blocked")));
    rabbit.unblock().await;
    until(&consumes, "its end", |health| health.state == State::Up).await;
    let _ = blocked.await.expect("no panic");

    rabbit.delete("consumes-shop-orders-v1-OrderPaid").await;
    let is_back = |health: &Health| {
        health.is_ready() && reason(health, Kind::Queue).is_some_and(|text| text.starts_with("it is back; before: "))
    };
    let health = until(&consumes, "the queue's return", is_back).await;
    assert!(reason(&health, Kind::Queue).is_some_and(|text| text.contains("the queue is gone")), "{health:?}");
    for running in [consumes, publishes] {
        running.stop().await.expect("no hook can fail");
    }
}
