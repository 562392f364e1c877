//! A role that may do nothing but what the guide says.

use std::time::{Duration, SystemTime};

use sqlx::{AssertSqlSafe, PgPool, raw_sql};
use tegami::{
    Context, HandlerError, Service,
    error::BoxError,
    postgres::{Database, Tx},
    projection::Projection,
    records::Records,
    schedule::{LeaseStore, Schedule, Tick},
    store::{Append, Criterion, Expected, Position, Snapshot, Store, StoreErrorKind, Stored, StreamId, Version},
    transport::{Memory, Transport},
};
use tegami_test_servers::Postgres as Server;

use crate::{OrderPaid, paid, receipt, subject::until};

/// The queue of what is heard of recorded events.
const HEARD: &str = "billing-heard";
const LONG: Duration = Duration::from_secs(60);

/// What the guide grants: to whoever owns the schema, and to whoever does not.
fn granted() -> [&'static str; 2] {
    let guide = include_str!("../../../docs/store.md");
    let rights = guide.split_once("### Rights").expect("there is such a chapter").1;
    let mut blocks = rights.split("```sql\n").skip(1).map(|block| block.split_once("```").expect("it ends").0);
    std::array::from_fn(|_| blocks.next().expect("there are two"))
}

/// A role that may connect, and has a table of its own; nothing else is open to everybody.
const LEAN: &str = "DROP ROLE IF EXISTS billing; \
    CREATE ROLE billing LOGIN PASSWORD 'tegami' NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT; \
    REVOKE ALL ON DATABASE test FROM PUBLIC; GRANT CONNECT ON DATABASE test TO billing; \
    REVOKE ALL ON SCHEMA public FROM PUBLIC; \
    CREATE SCHEMA app AUTHORIZATION billing; ALTER ROLE billing SET search_path = app; \
    CREATE TABLE app.receipts (order_id text); ALTER TABLE app.receipts OWNER TO billing";

async fn execute(pool: &PgPool, statements: &str) {
    raw_sql(AssertSqlSafe(statements)).execute(pool).await.expect("it is done");
}

async fn opened_by_billing(server: &Server) -> Database {
    let url = server.url().replace("tegami:tegami@", "billing:tegami@");
    Database::connect(url).await.expect("it may")
}

fn stream(order: &str) -> StreamId {
    StreamId::of("order", order).expect("a good name")
}

fn payment(order: &str) -> Append {
    Append::to(stream(order)).event(&paid(order)).expect("it is valid")
}

async fn write(tx: &mut Tx, order: &str) -> Result<(), BoxError> {
    sqlx::query("INSERT INTO receipts VALUES ($1)").bind(order).execute(&mut **tx).await?;
    Ok(())
}

/// A row, an event and two messages, of which one waits, in one commit.
async fn handle(order: OrderPaid, ctx: Context<Store>, tx: &mut Tx) -> Result<(), HandlerError> {
    write(tx, &order.order_id).await.map_err(HandlerError::retry)?;
    ctx.state().in_transaction(tx).append(payment(&order.order_id)).await?;
    let mut publisher = ctx.in_transaction(tx);
    publisher.publish(&receipt(&*order.order_id)).await?;
    publisher.publish_with(&receipt(order.order_id), |options| options.delay(Duration::from_millis(20))).await?;
    Ok(())
}

async fn project(paid: Stored<OrderPaid>, tx: &mut Tx) -> Result<(), BoxError> {
    write(tx, &format!("projected {}", paid.event.order_id)).await
}

/// A row for each event that is recorded, but for one that is given up on.
async fn hear(order: OrderPaid, _: Context<Store>, tx: &mut Tx) -> Result<(), HandlerError> {
    if order.order_id == "o-4" {
        return Err(HandlerError::reject("it is never heard"));
    }
    write(tx, &format!("heard {}", order.order_id)).await.map_err(HandlerError::retry)
}

async fn tick(_: Tick<Store>) -> Result<(), HandlerError> {
    Ok(())
}

