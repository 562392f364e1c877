//! One replica goes and another takes over, while a handler of an ordered queue still runs.

use std::time::Duration;

use tegami::transport::{Deliveries, Delivery, Provision, Transport, amqp::Amqp};
use tegami_test_servers::{Rabbit, Release};
use tokio::time::timeout;

use super::letters::{body, letter, topology};

/// How long anything may take to come.
const COMES: Duration = Duration::from_secs(60);
/// How long nothing comes: what goes back to RabbitMQ is handed out within milliseconds.
const NOTHING: Duration = Duration::from_secs(1);

#[tokio::test]
async fn o2_the_next_of_a_key_waits_for_the_handler_of_a_replica_that_goes() {
    for release in [Release::V3, Release::V4] {
        let rabbit = Rabbit::take(release).await;
        let [old, new] = [rabbit.url(), rabbit.url()].map(Amqp::new);
        let topology = topology(&format!("handover-{}", std::process::id()));
        let plan = &topology.queues[0];
        old.provision(&topology, Provision::Create).await.expect("it can be declared");
        let mut going = old.consume(plan).await.expect("it is there");
        let mut staying = new.consume(plan).await.expect("it is there");
        for number in 0..4 {
            old.publish(letter(plan, "folder", &number.to_string())).await.expect("it is bound");
        }

        let running = next(&mut going, COMES).await.expect("the first");
        assert_eq!(body(&running), "0");
        assert!(next(&mut staying, NOTHING).await.is_none(), "two replicas at work on one key, {release:?}");
        drop(going);
        assert!(next(&mut staying, NOTHING).await.is_none(), "the first still runs, {release:?}");
        running.ack().await.expect("it is still ours");
        for number in 1..4 {
            let delivery = next(&mut staying, COMES).await.expect("the others follow");
            assert_eq!(body(&delivery), number.to_string());
            delivery.ack().await.expect("it is ours");
        }
        tokio::join!(old.close(), new.close());
    }
}

async fn next(deliveries: &mut Box<dyn Deliveries>, within: Duration) -> Option<Delivery> {
    let next = timeout(within, deliveries.next(1)).await.ok()?;
    next.expect("nothing is wrong with the connection").pop()
}
