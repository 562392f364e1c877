//! Appending and reading in a transaction that may be anybody's, on the store's own database.

use sqlx::PgConnection;

use super::{
    Postgres, Session,
    fault::{self, Failed},
    query, write,
};
use crate::store::{Append, Appended, Recorded, StoreError, StoreErrorKind, StreamId, Version};

/// Which database on which server: what was restored from a dump is another, what was restarted is the same.
pub(super) const IDENTITY: &str = "SELECT system_identifier || '/' || oid FROM pg_control_system(), pg_database \
                                   WHERE datname = current_database()";

impl Postgres {
    /// Records events as a part of this transaction.
    pub(crate) async fn append_in(
        &self,
        connection: &mut PgConnection,
        append: &Append,
    ) -> Result<Appended, StoreError> {
        append.check()?;
        self.check_database(connection).await?;
        let appended = write::append(&self.0.session.tables, connection, append).await;
        appended.map_err(|failed| match failed {
            Failed::Refused(error) => error,
            Failed::Sql(error) => self.undone(error),
        })
    }

    /// The events of a stream, as this transaction sees it.
    pub(crate) async fn read_stream_in(
        &self,
        connection: &mut PgConnection,
        place: (&StreamId, Version),
        limit: usize,
    ) -> Result<Vec<Recorded>, StoreError> {
        self.check_database(connection).await?;
        let page = query::of_stream(&self.0.session.tables, connection, place, limit).await;
        page.map_err(|error| self.undone(error))
    }

    /// Others in another database would never see the events, and no table would be missed where both have some.
    async fn check_database(&self, connection: &mut PgConnection) -> Result<(), StoreError> {
        let Session { whose, database, .. } = &self.0.session;
        let found: String =
            sqlx::query_scalar(IDENTITY).fetch_one(connection).await.map_err(|error| self.undone(error))?;
        if database.get().is_none_or(|database| *database == found) {
            return Ok(());
        }
        let text = format!(
            "{whose} records nothing in a transaction on another database: begin it on a connection to the store's own"
        );
        Err(StoreError::new(StoreErrorKind::Invalid, text))
    }

    /// The error after which the transaction can only be undone.
    fn undone(&self, error: sqlx::Error) -> StoreError {
        let whose = &self.0.session.whose;
        let (kind, why) = match fault::code(&error).as_deref() {
            Some("25P02") => (StoreErrorKind::Closed, "is over: a statement in it has failed before"),
            Some("40001" | "40P01" | "23505") => {
                (StoreErrorKind::Busy, "can only be undone: others were faster, or wait for it too, so begin anew")
            }
            _ => return fault::of(error, whose),
        };
        StoreError::new(kind, format!("the transaction on {whose} {why}")).caused_by(error)
    }
}