/// Everything that a store is asked.
async fn records(store: &Store) {
    let first = store.append(payment("o-1").expecting(Expected::None)).await.expect("it may");
    let of_order = Criterion::of::<OrderPaid>().tagged("order_id", "o-1");
    let undecided = payment("o-2").unless(of_order.clone(), Position::START);
    let conflict = store.append(undecided).await.expect_err("there is one").kind();
    assert!(matches!(conflict, StoreErrorKind::Conflict(_)), "{conflict:?}");
    store.append(payment("o-2").unless(of_order, first.position)).await.expect("it may");
    for version in [1, 2] {
        let snapshot = Snapshot::new(stream("o-1"), "state", Version::new(version), vec![7]);
        store.inner().keep_snapshot(snapshot).await.expect("it may");
    }
    let kept = store.inner().snapshot(&stream("o-1"), "state").await.expect("it may");
    assert_eq!(kept.expect("it is there").version, Version::new(2));
    assert_eq!(store.read::<OrderPaid>(&stream("o-1"), Version::START).await.expect("it may").len(), 1);
    let mut events = store.follow::<OrderPaid>(Criterion::of::<OrderPaid>(), first.position);
    assert_eq!(events.next().await.expect("it may").events.len(), 1);
    let (found, appended) = tokio::join!(events.next(), store.append(payment("o-1")));
    appended.expect("it may");
    assert_eq!(found.expect("it is told").events.len(), 1);
}

/// Everything that becomes of a dead letter of recorded events.
async fn gives_up(records: &Records<Database>, store: &Store) {
    store.append(payment("o-4")).await.expect("it may");
    let dead = async || records.dead_letters(HEARD, 9).await.expect("it may").len();
    until(async || dead().await == 1).await;
    assert_eq!(records.redrive(HEARD).await.expect("it may"), 1);
    until(async || dead().await == 1).await;
}

/// Everything that a service asks of its database.
async fn serves(db: &Database, store: &Store, pool: &PgPool) {
    let projection = Projection::new("receipts", 1).on::<OrderPaid>(project);
    let progress = projection.progress(db, store);
    let service = Service::new("billing").state(store.clone()).transport(Memory::new()).outbox(db).leases(db);
    let service = service.allow_unroutable::<crate::ReceiptSent>().transactional(db).on::<OrderPaid>(handle);
    let service = service.schedule_with(Schedule::every(Duration::from_millis(50)), tick, |s| s.name("report"));
    let records = Records::new(db, store).poll(Duration::from_millis(20));
    let service = service.attach("records", records.clone());
    let service = service.transactional(db).on_with::<OrderPaid>(hear, |s| s.via("records").group("heard"));
    let running = service.projection(db, store, projection).start().await.expect("it starts");
    running.publisher().publish(&paid("o-3")).await.expect("it is published");
    let written = async || -> i64 {
        let count = "SELECT count(*) FROM app.receipts WHERE order_id LIKE '%o-3'";
        sqlx::query_scalar(count).fetch_one(pool).await.expect("it is read")
    };
    until(async || written().await == 3).await;
    gives_up(&records, store).await;
    progress.until_caught_up(LONG).await.expect("it gets there");
    until(async || running.unpublished().await.expect("it may") == 0).await;
    until(async || running.schedules()[0].runs.iter().any(|run| run.outcome.is_some())).await;
    running.stop().await.expect("it stops");
    assert!(records.remove(HEARD).await.expect("it may"));
    let known = LeaseStore::begin(db, "billing/report", SystemTime::UNIX_EPOCH).await.expect("it may");
    assert!(known.latest > SystemTime::UNIX_EPOCH);
    assert!(db.forget_schedule("billing/report").await.expect("it may"));
    assert!(db.parked(10).await.expect("it may").is_empty());
}

/// Two roles, as the guide has them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_needs_no_more_rights_than_the_guide_grants() {
    for (owns, grants) in [true, false].into_iter().zip(granted()) {
        let server = Server::take().await;
        let pool = PgPool::connect(&server.url()).await.expect("it can be reached");
        execute(&pool, LEAN).await;
        if !owns {
            Database::connect(server.url()).await.expect("it can be opened").close().await;
        }
        execute(&pool, grants).await;
        let db = opened_by_billing(&server).await;
        let store = Store::new(db.store());
        records(&store).await;
        serves(&db, &store, &pool).await;
        db.close().await;
    }
}
