//! The tables, and the way from those of earlier releases to those of this one.

use sqlx::{AssertSqlSafe, PgConnection};

use super::{fault::Failed, locks, session::Session, within};
use crate::store::{StoreError, StoreErrorKind};

/// The steps, each from the version that is its place in the list. They are added to and never changed.
const STEPS: &[&str] = &[
    include_str!("schema-1.sql"),
    include_str!("schema-2.sql"),
    include_str!("schema-3.sql"),
    include_str!("schema-4.sql"),
    include_str!("schema-5.sql"),
    include_str!("schema-6.sql"),
    include_str!("schema-7.sql"),
];
/// The first release of PostgreSQL that tells which transactions are open, as its setting has it.
const SERVER: i32 = 130_000;

/// Brings the tables up to the version that this release needs. Others may do so at the same time.
pub(super) async fn prepare(session: &Session) -> Result<(), StoreError> {
    session.again(|| prepare_once(session)).await
}

async fn prepare_once(session: &Session) -> Result<(), Failed> {
    let mut transaction = session.begin().await?;
    check_server(session, &mut transaction).await?;
    let schema = &session.tables.schema;
    let mut found = version(schema, &mut transaction).await?;
    if found < Some(STEPS.len()) {
        let lock = locks::number(schema, &["schema"]);
        sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(lock).execute(&mut *transaction).await?;
        found = Some(migrate(schema, &mut transaction).await?);
    }
    let found = found.unwrap_or_default();
    if found > STEPS.len() {
        return Err(newer(session, found).into());
    }
    move_epochs(session, &mut transaction).await?;
    let database = sqlx::query_scalar(within::IDENTITY).fetch_one(&mut *transaction).await?;
    session.database.get_or_init(|| database);
    Ok(transaction.commit().await?)
}

fn newer(session: &Session, found: usize) -> StoreError {
    let text = format!(
        "{} has tables of version {found}, this release knows version {} and earlier: use the later release",
        session.whose,
        STEPS.len()
    );
    StoreError::new(StoreErrorKind::Mismatch, text)
}

async fn check_server(session: &Session, connection: &mut PgConnection) -> Result<(), Failed> {
    let sql = "SELECT current_setting('server_version_num')::int, current_setting('server_version')";
    let (number, shown): (i32, String) = sqlx::query_as(sql).fetch_one(connection).await?;
    if number >= SERVER {
        return Ok(());
    }
    let text = format!("{} is in PostgreSQL {shown}: it needs PostgreSQL {} or later", session.whose, SERVER / 10_000);
    Err(StoreError::new(StoreErrorKind::Mismatch, text).into())
}

/// The version of the tables; none where there are none.
async fn version(schema: &str, connection: &mut PgConnection) -> sqlx::Result<Option<usize>> {
    // From the catalogue's tables, for what `to_regclass` remembers may be older than a lock that was waited for.
    let sql = "SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = $1 AND tablename = 'versions')";
    if !sqlx::query_scalar(sql).bind(schema).fetch_one(&mut *connection).await? {
        return Ok(None);
    }
    let sql = format!("SELECT coalesce(max(version), 0) FROM \"{schema}\".versions");
    let version: i32 = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(connection).await?;
    Ok(Some(usize::try_from(version).unwrap_or_default()))
}

/// The version of the tables as it is then. Those of a later release stay as they are.
async fn migrate(schema: &str, connection: &mut PgConnection) -> sqlx::Result<usize> {
    let found = version(schema, connection).await?;
    if found.is_none() {
        found_schema(schema, connection).await?;
    }
    let found = found.unwrap_or_default();
    for (version, step) in (1..).zip(STEPS).skip(found) {
        sqlx::raw_sql(AssertSqlSafe(step.replace('@', &format!("\"{schema}\"")))).execute(&mut *connection).await?;
        let sql = format!("INSERT INTO \"{schema}\".versions (version) VALUES ($1)");
        sqlx::query::<sqlx::Postgres>(AssertSqlSafe(sql)).bind(version).execute(&mut *connection).await?;
    }
    Ok(found.max(STEPS.len()))
}

async fn found_schema(schema: &str, connection: &mut PgConnection) -> sqlx::Result<()> {
    let sql = "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)";
    // Whoever may not make schemas may be given one.
    if !sqlx::query_scalar(sql).bind(schema).fetch_one(&mut *connection).await? {
        sqlx::raw_sql(AssertSqlSafe(format!("CREATE SCHEMA \"{schema}\""))).execute(&mut *connection).await?;
    }
    let sql = format!("CREATE TABLE \"{schema}\".versions (version integer PRIMARY KEY)");
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.map(drop)
}

/// Has the epochs go on behind the last event, where the tables were brought to a server whose count of transactions is
/// not that far: there nothing could be read, and new events would come before old ones.
async fn move_epochs(session: &Session, connection: &mut PgConnection) -> sqlx::Result<()> {
    let schema = &session.tables.schema;
    let behind = format!(
        "SELECT (SELECT coalesce(max(epoch), 0) FROM \"{schema}\".events) \
         - pg_snapshot_xmax(pg_current_snapshot())::text::bigint - shift + 1 FROM \"{schema}\".epochs"
    );
    let by: i64 = sqlx::query_scalar(AssertSqlSafe(behind.clone())).fetch_one(&mut *connection).await?;
    if by <= 0 {
        return Ok(());
    }
    let lock = locks::number(schema, &["schema"]);
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(lock).execute(&mut *connection).await?;
    let update = format!("UPDATE \"{schema}\".epochs SET shift = shift + greatest(0, ({behind}))");
    sqlx::raw_sql(AssertSqlSafe(update)).execute(connection).await.map(drop)
}
