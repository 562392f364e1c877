//! The settings of a store in PostgreSQL, and the opening of it.

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgSslMode};

use super::{Postgres, fault, schema, session::Session};
use crate::store::{StoreError, StoreErrorKind};

/// The schema that has the tables, unless it is said otherwise.
pub(crate) const SCHEMA: &str = "tegami";
/// The longest name of a schema, so that what is made from it is no longer than PostgreSQL's names may be.
const NAME: usize = 48;

/// Settings of a store in PostgreSQL.
///
/// # Examples
/// ```no_run
/// use std::time::Duration;
/// use tegami::store::Postgres;
///
/// # async fn example(pool: sqlx::PgPool) -> Result<(), tegami::store::StoreError> {
/// let store = Postgres::on(pool).schema("billing_events").lock_wait(Duration::from_secs(2)).connect().await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "it is opened by `connect`"]
pub struct Builder {
    source: Source,
    settings: Settings,
}

enum Source {
    Url(String),
    Pool(PgPool),
}

#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(super) schema: String,
    pub(super) connection_wait: Duration,
    pub(crate) lock_wait: Duration,
    pub(crate) statement_limit: Duration,
    connections: u32,
}

impl Builder {
    pub(super) fn at(url: String) -> Self {
        Self { source: Source::Url(url), settings: Settings::default() }
    }

    pub(super) fn on(pool: PgPool) -> Self {
        Self { source: Source::Pool(pool), settings: Settings::default() }
    }

    /// The schema that has the tables. Services that share none of their events have schemas of their own in one
    /// database. Default: `tegami`.
    pub fn schema(mut self, name: impl Into<String>) -> Self {
        self.settings.schema = name.into();
        self
    }

    /// How long to wait for others that append to the same stream or decide over the same. Default: 5 s.
    pub fn lock_wait(mut self, longest: Duration) -> Self {
        self.settings.lock_wait = longest;
        self
    }

    /// How long one statement may take. Default: 10 s.
    pub fn statement_limit(mut self, longest: Duration) -> Self {
        self.settings.statement_limit = longest;
        self
    }

    /// How long to wait for a connection: a free one, or a new one. Default: 5 s.
    pub fn connection_wait(mut self, longest: Duration) -> Self {
        self.settings.connection_wait = longest;
        self
    }

    /// The most connections to a database that is given by its URL, and not by a pool. Default: 10.
    pub fn connections(mut self, most: u32) -> Self {
        self.settings.connections = most;
        self
    }

    /// Connects, makes the tables where there are none, and brings them up to what this release needs. Many may do so at
    /// once. Where the tables are as they should be, nothing is written and no right to make tables is needed.
    ///
    /// # Errors
    /// `Invalid`: the URL or the schema's name cannot be meant. `Unreachable`: no connection, or no right to what is
    /// needed. `Mismatch`: the server is older than PostgreSQL 13, a later release has changed the tables, or there are
    /// tables of somebody else. `Busy`: no connection is free, or others make the tables for longer than the wait for a
    /// lock.
    pub async fn connect(self) -> Result<Postgres, StoreError> {
        self.settings.check()?;
        let (pool, is_ours) = match self.source {
            Source::Pool(pool) => (pool, false),
            Source::Url(url) => (self.settings.pool(&url)?, true),
        };
        let session = Session::new(pool, &self.settings);
        match schema::prepare(&session).await {
            Ok(()) => Ok(Postgres::new(session, is_ours)),
            Err(error) => {
                if is_ours {
                    session.pool.close().await;
                }
                Err(error)
            }
        }
    }
}

impl Settings {
    /// The statement that a transaction begins with: of this isolation, and at an end once nothing was asked in it for so
    /// long. Who has hung would keep its locks otherwise.
    pub(crate) fn begin(&self, isolation: &str, idle: Duration) -> Arc<str> {
        let milliseconds = |time: Duration| time.as_millis().clamp(1, i32::MAX as u128);
        format!(
            "BEGIN ISOLATION LEVEL {isolation} READ WRITE; SET LOCAL lock_timeout = {}; \
             SET LOCAL statement_timeout = {}; SET LOCAL idle_in_transaction_session_timeout = {}",
            milliseconds(self.lock_wait),
            milliseconds(self.lock_wait + self.statement_limit),
            milliseconds(idle)
        )
        .into()
    }

