//! A file of keys, of its own: backups of the events must not bring back what was forgotten.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use rusqlite::{Connection, ErrorCode, OptionalExtension, TransactionBehavior};

use super::{
    builder::{Settings, ended},
    fault,
};
use crate::{
    lifecycle,
    store::{DataKey, Kept, KeyId, Keys, MasterKey, StoreError, StoreErrorKind},
};

/// The tables, if they are not there.
const TABLES: &str = include_str!("keys-1.sql");
/// The version of the tables, in SQLite's own place for it.
const VERSION: i64 = 1;

/// Keeps the keys of subjects in one SQLite file, each wrapped by a master key. Several processes of one machine may share
/// it. Clones share the connection.
///
/// What is forgotten is overwritten in the file, and in no journal once `forget` has answered. What the disk below keeps of
/// overwritten blocks, and every backup of this file, is not its business: keep backups of it for as long as the law allows,
/// and apart from those of the events.
///
/// # Examples
/// ```
/// use tegami::{Secret, store::{Keys, MasterKey, SqliteKeys}};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tegami::store::StoreError> {
/// # let path = std::env::temp_dir().join(format!("tegami-keys-{}.db", std::process::id()));
/// # let setting = Secret::new("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
/// let keys = SqliteKeys::connect(&path, MasterKey::parse(&setting)?).await?;
/// assert_eq!(keys.current("c-1").await?, keys.current("c-1").await?);
/// # drop(keys);
/// # std::fs::remove_file(path).unwrap();
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SqliteKeys(Arc<Shared>);

struct Shared {
    path: PathBuf,
    master: MasterKey,
    connection: Mutex<Connection>,
}

/// A key as it stands in its row.
struct Row {
    id: KeyId,
    master: Option<Vec<u8>>,
    wrapped: Option<Vec<u8>>,
}

impl SqliteKeys {
    /// Opens the file, and makes it if it is not there.
    ///
    /// # Errors
    /// `Unreachable`: the file cannot be opened or made. `Mismatch`: it is no SQLite file, a later release has changed it, or
    /// another master key has wrapped what is in it. `Busy`, `Full`, `Damaged`: as of the store.
    pub async fn connect(path: impl AsRef<Path>, master: MasterKey) -> Result<Self, StoreError> {
        let settings = Settings::of(path.as_ref().to_owned());
        let work = move || {
            let path = settings.path.clone();
            let mut connection = settings.open()?;
            let version = prepare(&mut connection).map_err(|error| fault::of(error, &path))?;
            if version > VERSION {
                let text = format!(
                    "`{}` has keys of version {version}, this release knows version {VERSION}: use the later release",
                    path.display()
                );
                return Err(StoreError::new(StoreErrorKind::Mismatch, text));
            }
            let shared = Shared { path, master, connection: Mutex::new(connection) };
            shared.check_master()?;
            Ok(Self(Arc::new(shared)))
        };
        lifecycle::apart(work).await.unwrap_or_else(|_| Err(ended()))
    }

    /// Wraps every key with the master key that this was opened with, and tells how many were not. Then nobody needs the
    /// [former](MasterKey::formerly) ones any more.
    ///
    /// # Errors
    /// The file cannot be read or written; or a key is damaged. Nothing has changed then.
    pub async fn wrap_anew(&self) -> Result<usize, StoreError> {
        self.work(|shared, connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate);
            let transaction = transaction.map_err(|error| shared.fault(error))?;
            let others = others(&transaction, &shared.master.name()).map_err(|error| shared.fault(error))?;
            for (subject, row) in &others {
                let key = shared.key(subject, row)?;
                let wrapped = shared.master.wrap(subject, &key)?;
                let sql = "UPDATE tegami_keys SET master = ?2, wrapped = ?3 WHERE id = ?1";
                let name = shared.master.name();
                transaction.execute(sql, (row.id.as_bytes(), name, wrapped)).map_err(|error| shared.fault(error))?;
            }
            transaction.commit().map_err(|error| shared.fault(error))?;
            Ok(others.len())
        })
        .await
    }

    /// Works on the connection, on a thread for what blocks.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared, &mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let shared = self.0.clone();
        let work = move || {
            let mut connection = shared.connection.lock().unwrap_or_else(PoisonError::into_inner);
            work(&shared, &mut connection)
        };
        lifecycle::apart(work).await.unwrap_or_else(|_| Err(ended()))
    }
}

#[async_trait]
impl Keys for SqliteKeys {
    async fn current(&self, subject: &str) -> Result<DataKey, StoreError> {
        let subject = subject.to_owned();
        self.work(move |shared, connection| {
            let known = live(connection, &subject).map_err(|error| shared.fault(error))?;
            match known {
                Some(row) => shared.key(&subject, &row),
                None => shared.make(connection, &subject),
            }
        })
        .await
    }

