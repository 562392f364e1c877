//! What is read.

use sqlx::{
    AssertSqlSafe, PgConnection, Postgres, Row as _,
    postgres::{PgArguments, PgExecutor, PgPool, PgRow},
    query::Query as Statement,
};

use super::{
    row::{self, FOUND, columns, number},
    tables::{BETWEEN, Tables, UNKNOWN, page},
};
use crate::store::{
    Page, Position, Query, Recorded, Snapshot, StreamId, Unless, Version,
    sql::{names::Names, query::Asked},
};

/// Events of a stream after a version.
pub(super) async fn of_stream(
    tables: &Tables,
    executor: impl PgExecutor<'_>,
    place: (&StreamId, Version),
    limit: usize,
) -> sqlx::Result<Vec<Recorded>> {
    let (stream, after) = place;
    let statement = sqlx::query(AssertSqlSafe(tables.of_stream.clone())).bind(stream.as_str());
    events(&statement.bind(number(after.number())).bind(number(limit as u64)).fetch_all(executor).await?)
}

/// Events that match after a position, and up to where was looked: there nothing appears any more.
pub(super) async fn of_query(
    tables: &Tables,
    pool: &PgPool,
    query: &Query,
    (after, limit): (Position, usize),
) -> sqlx::Result<Page> {
    let end = end(tables, pool).await?;
    if end <= after {
        return Ok(Page::new(Vec::new(), after));
    }
    let mut asked = Asked::new(&tables.dialect, &BETWEEN);
    let sql = page(&asked.events(&columns(), query), "epoch, number");
    let statement = later(sql, after, limit).bind(number(end.epoch())).bind(number(end.number()));
    let rows = with(statement, &asked.texts).fetch_all(pool).await?;
    let found: i64 = rows.first().map_or(Ok(0), |row| row.try_get(FOUND))?;
    let is_whole = rows.len() < limit && rows.len() as i64 == found;
    let events = events(&rows)?;
    let next = events.last().filter(|_| !is_whole).map_or(end, |last| last.position);
    Ok(Page::new(events, next))
}

/// How many events match after a position; `most`, if there are more.
pub(super) async fn count(
    tables: &Tables,
    pool: &PgPool,
    query: &Query,
    (after, most): (Position, u64),
) -> sqlx::Result<u64> {
    let end = end(tables, pool).await?;
    let mut asked = Asked::new(&tables.dialect, &BETWEEN);
    let sql = format!("SELECT count(*) FROM ({}) counted", asked.places(query));
    let limit = usize::try_from(most).unwrap_or(usize::MAX);
    let statement = later(sql, after, limit).bind(number(end.epoch())).bind(number(end.number()));
    let found: i64 = with(statement, &asked.texts).fetch_one(pool).await?.try_get(0)?;
    Ok(found.unsigned_abs())
}

/// Events that match after a position, also where others may still appear before them.
pub(super) async fn ahead(
    tables: &Tables,
    pool: &PgPool,
    query: &Query,
    (after, limit): (Position, usize),
) -> sqlx::Result<Vec<Recorded>> {
    let mut asked = Asked::new(&tables.dialect, &UNKNOWN);
    let sql = asked.events(&columns(), query);
    events(&with(later(sql, after, limit).bind(Vec::<i64>::new()), &asked.texts).fetch_all(pool).await?)
}

/// Where the first event is that an append must not find.
pub(super) async fn first(
    tables: &Tables,
    connection: &mut PgConnection,
    Unless { query, after, known }: &Unless,
) -> sqlx::Result<Option<Position>> {
    let mut asked = Asked::new(&tables.dialect, &UNKNOWN);
    let sql = asked.places(query);
    let known: Vec<i64> = known.iter().map(|position| number(position.number())).collect();
    let found = with(later(sql, *after, 1).bind(known), &asked.texts).fetch_optional(connection).await?;
    found.as_ref().map(row::place).transpose()
}

/// The position of the last event before which none can appear any more.
async fn end(tables: &Tables, pool: &PgPool) -> sqlx::Result<Position> {
    let found = sqlx::query(AssertSqlSafe(tables.end.clone())).fetch_optional(pool).await?;
    found.as_ref().map_or(Ok(Position::START), row::place)
}

/// What there is after a position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Later {
    /// An event that can be read.
    Readable,
    /// Events that cannot be read yet.
    Waiting,
    Nothing,
}

pub(super) async fn later_than(tables: &Tables, pool: &PgPool, position: Position) -> sqlx::Result<Later> {
    let statement = sqlx::query(AssertSqlSafe(tables.later.clone())).bind(number(position.epoch()));
    let row = statement.bind(number(position.number())).fetch_one(pool).await?;
    Ok(match (row.try_get(0)?, row.try_get(1)?) {
        (true, _) => Later::Readable,
        (false, true) => Later::Waiting,
        (false, false) => Later::Nothing,
    })
}

/// A stream's snapshot.
pub(super) async fn snapshot(
    tables: &Tables,
    pool: &PgPool,
    stream: &StreamId,
    state: &str,
) -> sqlx::Result<Option<Snapshot>> {
    let statement = sqlx::query(AssertSqlSafe(tables.snapshot.clone())).bind(stream.as_str()).bind(state);
    let Some(row) = statement.fetch_optional(pool).await? else { return Ok(None) };
    let (version, bytes): (i64, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
    Ok(Some(Snapshot::new(stream.clone(), state, Version::new(version.unsigned_abs()), bytes)))
}

/// Keeps a snapshot, unless a later one is there.
pub(super) async fn keep_snapshot(tables: &Tables, pool: &PgPool, snapshot: &Snapshot) -> sqlx::Result<()> {
    let statement = sqlx::query(AssertSqlSafe(tables.keep_snapshot.clone())).bind(snapshot.stream.as_str());
    let statement = statement.bind(&snapshot.state).bind(number(snapshot.version.number())).bind(&snapshot.bytes[..]);
    statement.execute(pool).await.map(drop)
}

type Bound<'a> = Statement<'a, Postgres, PgArguments>;

/// The statement, with the values that all conditions begin with.
fn later<'a>(sql: String, after: Position, limit: usize) -> Bound<'a> {
    let statement = sqlx::query(AssertSqlSafe(sql)).bind(number(after.epoch())).bind(number(after.number()));
    statement.bind(number(limit as u64))
}

fn with<'a>(statement: Bound<'a>, texts: &'a [String]) -> Bound<'a> {
    texts.iter().fold(statement, |statement, text| statement.bind(text.as_str()))
}

/// The events of these rows.
pub(super) fn events(rows: &[PgRow]) -> sqlx::Result<Vec<Recorded>> {
    let mut names = Names::default();
    rows.iter().map(|row| row::read(row, &mut names)).collect()
}
