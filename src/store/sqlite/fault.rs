//! What SQLite answered, and what that means.

use std::path::Path;

use rusqlite::{Error, ErrorCode};

use crate::store::{StoreError, StoreErrorKind};

/// The error where nothing was recorded.
pub(crate) fn of(error: Error, path: &Path) -> StoreError {
    let (kind, text) = meant(&error);
    StoreError::new(kind, format!("`{}` {text}", path.display())).caused_by(error)
}

/// The error where the last step of recording failed: a commit that could not be written may be there all the same.
pub(crate) fn of_commit(error: Error, path: &Path) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => of(error, path),
        _ => {
            let text = format!("`{}` could not be written to: what was appended may be there", path.display());
            StoreError::new(StoreErrorKind::Unknown, text).caused_by(error)
        }
    }
}

/// The error once nobody may use the file any more.
pub(crate) fn closed(path: &Path) -> StoreError {
    StoreError::new(StoreErrorKind::Closed, format!("the store in `{}` was closed", path.display()))
}

fn meant(error: &Error) -> (StoreErrorKind, &'static str) {
    let damaged = (StoreErrorKind::Damaged, "is damaged, or something else has written to it");
    let Some(code) = error.sqlite_error_code() else { return damaged };
    match code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            (StoreErrorKind::Busy, "is locked: others write to it for longer than the wait for a lock")
        }
        ErrorCode::DiskFull => (StoreErrorKind::Full, "has no room left: on its disk, or within its size limit"),
        ErrorCode::NotADatabase => (StoreErrorKind::Mismatch, "is no SQLite file"),
        ErrorCode::DatabaseCorrupt | ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch => damaged,
        ErrorCode::TooBig => (StoreErrorKind::TooLarge, "does not take values that large"),
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => (StoreErrorKind::Unreachable, "may not be written to"),
        _ => (StoreErrorKind::Unreachable, "cannot be read or written"),
    }
}
