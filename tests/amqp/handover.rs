//! One replica goes and another takes over, while a handler of an ordered queue still runs.

use std::time::Duration;

use bytes::Bytes;
use tegami::{
    envelope::{MessageId, Sealed},
    event::{Attributes, Policy},
    transport::{
        Binding, Deliveries, Delivery, Outgoing, Provision, QueuePlan, Reach, TopicPlan, Topology, Transport,
        amqp::Amqp,
    },
};
use tegami_test_servers::{Rabbit, Release};
use tokio::time::timeout;

const EVENT: &str = "handover.v1.LetterFiled";
const TOPIC: &str = "handover-v1";
/// How long anything may take to come.
const COMES: Duration = Duration::from_secs(60);
/// How long nothing comes: what goes back to RabbitMQ is handed out within milliseconds.
const NOTHING: Duration = Duration::from_secs(1);

#[tokio::test]
async fn o2_the_next_of_a_key_waits_for_the_handler_of_a_replica_that_goes() {
    for release in [Release::V3, Release::V4] {
        let rabbit = Rabbit::take(release).await;
        let [old, new] = [rabbit.url(), rabbit.url()].map(Amqp::new);
        let plan = plan(&format!("handover-{}", std::process::id()));
        let topic = TopicPlan { name: TOPIC.to_owned(), ordered: true, source: "here" };
        let topology = Topology { topics: vec![topic], queues: vec![plan.clone()] };
        old.provision(&topology, Provision::Create).await.expect("it can be declared");
        let mut going = old.consume(&plan).await.expect("it is there");
        let mut staying = new.consume(&plan).await.expect("it is there");
        for number in 0..4 {
            old.publish(letter(&plan, &number.to_string())).await.expect("it is bound");
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

fn plan(name: &str) -> QueuePlan {
    let binding = Binding {
        topic: TOPIC.to_owned(),
        routing_key: name.to_owned(),
        event: EVENT,
        by_name: false,
        policy: Policy::default(),
    };
    QueuePlan {
        name: format!("{name}.fifo"),
        dead_letters: format!("{name}-dead.fifo"),
        ordered: true,
        retry_delays: Vec::new(),
        halts: false,
        concurrency: 4,
        reach: Reach::Shared,
        bindings: vec![binding],
    }
}

/// A letter of the one key.
fn letter(plan: &QueuePlan, text: &str) -> Outgoing {
    let sealed = Sealed { body: Bytes::copy_from_slice(text.as_bytes()), attributes: Attributes::new() };
    let id = MessageId::parse(format!("{}-{text}", plan.name)).expect("a short name");
    let mut letter = Outgoing::new(id, EVENT, TOPIC, sealed);
    letter.routing_key = plan.bindings[0].routing_key.clone().into();
    (letter.key, letter.ordered) = (Some("folder".to_owned()), true);
    letter
}

async fn next(deliveries: &mut Box<dyn Deliveries>, within: Duration) -> Option<Delivery> {
    let next = timeout(within, deliveries.next(1)).await.ok()?;
    next.expect("nothing is wrong with the connection").pop()
}

fn body(delivery: &Delivery) -> String {
    String::from_utf8_lossy(&delivery.sealed.body).into_owned()
}
