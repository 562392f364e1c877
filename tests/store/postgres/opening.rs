//! How a database is opened: its tables made, brought up to date, refused.

use sqlx::{AssertSqlSafe, PgConnection, postgres::PgPoolOptions, raw_sql};
use tegami::{
    outbox::{Database as _, Marked, Outbox},
    postgres::Database,
    store::{Append, Position, Postgres, Query, Store, StoreErrorKind},
};
use tegami_test_servers::Postgres as Server;
use tokio::task::JoinSet;

use super::{beside, execute, store_in};
use crate::payments::{amounts, kept_in, mark, paid, payments, stream};

/// The steps that made the tables, each from the version before; `@` is the schema.
const STEPS: [&str; 7] = [
    include_str!("../../../src/store/postgres/schema-1.sql"),
    include_str!("../../../src/store/postgres/schema-2.sql"),
    include_str!("../../../src/store/postgres/schema-3.sql"),
    include_str!("../../../src/store/postgres/schema-4.sql"),
    include_str!("../../../src/store/postgres/schema-5.sql"),
    include_str!("../../../src/store/postgres/schema-6.sql"),
    include_str!("../../../src/store/postgres/schema-7.sql"),
];

async fn refused(url: &str) -> (StoreErrorKind, String) {
    let error = Postgres::at(url).connect().await.expect_err("it cannot be opened");
    (error.kind(), format!("{error:?}"))
}

async fn count(connection: &mut PgConnection, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(connection).await.expect("it is read")
}

/// Many open a database that has no tables yet, each as another process would.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_are_made_once_however_many_open_at_once() {
    let server = Server::take().await;
    let mut opening = JoinSet::new();
    for n in 0..16 {
        let url = server.url();
        opening.spawn(async move {
            let store = Store::new(Postgres::at(url).connections(2).connect().await.expect("it can be opened"));
            store.append(payments(&format!("o-{n}"), 1)).await.expect("it is appended");
            store.inner().close().await;
        });
    }
    opening.join_all().await;
    let mut beside = beside(&server).await;
    let versions = "SELECT version FROM tegami.versions ORDER BY version";
    let versions: Vec<i32> = sqlx::query_scalar(versions).fetch_all(&mut beside).await.expect("it is read");
    assert_eq!(versions, (1..=versions.len() as i32).collect::<Vec<_>>(), "each step once");
    assert_eq!(count(&mut beside, "SELECT count(*) FROM tegami.events").await, 16);
}

#[tokio::test]
async fn k1_tables_of_a_later_release_are_refused_and_left_alone() {
    let server = Server::take().await;
    let store = store_in(&server).await;
    store.append(payments("o-1", 2)).await.expect("it is appended");
    store.inner().close().await;
    let mut beside = beside(&server).await;
    execute(&mut beside, "INSERT INTO tegami.versions VALUES (99)").await;
    let (kind, text) = refused(&server.url()).await;
    assert_eq!(kind, StoreErrorKind::Mismatch);
    assert!(text.contains("version 99") && text.contains("use the later release"), "{text}");
    execute(&mut beside, "DELETE FROM tegami.versions WHERE version = 99").await;
    assert_eq!(amounts(&store_in(&server).await, "o-1").await, [1, 2]);
}

#[tokio::test]
async fn k1_what_cannot_be_opened_is_refused_by_name() {
    let server = Server::take().await;
    execute(&mut beside(&server).await, "CREATE SCHEMA tegami; CREATE TABLE tegami.events (theirs text)").await;
    let (kind, text) = refused(&server.url()).await;
    assert_eq!(kind, StoreErrorKind::Mismatch, "{text}");
    assert!(text.contains("schema `tegami` of database `test`"), "{text}");
    let (kind, text) = refused("postgres://tegami:wr0ng@127.0.0.1:1/test").await;
    assert_eq!(kind, StoreErrorKind::Unreachable, "{text}");
    assert!(text.contains("127.0.0.1:1") && !text.contains("wr0ng"), "{text}");
    let (kind, text) = refused(&server.url().replace("tegami:tegami", "tegami:wr0ng")).await;
    assert_eq!(kind, StoreErrorKind::Unreachable, "{text}");
    assert!(text.contains("lets this role not in") && !text.contains("wr0ng"), "{text}");
    let (kind, text) = refused("no URL").await;
    assert_eq!(kind, StoreErrorKind::Invalid, "{text}");
}

