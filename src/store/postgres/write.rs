//! What is written, inside a transaction that may be anybody's.

use sqlx::{AssertSqlSafe, PgConnection, Row as _};

use super::{
    fault::Failed,
    locks::Locks,
    query,
    row::{self, number},
    tables::{Tables, tag},
};
use crate::store::{
    Append, Appended, Conflict, StoreError, StoreErrorKind, Unless, Version,
    append::{again, conflict},
    sql::row::{beside, nanoseconds},
};

/// Where a stream is, as the transaction sees it.
struct State {
    isolation: String,
    version: Version,
    /// The epoch of the stream's last event.
    epoch: i64,
    is_known: bool,
}

/// Records the events of an append that was [checked](Append::check), if they may be; that counts once the transaction is
/// committed. Others wait until it ends: for the stream, and where they decide over the same.
///
/// After an error of PostgreSQL the transaction can only be rolled back; one that was refused leaves it as it was.
pub(super) async fn append(
    tables: &Tables,
    connection: &mut PgConnection,
    append: &Append,
) -> Result<Appended, Failed> {
    Locks::of(&tables.schema, append).take(connection).await?;
    let state = state(tables, connection, append).await?;
    if state.is_known
        && let Some(before) = recorded(tables, connection, append).await?
    {
        return Ok(before);
    }
    let found = state.version;
    if !append.expected.holds(found) {
        return Err(conflict(&append.stream, Conflict::Version { expected: append.expected, found }).into());
    }
    if let Some(unless) = &append.unless {
        compare(tables, connection, append, unless, &state).await?;
    }
    Ok(insert(tables, connection, append, &state).await?)
}

async fn state(tables: &Tables, connection: &mut PgConnection, append: &Append) -> sqlx::Result<State> {
    let query = sqlx::query(AssertSqlSafe(tables.state.clone())).bind(append.stream.as_str()).bind(ids(append));
    let row = query.fetch_one(connection).await?;
    let version: i64 = row.try_get(1)?;
    Ok(State {
        isolation: row.try_get(0)?,
        version: Version::new(version.unsigned_abs()),
        epoch: row.try_get(2)?,
        is_known: row.try_get(3)?,
    })
}

/// Where the events are, if they are all recorded already.
async fn recorded(tables: &Tables, connection: &mut PgConnection, append: &Append) -> Result<Option<Appended>, Failed> {
    let ids = ids(append);
    let rows = sqlx::query(AssertSqlSafe(tables.of_ids.clone())).bind(&ids).fetch_all(connection).await?;
    let rows = rows.iter().map(row::read).collect::<sqlx::Result<Vec<_>>>()?;
    let of_id =
        |id: &&str| rows.iter().find(|row| row.entry.message.head.id.as_ref().is_some_and(|has| has.as_str() == *id));
    Ok(again(append, &ids.iter().map(of_id).collect::<Vec<_>>())?)
}

/// Looks for what a decision did not know.
async fn compare(
    tables: &Tables,
    connection: &mut PgConnection,
    append: &Append,
    unless: &Unless,
    state: &State,
) -> Result<(), Failed> {
    // Any other sees what was committed when it began, and not what was while it waited.
    if state.isolation != "read committed" {
        let text = format!(
            "the append to stream `{}` has a condition: that needs a transaction of isolation `read committed`, not `{}`",
            append.stream, state.isolation
        );
        return Err(StoreError::new(StoreErrorKind::Invalid, text).into());
    }
    match query::first(tables, connection, unless).await? {
        None => Ok(()),
        Some(found) => Err(conflict(&append.stream, Conflict::Query { found }).into()),
    }
}

fn ids(append: &Append) -> Vec<&str> {
    append.entries.iter().filter_map(|entry| entry.message.head.id.as_ref()).map(|id| id.as_str()).collect()
}

async fn insert(
    tables: &Tables,
    connection: &mut PgConnection,
    append: &Append,
    state: &State,
) -> sqlx::Result<Appended> {
    let versions = || (state.version.number() + 1..).map(number);
    let entries = &append.entries;
    let (mut tagged, mut names, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for (entry, version) in entries.iter().zip(versions()) {
        for found in entry.tags() {
            tagged.push(version);
            names.push(tag(found.name()));
            values.push(tag(found.value()));
        }
    }
    let query = sqlx::query(AssertSqlSafe(tables.insert.clone()))
        .bind(state.epoch)
        .bind(append.stream.as_str())
        .bind(versions().take(entries.len()).collect::<Vec<_>>())
        .bind(ids(append))
        .bind(entries.iter().map(|entry| entry.name()).collect::<Vec<_>>())
        .bind(entries.iter().map(|entry| i64::from(entry.contract_version)).collect::<Vec<_>>())
        .bind(entries.iter().filter_map(|entry| entry.message.head.time.map(nanoseconds)).collect::<Vec<_>>())
        .bind(entries.iter().map(|entry| entry.message.content.encoding.name()).collect::<Vec<_>>())
        .bind(entries.iter().map(|entry| &entry.message.content.bytes[..]).collect::<Vec<_>>())
        .bind(entries.iter().map(beside).collect::<Vec<_>>())
        .bind(tagged)
        .bind(names)
        .bind(values)
        .bind(&tables.channel);
    let last = query.fetch_one(connection).await?;
    Ok(Appended::new(row::place(&last)?, state.version.later(entries.len() as u64)))
}
