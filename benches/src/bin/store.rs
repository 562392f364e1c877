//! One side's events in a database, or its messages through an outbox, in a process of its own. What they cost is printed as
//! a line of JSON.
//!
//! `store append DATABASE SIDE APPENDS AT_ONCE EVENTS`, `store read|find DATABASE SIDE STREAMS`; DATABASE is `sqlite`,
//! `sqlite-process` or `postgres`, SIDE `tegami`, `coded` or `bare`. `store publish|latency DATABASE MESSAGES`; DATABASE may be
//! `none`. `store fill FILE STREAMS` leaves a file of SQLite's with so many streams, for others to read or write.
//! PostgreSQL is at `$POSTGRES_URL`, RabbitMQ at `$AMQP_URL`.

use std::{env, time::Duration};

use serde::Serialize;
use sqlx::{AssertSqlSafe, postgres::PgPool};
use tegami::{
    Event,
    error::BoxError,
    postgres, sqlite,
    store::{Postgres, Sqlite, Store, sqlite::Durability},
    transport::amqp::Amqp,
};
use tegami_benches::{
    broker::{
        latency::{self, Latency, Walk},
        meter::Cost,
        own as direct,
    },
    event::OrderPaid,
    rabbitmq,
    store::{Appends, File, Hand, bare_postgres::Tables, bare_sqlite, own, relay},
};

/// Between two messages: 200 a second, each in a transaction of its own.
const PACE: Duration = Duration::from_millis(5);

/// What is measured of a store.
#[derive(Clone, Copy)]
enum Way {
    Append(Appends),
    Read(usize),
    Find(usize),
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), BoxError> {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["append", database, side, count, at_once, events] => {
            let appends = Appends { count: number(count), at_once: number(at_once), events: number(events) };
            tell(measure(database, side, Way::Append(appends)).await?);
        }
        ["read", database, side, streams] => tell(measure(database, side, Way::Read(number(streams))).await?),
        ["find", database, side, streams] => tell(measure(database, side, Way::Find(number(streams))).await?),
        ["fill", file, streams] => fill(file, number(streams)).await?,
        ["publish", database, messages] => tell(publish(database, number(messages)).await?),
        ["latency", database, messages] => {
            tell(latency(database, Walk { messages: number(messages), pace: PACE }).await?);
        }
        _ => panic!("no such words: {words:?}"),
    }
    Ok(())
}

async fn measure(database: &str, side: &str, way: Way) -> Result<Cost, BoxError> {
    match database {
        "sqlite" => in_file(side, way, Durability::Power).await,
        "sqlite-process" => in_file(side, way, Durability::Process).await,
        "postgres" => in_postgres(side, way).await,
        _ => panic!("no database `{database}`"),
    }
}

async fn in_file(side: &str, way: Way, durability: Durability) -> Result<Cost, BoxError> {
    let file = File::new();
    let store = Store::new(Sqlite::at(file.path()).durability(durability).connect().await?).service("billing");
    filled(&store, way).await;
    let Some(hand) = hand(side) else {
        let cost = by_tegami(&store, way).await;
        store.inner().close().await;
        return Ok(cost);
    };
    if let Way::Append(_) = way {
        store.append(own::orders(0, 1)).await?;
    }
    store.inner().close().await;
    let connection = bare_sqlite::open(file.path(), durability)?;
    Ok(match way {
        Way::Append(appends) => bare_sqlite::append(&connection, &bare_sqlite::template(&connection)?, appends, hand)?,
        Way::Read(streams) => bare_sqlite::read(&connection, streams, hand)?,
        Way::Find(streams) => bare_sqlite::find(&connection, OrderPaid::CONTRACT.name, streams, hand)?,
    })
}

async fn fill(file: &str, streams: usize) -> Result<(), BoxError> {
    let store = Store::new(Sqlite::at(file).connect().await?).service("billing");
    own::fill(&store, streams).await;
    store.inner().close().await;
    Ok(())
}

async fn in_postgres(side: &str, way: Way) -> Result<Cost, BoxError> {
    let schema = format!("bench_{}", std::process::id());
    let pool = PgPool::connect(&env::var("POSTGRES_URL")?).await?;
    let store = Store::new(Postgres::on(pool.clone()).schema(&schema).connect().await?).service("billing");
    filled(&store, way).await;
    let cost = match hand(side) {
        None => by_tegami(&store, way).await,
        Some(hand) => by_hand(&store, Tables::new(pool.clone(), &schema), way, hand).await?,
    };
    store.inner().close().await;
    sqlx::query(AssertSqlSafe(format!("DROP SCHEMA {schema} CASCADE"))).execute(&pool).await?;
    Ok(cost)
}

async fn by_hand(store: &Store, tables: Tables, way: Way, hand: Hand) -> Result<Cost, BoxError> {
    Ok(match way {
        Way::Append(appends) => {
            store.append(own::orders(0, 1)).await?;
            tables.append(&tables.template().await?, appends, hand).await
        }
        Way::Read(streams) => tables.read(streams, hand).await?,
        Way::Find(streams) => tables.find(OrderPaid::CONTRACT.name, streams, hand).await?,
    })
}

/// What is done by hand on this side, if it is not tegami's.
fn hand(side: &str) -> Option<Hand> {
    match side {
        "tegami" => None,
        "bare" => Some(Hand::Bare),
        "coded" => Some(Hand::Coded),
        _ => panic!("no side `{side}`"),
    }
}

/// With what is to be read.
async fn filled(store: &Store, way: Way) {
    if let Way::Read(streams) | Way::Find(streams) = way {
        own::fill(store, streams).await;
    }
}

async fn by_tegami(store: &Store, way: Way) -> Cost {
    match way {
        Way::Append(appends) => own::append(store, appends).await,
        Way::Read(streams) => own::read(store, streams).await,
        Way::Find(streams) => own::find(store, streams).await,
    }
}

async fn publish(database: &str, messages: usize) -> Result<Cost, BoxError> {
    let url = env::var("AMQP_URL")?;
    rabbitmq::declare(&url).await;
    Ok(match database {
        "none" => direct::publish(Amqp::new(&url), messages).await,
        "sqlite" => {
            let file = File::new();
            relay::publish(&url, &sqlite::Database::connect(file.path()).await?, messages).await
        }
        _ => relay::publish(&url, &postgres::Database::connect(env::var("POSTGRES_URL")?).await?, messages).await,
    })
}

async fn latency(database: &str, walk: Walk) -> Result<Latency, BoxError> {
    let url = env::var("AMQP_URL")?;
    rabbitmq::declare(&url).await;
    Ok(match database {
        "none" => latency::own(Amqp::new(&url), walk).await,
        "sqlite" => {
            let file = File::new();
            relay::latency(&url, &sqlite::Database::connect(file.path()).await?, walk).await
        }
        _ => relay::latency(&url, &postgres::Database::connect(env::var("POSTGRES_URL")?).await?, walk).await,
    })
}

fn tell(answer: impl Serialize) {
    println!("{}", serde_json::to_string(&answer).expect("it is plain"));
}

fn number(text: &str) -> usize {
    text.parse().expect("a number")
}