    fn check(&self) -> Result<(), StoreError> {
        if is_schema(&self.schema) {
            return Ok(());
        }
        let text = format!(
            "schema {:?}: its name is 1 to {NAME} of `a` to `z`, `0` to `9` and `_`, begins with no digit and not with `pg_`",
            self.schema
        );
        Err(StoreError::new(StoreErrorKind::Invalid, text))
    }

    fn pool(&self, url: &str) -> Result<PgPool, StoreError> {
        let options: PgConnectOptions =
            url.parse().map_err(|error| fault::of(error, "the URL of a store in PostgreSQL"))?;
        let options = secured(options);
        let options = match options.get_application_name() {
            None => options.application_name("tegami"),
            Some(_) => options,
        };
        let pool = PgPoolOptions::new().max_connections(self.connections).acquire_timeout(self.connection_wait);
        Ok(pool.connect_lazy_with(options))
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            connection_wait: Duration::from_secs(5),
            lock_wait: Duration::from_secs(5),
            statement_limit: Duration::from_secs(10),
            connections: 10,
        }
    }
}

/// May a schema have this name, which needs no care in SQL then?
pub(crate) fn is_schema(name: &str) -> bool {
    let fits = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
    let begins = name.bytes().next().is_some_and(|first| !first.is_ascii_digit());
    begins && name.len() <= NAME && name.bytes().all(fits) && !name.starts_with("pg_")
}

/// With TLS and its checks where the server is on another machine, unless the URL says what it wants.
fn secured(options: PgConnectOptions) -> PgConnectOptions {
    let host = options.get_host();
    let is_near = host == "localhost"
        || host.starts_with('/')
        || options.get_socket().is_some()
        || host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
    match options.get_ssl_mode() {
        // What sqlx takes where nothing is said: plaintext, if the server wishes so.
        PgSslMode::Prefer if !is_near => options.ssl_mode(PgSslMode::VerifyFull),
        _ => options,
    }
}

/// Without the URL: a password may be in it.
impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("settings", &self.settings).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_schemas_need_no_care_in_sql() {
        let check = |name: &str| Settings { schema: name.to_owned(), ..Settings::default() }.check();
        for name in ["tegami", "_", "a9", &"s".repeat(NAME)] {
            check(name).expect(name);
        }
        for name in ["", "9a", "A", "a\"b", "a b", "é", "pg_x", &"s".repeat(NAME + 1)] {
            let error = check(name).expect_err(name);
            assert_eq!(error.kind(), StoreErrorKind::Invalid);
            assert!(error.to_string().contains("1 to 48"), "{error}");
        }
    }

    #[test]
    fn another_machine_is_spoken_to_by_tls_unless_the_url_says_otherwise() {
        for (url, mode) in [
            ("postgres://db.example/x", "VerifyFull"),
            ("postgres://db.example/x?sslmode=disable", "Disable"),
            ("postgres://db.example/x?sslmode=require", "Require"),
            ("postgres://127.0.0.1/x", "Prefer"),
            ("postgres://localhost/x", "Prefer"),
            ("postgres://localhost/x?sslmode=verify-ca", "VerifyCa"),
        ] {
            let options = secured(url.parse().expect(url));
            assert_eq!(format!("{:?}", options.get_ssl_mode()), mode, "{url}");
        }
    }

    #[test]
    fn a_builder_does_not_show_its_password() {
        let shown = format!("{:?}", Builder::at("postgres://tegami:s3cret@db.example/x".to_owned()));
        assert!(shown.contains("tegami") && !shown.contains("s3cret"), "{shown}");
    }
}