    async fn find(&self, subject: &str, id: KeyId) -> Result<Kept, StoreError> {
        let subject = subject.to_owned();
        self.work(move |shared, connection| {
            let sql = "SELECT id, master, wrapped FROM tegami_keys WHERE id = ?1 AND subject = ?2";
            let found = connection.query_row(sql, (id.as_bytes(), &subject), row).optional();
            match found.map_err(|error| shared.fault(error))? {
                None => Ok(Kept::Unknown),
                Some(Row { wrapped: None, .. }) => Ok(Kept::Forgotten),
                Some(row) => Ok(Kept::Key(shared.key(&subject, &row)?)),
            }
        })
        .await
    }

    async fn forget(&self, subject: &str) -> Result<(), StoreError> {
        let subject = subject.to_owned();
        self.work(move |shared, connection| {
            let sql = "UPDATE tegami_keys SET master = NULL, wrapped = NULL WHERE subject = ?1 AND wrapped IS NOT NULL";
            connection.execute(sql, [&subject]).map(drop).map_err(|error| shared.fault(error))
        })
        .await
    }
}

impl Shared {
    /// A key for the subject, unless another process was faster.
    fn make(&self, connection: &mut Connection, subject: &str) -> Result<DataKey, StoreError> {
        let key = DataKey::draw()?;
        let wrapped = self.master.wrap(subject, &key)?;
        let insert = |connection: &mut Connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let sql = "INSERT INTO tegami_keys (id, subject, master, wrapped) VALUES (?1, ?2, ?3, ?4) \
                       ON CONFLICT DO NOTHING";
            transaction.execute(sql, (key.id().as_bytes(), subject, self.master.name(), wrapped))?;
            let row = live(&transaction, subject)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
            transaction.commit()?;
            Ok(row)
        };
        let row = insert(connection).map_err(|error| self.fault(error))?;
        self.key(subject, &row)
    }

    fn key(&self, subject: &str, row: &Row) -> Result<DataKey, StoreError> {
        let (master, wrapped) = row.master.as_deref().zip(row.wrapped.as_deref()).unwrap_or_default();
        if !self.master.knows(master) {
            return Err(self.foreign());
        }
        self.master.unwrap(master, subject, row.id, wrapped).ok_or_else(|| {
            let text = format!("key `{}` in `{}` was changed since it was written", row.id, self.path.display());
            StoreError::new(StoreErrorKind::Damaged, text)
        })
    }

    /// Refuses a file that other master keys have wrapped something in.
    fn check_master(&self) -> Result<(), StoreError> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let sql = "SELECT DISTINCT master FROM tegami_keys WHERE wrapped IS NOT NULL";
        let names = |connection: &Connection| {
            connection.prepare(sql)?.query_map((), |row| row.get::<_, Vec<u8>>(0))?.collect::<Result<Vec<_>, _>>()
        };
        let names = names(&connection).map_err(|error| fault::of(error, &self.path))?;
        if names.iter().all(|name| self.master.knows(name)) { Ok(()) } else { Err(self.foreign()) }
    }

    fn foreign(&self) -> StoreError {
        let text = format!(
            "keys in `{}` were wrapped by another master key: give that one, or name it by `MasterKey::formerly`",
            self.path.display()
        );
        StoreError::new(StoreErrorKind::Mismatch, text)
    }

    /// What is wrong with the whole file says nothing about a key: events wait until it is mended, and none is given up on.
    fn fault(&self, error: rusqlite::Error) -> StoreError {
        let Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) = error.sqlite_error_code() else {
            return fault::of(error, &self.path);
        };
        let text = format!("`{}` is damaged: until it is mended, its keys cannot be read", self.path.display());
        StoreError::new(StoreErrorKind::Unreachable, text).caused_by(error)
    }
}

/// Makes the tables, and tells their version.
fn prepare(connection: &mut Connection) -> rusqlite::Result<i64> {
    let on = |name: &str, value: &str| connection.pragma_update_and_check(None, name, value, |_| Ok(()));
    // Without a log beside the file: it would keep what is overwritten in the file.
    on("journal_mode", "DELETE")?;
    on("secure_delete", "ON")?;
    connection.pragma_update(None, "synchronous", "EXTRA")?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version == 0 {
        transaction.execute_batch(TABLES)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    transaction.commit()?;
    Ok(version)
}

/// The key of a subject that was not forgotten.
fn live(connection: &Connection, subject: &str) -> rusqlite::Result<Option<Row>> {
    let sql = "SELECT id, master, wrapped FROM tegami_keys WHERE subject = ?1 AND wrapped IS NOT NULL";
    connection.query_row(sql, [subject], row).optional()
}

/// The keys that other master keys have wrapped.
fn others(connection: &Connection, master: &[u8]) -> rusqlite::Result<Vec<(String, Row)>> {
    let sql = "SELECT id, master, wrapped, subject FROM tegami_keys WHERE wrapped IS NOT NULL AND master <> ?1";
    let mut statement = connection.prepare(sql)?;
    statement.query_map([master], |found| Ok((found.get(3)?, row(found)?)))?.collect()
}

fn row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row { id: KeyId::new(row.get(0)?), master: row.get(1)?, wrapped: row.get(2)? })
}

impl fmt::Debug for SqliteKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteKeys").field("path", &self.0.path).finish_non_exhaustive()
    }
}
