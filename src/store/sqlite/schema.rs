//! The tables, and the way from those of earlier releases to those of this one.

use std::{thread, time::Duration};

use rusqlite::{Connection, ErrorCode, TransactionBehavior};

use super::{builder::Settings, fault};
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
/// How long until it is tried again what SQLite does not wait for by itself.
const AGAIN: Duration = Duration::from_millis(20);

/// Brings the tables up to the version that this release needs. Others may do so at the same time.
pub(super) fn prepare(connection: &mut Connection, settings: &Settings) -> Result<(), StoreError> {
    let failed = |error| fault::of(error, &settings.path);
    write_ahead(connection, settings.lock_wait()).map_err(failed)?;
    let found = migrate(connection, STEPS).map_err(failed)?;
    if found as usize <= STEPS.len() {
        return Ok(());
    }
    let text = format!(
        "`{}` has tables of version {found}, this release knows version {} and earlier: use the later release",
        settings.path.display(),
        STEPS.len()
    );
    Err(StoreError::new(StoreErrorKind::Mismatch, text))
}

/// Has SQLite write ahead, so that readers wait for nobody. It does not wait for a lock on its own here.
fn write_ahead(connection: &Connection, longest: Duration) -> rusqlite::Result<()> {
    let mut waited = Duration::ZERO;
    loop {
        let set = connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()));
        match set {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && waited < longest => {
                thread::sleep(AGAIN);
                waited += AGAIN;
            }
            set => return set,
        }
    }
}

/// The version of the tables as they were. Those of a later release stay as they are.
fn migrate(connection: &mut Connection, steps: &[&str]) -> rusqlite::Result<u32> {
    // Immediate: whoever reads first and then writes is refused at once where another was faster.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch("CREATE TABLE IF NOT EXISTS tegami_schema (version INTEGER PRIMARY KEY) STRICT")?;
    let sql = "SELECT coalesce(max(version), 0) FROM tegami_schema";
    let found: u32 = transaction.query_row(sql, (), |row| row.get(0))?;
    for (version, step) in (1..).zip(steps).skip_while(|(version, _)| *version <= found) {
        transaction.execute_batch(step)?;
        transaction.execute("INSERT INTO tegami_schema (version) VALUES (?1)", [version])?;
    }
    transaction.commit()?;
    Ok(found)
}
