//! What SQLite answered, as an error of a transaction.

use std::{path::Path, time::Duration};

use rusqlite::Error;

use crate::{
    outbox::{DatabaseError, DatabaseErrorKind as Kind, sql::of_store},
    store::{StoreErrorKind, sqlite::fault},
};

/// The error of work inside a transaction.
pub(super) fn of_work(error: Error, path: &Path) -> DatabaseError {
    let told = fault::of(error, path);
    match told.kind() {
        StoreErrorKind::Busy | StoreErrorKind::Full | StoreErrorKind::TooLarge | StoreErrorKind::Mismatch => {
            of_store(told)
        }
        _ => {
            let text = format!("a statement on `{}` failed", path.display());
            let error = DatabaseError::new(Kind::Statement, text);
            match told.into_cause() {
                Some(cause) => error.caused_by(cause),
                None => error,
            }
        }
    }
}

pub(super) fn too_long(path: &Path, limit: Duration) -> DatabaseError {
    let text = format!(
        "a transaction on `{}` was open for longer than {limit:?}, and was undone: nobody else can write meanwhile, \
         so await nothing inside it that takes long",
        path.display()
    );
    DatabaseError::new(Kind::TooLong, text)
}

pub(super) fn over(path: &Path, why: &str) -> DatabaseError {
    DatabaseError::new(Kind::Over, format!("the transaction on `{}` is over: {why}", path.display()))
}
