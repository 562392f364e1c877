//! What is written, inside a transaction that may be anybody's.

use std::borrow::Cow;

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
    let rows = query::events(&rows)?;
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
        for (name, value) in entry.marks() {
            tagged.push(version);
            names.push(tag(name));
            values.push(match value {
                Cow::Borrowed(value) => tag(value),
                Cow::Owned(value) => tag(&value).into_owned().into(),
            });
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

#[cfg(test)]
mod tests {
    use sqlx::{Connection, postgres::PgPool};
    use tegami_test_servers::Postgres as Server;

    use super::*;
    use crate::{
        envelope::MessageId,
        store::{Criterion, EventStore, Expected, Position, Postgres, Query, StreamId},
        testing::transport::LetterPosted,
    };

    /// A letter with its id and time, as `Store` gives them.
    fn letter(stream: &str, id: &str) -> Append {
        let letter = LetterPosted::builder().r#box(stream).number(1).text(id).build();
        let mut append = Append::to(StreamId::new(stream).expect("a good name")).event(&letter).expect("it is valid");
        let head = &mut append.entries[0].message.head;
        (head.id, head.time) = (MessageId::parse(id), Some(std::time::SystemTime::UNIX_EPOCH));
        append
    }

    async fn opened(server: &Server) -> (Postgres, PgConnection) {
        let pool = PgPool::connect(&server.url()).await.expect("it can be reached");
        let store = Postgres::on(pool).connect().await.expect("it can be opened");
        let connection = PgConnection::connect(&server.url()).await.expect("it can be reached");
        (store, connection)
    }

    async fn ids(store: &Postgres) -> Vec<String> {
        let page = store.read_all(&Query::all(), Position::START, 100).await.expect("it is read");
        let id = |recorded: crate::store::Recorded| recorded.entry.message.head.id.map(|id| id.to_string());
        page.events.into_iter().filter_map(id).collect()
    }

    fn refused(result: Result<Appended, Failed>) -> StoreErrorKind {
        match result {
            Err(Failed::Refused(error)) => error.kind(),
            Err(Failed::Sql(error)) => panic!("PostgreSQL has refused it: {error}"),
            Ok(appended) => panic!("it was recorded at {appended:?}"),
        }
    }

    /// E3: a transaction that is older than the stream's last event puts its own behind that all the same.
    #[tokio::test]
    async fn e3_a_stream_is_in_order_whichever_transaction_is_older() {
        let server = Server::take().await;
        let (store, mut connection) = opened(&server).await;
        let tables = Tables::of("tegami");
        let mut older = connection.begin().await.expect("it begins");
        sqlx::query("SELECT pg_current_xact_id()").execute(&mut *older).await.expect("it has a number now");
        let first = store.append(letter("box", "first")).await.expect("it waits for nobody");
        let second = append(&tables, &mut older, &letter("box", "second")).await.unwrap_or_else(|_| panic!("appended"));
        assert!(first.position < second.position, "{first:?} {second:?}");
        assert_eq!(ids(&store).await, [""; 0], "while it is open, nobody reads");
        older.commit().await.expect("it is committed");
        assert_eq!(ids(&store).await, ["first", "second"]);
    }

    /// What is appended goes with its transaction, and a refusal leaves that as it was.
    #[tokio::test]
    async fn an_append_belongs_to_its_transaction() {
        let server = Server::take().await;
        let (store, mut connection) = opened(&server).await;
        let tables = Tables::of("tegami");
        for (id, commits) in [("undone", false), ("done", true)] {
            let mut transaction = connection.begin().await.expect("it begins");
            let appended = append(&tables, &mut transaction, &letter("box", id)).await;
            assert_eq!(appended.unwrap_or_else(|_| panic!("appended")).version, Version::new(1));
            let expecting = letter("box", "late").expecting(Expected::None);
            assert!(refused(append(&tables, &mut transaction, &expecting).await).is_conflict());
            let elsewhere = refused(append(&tables, &mut transaction, &letter("other", id)).await);
            assert_eq!(elsewhere, StoreErrorKind::Duplicate);
            match commits {
                true => transaction.commit().await.expect("it is committed"),
                false => transaction.rollback().await.expect("it is undone"),
            }
        }
        assert_eq!(ids(&store).await, ["done"]);
    }

    /// A plan outlives the few events that it was made for.
    #[tokio::test]
    async fn ids_are_looked_for_by_their_index_while_there_are_few_events() {
        let server = Server::take().await;
        let (store, mut connection) = opened(&server).await;
        let explain = AssertSqlSafe(format!("EXPLAIN {}", Tables::of("tegami").state));
        let ids: Vec<String> = (0..100).map(|id| id.to_string()).collect();
        let explain = sqlx::query_scalar(explain).bind("box").bind(ids);
        let plan: Vec<String> = explain.fetch_all(&mut connection).await.expect("it is planned");
        assert!(!plan.iter().any(|line| line.contains("Seq Scan")), "{}", plan.join("\n"));
        store.close().await;
    }

    /// Waits until somebody waits for a lock of an append.
    async fn somebody_waits(server: &Server) {
        let mut beside = PgConnection::connect(&server.url()).await.expect("it can be reached");
        let waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
        let mut count = 0_i64;
        while count == 0 {
            count = sqlx::query_scalar(waiting).fetch_one(&mut beside).await.expect("it is told");
        }
    }

    /// What is recorded and not committed yet is waited for, and refuses the decision once it is.
    #[tokio::test]
    async fn a_decision_waits_for_what_it_could_be_about() {
        let server = Server::take().await;
        let (store, mut connection) = opened(&server).await;
        let tables = Tables::of("tegami");
        let posted = Criterion::of::<LetterPosted>;
        let about =
            |query: Query, n: usize| letter(&format!("decided-{n}"), &format!("d-{n}")).unless(query, Position::START);
        for (n, query) in
            [Query::all(), posted().into(), posted().tagged("box", "box-2").into()].into_iter().enumerate()
        {
            let (name, mut transaction) = (format!("box-{n}"), connection.begin().await.expect("it begins"));
            sqlx::query("DELETE FROM tegami.events").execute(&mut *transaction).await.expect("none is there");
            transaction.commit().await.expect("it is committed");
            let mut transaction = connection.begin().await.expect("it begins");
            let recorded = append(&tables, &mut transaction, &letter(&name, &name)).await;
            let recorded = recorded.unwrap_or_else(|_| panic!("appended"));
            let mut decided = Box::pin(store.append(about(query.clone(), n)));
            tokio::select! {
                biased;
                early = &mut decided => panic!("{query:?} did not wait: {early:?}"),
                () = somebody_waits(&server) => {}
            }
            transaction.commit().await.expect("it is committed");
            let refused = decided.await.expect_err("it did not know of that letter");
            assert_eq!(refused.kind(), StoreErrorKind::Conflict(Conflict::Query { found: recorded.position }));
        }
    }

    /// A transaction that sees only what was there when it began cannot compare.
    #[tokio::test]
    async fn a_condition_is_refused_where_it_could_not_be_compared() {
        let server = Server::take().await;
        let (_store, mut connection) = opened(&server).await;
        let tables = Tables::of("tegami");
        for isolation in ["BEGIN ISOLATION LEVEL REPEATABLE READ", "BEGIN ISOLATION LEVEL SERIALIZABLE"] {
            let mut transaction = connection.begin_with(isolation).await.expect("it begins");
            let decided = letter("box", "decided").unless(Query::all(), Position::START);
            assert_eq!(refused(append(&tables, &mut transaction, &decided).await), StoreErrorKind::Invalid);
            let plain = append(&tables, &mut transaction, &letter("box", "plain")).await;
            assert_eq!(plain.unwrap_or_else(|_| panic!("appended")).version, Version::new(1));
        }
    }
}
