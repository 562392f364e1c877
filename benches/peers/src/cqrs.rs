//! cqrs-es on PostgreSQL.
//!
//! An append is a command of a new aggregate that decides on one event: the framework reads the aggregate's events, of which
//! there are none, and records it; so it refuses, as tegami does that is told to expect a new stream. A read has the events
//! of an aggregate, decoded.

use std::{convert::Infallible, env, hint::black_box};

use cqrs_es::{Aggregate, CqrsFramework, DomainEvent, EventStore, event_sink::EventSink, persist::PersistedEventStore};
use futures_util::{StreamExt, stream};
use postgres_es::PostgresEventRepository;
use serde::{Deserialize, Serialize};
use sqlx::PgPool;

use crate::{
    BoxError, PASSES, STREAM, Way,
    meter::{Cost, Mark},
};

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

/// What this costs.
///
/// # Errors
/// PostgreSQL says so.
pub async fn measured(way: Way) -> Result<Cost, BoxError> {
    let schema = format!("peers_{}", std::process::id());
    let owner = PgPool::connect(&env::var("POSTGRES_URL")?).await?;
    sqlx::query(&format!("CREATE SCHEMA {schema}")).execute(&owner).await?;
    // Its statements name no schema.
    let options = owner.connect_options().as_ref().clone().options([("search_path", &*schema)]);
    let pool = PgPool::connect_with(options).await?;
    sqlx::query(TABLE).execute(&pool).await?;
    let cost = match way {
        Way::Append { count, at_once, .. } => append(&pool, count, at_once).await,
        Way::Read { streams } => read(&pool, streams).await,
        Way::Find { .. } => return Err("cqrs-es finds nothing by its type".into()),
    };
    pool.close().await;
    sqlx::query(&format!("DROP SCHEMA {schema} CASCADE")).execute(&owner).await?;
    Ok(cost)
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
    for number in (0..PASSES).flat_map(|_| 0..streams) {
        let found = store.load_events(&number.to_string()).await.expect("it is read");
        assert_eq!(black_box(found).len(), STREAM);
    }
    mark.cost(PASSES * streams * STREAM)
}