/// A pool of the user's, a schema for each service, and a role that may make no tables.
#[tokio::test]
async fn stores_share_a_database_and_a_role_needs_no_right_to_tables_that_are_there() {
    let server = Server::take().await;
    let pool = PgPoolOptions::new().max_connections(1).connect(&server.url()).await.expect("it can be reached");
    for schema in ["billing", "shipping"] {
        let store = Store::new(Postgres::on(pool.clone()).schema(schema).connect().await.expect("it can be opened"));
        store.append(payments(schema, 2)).await.expect("it is appended");
        let page = store.inner().read_all(&Query::all(), Position::START, 10).await.expect("it is read");
        assert_eq!(page.events.len(), 2, "only its own");
        // One connection is enough, for the listener has one besides.
        store.inner().later_than(Position::START).await.expect("it is there");
        store.inner().close().await;
        let closed = store.append(payments(schema, 1)).await.expect_err("it is closed");
        assert_eq!(closed.kind(), StoreErrorKind::Closed);
    }
    let grants = "CREATE ROLE plain LOGIN PASSWORD 'plain'; GRANT USAGE ON SCHEMA billing TO plain; \
                  GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA billing TO plain";
    sqlx::raw_sql("DROP ROLE IF EXISTS plain").execute(&pool).await.expect("it is done");
    sqlx::raw_sql(grants).execute(&pool).await.expect("the pool is still open");
    let url = server.url().replace("tegami:tegami", "plain:plain");
    let store = Store::new(Postgres::at(&url).schema("billing").connect().await.expect("it can be opened"));
    store.append(payments("billing", 1)).await.expect("it is appended");
    let error = Postgres::at(&url).schema("elsewhere").connect().await.expect_err("it may make no schema");
    assert_eq!(error.kind(), StoreErrorKind::Unreachable, "{error:?}");
    assert!(error.to_string().contains("may not be used by this role"), "{error}");
    store.inner().close().await;
    sqlx::raw_sql("DROP OWNED BY plain; DROP ROLE plain").execute(&pool).await.expect("it is done");
}

/// A server that a dump was restored to counts its transactions from the beginning.
#[tokio::test]
async fn e3_events_from_a_server_that_had_seen_more_transactions_are_read_and_come_first() {
    let server = Server::take().await;
    let store = store_in(&server).await;
    store.append(payments("o-1", 2)).await.expect("it is appended");
    store.inner().close().await;
    execute(&mut beside(&server).await, "UPDATE tegami.events SET epoch = epoch + 1000000000").await;
    execute(&mut beside(&server).await, "UPDATE tegami.tags SET epoch = epoch + 1000000000").await;
    for round in 0..2 {
        let store = store_in(&server).await;
        store.append(Append::to(stream("o-2")).event(&paid("o-2", round)).expect("valid")).await.expect("appended");
        let page = store.inner().read_all(&Query::all(), Position::START, 10).await.expect("it is read");
        let streams: Vec<_> = page.events.iter().map(|event| event.stream.to_string()).collect();
        assert_eq!(streams[..2], ["o-1", "o-1"]);
        assert_eq!(streams.len(), 3 + round as usize);
        store.inner().close().await;
    }
}

/// A schema as an earlier release left it: with the tables of that version, and in them what is in `tegami`.
async fn as_of(version: usize, connection: &mut PgConnection) {
    let mut execute = async |sql: String| {
        raw_sql(AssertSqlSafe(sql)).execute(&mut *connection).await.expect("it is done");
    };
    let begin =
        "DROP SCHEMA IF EXISTS old CASCADE; CREATE SCHEMA old; CREATE TABLE old.versions (version int PRIMARY KEY)";
    execute(begin.to_owned()).await;
    for (number, step) in (1..).zip(&STEPS[..version]) {
        execute(format!("{}; INSERT INTO old.versions VALUES ({number})", step.replace('@', "old"))).await;
    }
    let copy = "DO $$ DECLARE tables record; BEGIN FOR tables IN \
                SELECT table_name AS name, string_agg(quote_ident(column_name), ', ') AS columns \
                FROM information_schema.columns WHERE table_schema = 'old' AND table_name <> 'versions' GROUP BY 1 LOOP \
                EXECUTE format('DELETE FROM old.%I', tables.name); \
                EXECUTE format('INSERT INTO old.%I (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM tegami.%I', \
                               tables.name, tables.columns, tables.columns, tables.name); END LOOP; END $$";
    execute(copy.to_owned()).await;
}

#[tokio::test]
async fn tables_of_each_earlier_version_are_brought_up_to_date_with_what_is_in_them() {
    let server = Server::take().await;
    let today = Database::connect(&server.url()).await.expect("it opens");
    kept_in(&today, &Store::new(today.store())).await;
    let mut beside = beside(&server).await;
    for version in 1..=STEPS.len() {
        as_of(version, &mut beside).await;
        let old = Postgres::at(server.url()).schema("old").connect().await.expect("it opens");
        let (db, store) = (Database::of(&old), Store::new(old));
        store.append(payments("o-1", 1)).await.expect("it is appended");
        assert_eq!(amounts(&store, "o-1").await, [1, 2, 3, 1], "version {version}");
        // The second has outbox and inbox.
        assert_eq!(db.waiting().await.expect("it is read"), u64::from(version > 1), "version {version}");
        let mut tx = db.begin().await.expect("it begins");
        let marked = db.mark(&mut tx, &mark()).await.expect("it is asked");
        assert_eq!(marked == Marked::Known, version > 1, "version {version}");
        drop(tx);
        store.inner().close().await;
    }
    assert_eq!(count(&mut beside, "SELECT max(version)::bigint FROM tegami.versions").await, STEPS.len() as i64);
}
