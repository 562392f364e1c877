//! Queues that all begin at once, on fewer connections than they are.

use std::time::Duration;

use futures_util::future::join_all;
use tegami::{
    Context, HandlerError, Service,
    postgres::Database,
    records::Records,
    store::{self, Append, Store, StreamId},
    transport::{Deliveries, Provision, QueuePlan, Topology, Transport},
};
use tegami_test_servers::Postgres as Server;
use tokio::time::timeout;

use crate::{OrderPaid, paid};

/// How long whoever waits for a connection, or has one, may do so: longer than the test may take.
const LONG: Duration = Duration::from_secs(300);
const PROMPT: Duration = Duration::from_secs(30);

async fn handle(_: OrderPaid, _: Context) -> Result<(), HandlerError> {
    Ok(())
}

fn queue_of(service: String, records: &Records<Database>) -> QueuePlan {
    let service = Service::new(service).transport(records.clone()).on::<OrderPaid>(handle);
    service.topology().expect("it is planned").queues.remove(0)
}

async fn first(deliveries: &mut Box<dyn Deliveries>) -> usize {
    deliveries.next(1).await.expect("it is read").len()
}

/// D1: who takes a queue waits for one connection at a time, and for nobody who waits for another.
#[tokio::test]
async fn d1_twice_as_many_queues_as_there_are_connections_begin_at_once() {
    let server = Server::take().await;
    let few = store::Postgres::at(server.url()).connections(2).connection_wait(LONG).statement_limit(LONG);
    let events = few.connect().await.expect("it can be reached");
    let (db, store) = (Database::of(&events), Store::new(events));
    let stream = StreamId::new("orders").expect("a good name");
    store.append(Append::to(stream).event(&paid("o-1")).expect("it is valid")).await.expect("it is appended");
    let records = Records::new(&db, &store).from_the_first_event();
    for round in 0..3 {
        let queues = (0..4).map(|queue| queue_of(format!("billing-{round}-{queue}"), &records)).collect();
        let topology = Topology { queues, ..Topology::default() };
        records.provision(&topology, Provision::Create).await.expect("they are made");
        let begun = async {
            let consumed = join_all(topology.queues.iter().map(|queue| records.consume(queue))).await;
            let mut consumed: Vec<_> = consumed.into_iter().map(|queue| queue.expect("it is there")).collect();
            join_all(consumed.iter_mut().map(first)).await
        };
        assert_eq!(timeout(PROMPT, begun).await.expect("nobody waits for another"), [1; 4], "round {round}");
    }
    records.close().await;
}
