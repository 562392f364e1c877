//! What cqrs-es costs on PostgreSQL, in a process of its own, as a line of JSON: `peers append APPENDS AT_ONCE`,
//! `peers read STREAMS`. PostgreSQL is at `$POSTGRES_URL`.
//!
//! An append is a command of a new aggregate that decides on one event: the framework reads the aggregate's events, of which
//! there are none, and records it; so it refuses, as tegami does that is told to expect a new stream. A read has the events
//! of an aggregate, decoded.

#[expect(dead_code, reason = "messages are counted with the rest of it")]
#[path = "../../src/broker/meter.rs"]
mod meter;

use std::{convert::Infallible, env, error::Error, hint::black_box};

use cqrs_es::{Aggregate, CqrsFramework, DomainEvent, EventStore, event_sink::EventSink, persist::PersistedEventStore};
use futures_util::{StreamExt, stream};
use meter::{Cost, Mark};
use postgres_es::PostgresEventRepository;
use serde::{Deserialize, Serialize};
use sqlx::PgPool;

/// Events of one stream that is read, as many as tegami reads.
const STREAM: usize = 100;
/// The table of the framework's guide.
const TABLE: &str = "CREATE TABLE events (aggregate_type text NOT NULL, aggregate_id text NOT NULL, \
    sequence bigint CHECK (sequence >= 0) NOT NULL, event_type text NOT NULL, event_version text NOT NULL, \
    payload json NOT NULL, metadata json NOT NULL, PRIMARY KEY (aggregate_type, aggregate_id, sequence))";

type Store = PersistedEventStore<PostgresEventRepository, Order>;

/// What tegami's `OrderPaid` has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct OrderPaid {
    order_id: String,
    currency: String,
    amount_minor: i64,
    items: u32,
}

impl DomainEvent for OrderPaid {
    fn event_type(&self) -> String {
        "bench.orders.v1.OrderPaid".to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}

/// An aggregate without a state, and how many events a command decides on.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Order;

impl Aggregate for Order {
    const TYPE: &'static str = "order";
    type Command = usize;
    type Event = OrderPaid;
    type Error = Infallible;
    type Services = ();

    async fn handle(&mut self, events: usize, (): &(), sink: &EventSink<Self>) -> Result<(), Infallible> {
        for _ in 0..events {
            sink.write(order(), self).await;
        }
        Ok(())
    }

    fn apply(&mut self, _: OrderPaid) {}
}

fn order() -> OrderPaid {
    OrderPaid { order_id: "o-1000001".to_owned(), currency: "EUR".to_owned(), amount_minor: 129_900, items: 3 }
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let schema = format!("peers_{}", std::process::id());
    let owner = PgPool::connect(&env::var("POSTGRES_URL")?).await?;
    sqlx::query(&format!("CREATE SCHEMA {schema}")).execute(&owner).await?;
    // Its statements name no schema.
    let options = owner.connect_options().as_ref().clone().options([("search_path", &*schema)]);
    let pool = PgPool::connect_with(options).await?;
    sqlx::query(TABLE).execute(&pool).await?;
    let cost = match words[..] {
        ["append", count, at_once] => append(&pool, count.parse()?, at_once.parse()?).await,
        ["read", streams] => read(&pool, streams.parse()?).await,
        _ => panic!("no such words: {words:?}"),
    };
    pool.close().await;
    sqlx::query(&format!("DROP SCHEMA {schema} CASCADE")).execute(&owner).await?;
    println!("{}", serde_json::to_string(&cost)?);
    Ok(())
}

fn store(pool: &PgPool) -> Store {
    PersistedEventStore::new_event_store(PostgresEventRepository::new(pool.clone()))
}

/// The first is not counted, as it is not of tegami's.
async fn append(pool: &PgPool, count: usize, at_once: usize) -> Cost {
    let framework = CqrsFramework::new(store(pool), Vec::new(), ());
    let one = async |number: usize| framework.execute(&number.to_string(), 1).await.expect("it is recorded");
    one(0).await;
    let mark = Mark::now();
    let each = stream::iter(1..=count).map(one);
    each.buffer_unordered(at_once).for_each(async |()| {}).await;
    mark.cost(count)
}

async fn read(pool: &PgPool, streams: usize) -> Cost {
    let (framework, store) = (CqrsFramework::new(store(pool), Vec::new(), ()), store(pool));
    for number in 0..streams {
        framework.execute(&number.to_string(), STREAM).await.expect("it is recorded");
    }
    let mark = Mark::now();
    for number in 0..streams {
        let found = store.load_events(&number.to_string()).await.expect("it is read");
        assert_eq!(black_box(found).len(), STREAM);
    }
    mark.cost(streams * STREAM)
}
