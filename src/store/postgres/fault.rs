//! What PostgreSQL answered, and what that means.

use sqlx::Error;

use crate::store::{StoreError, StoreErrorKind};

/// Why something did not succeed.
pub(crate) enum Failed {
    /// PostgreSQL did not do it.
    Sql(Error),
    /// It must not be done.
    Refused(StoreError),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

/// The error where nothing was recorded. `whose` names the store.
pub(crate) fn of(error: Error, whose: &str) -> StoreError {
    let (kind, text) = meant(&error);
    StoreError::new(kind, format!("{whose} {text}")).caused_by(error)
}

/// The error where the last step failed: what is certain is only what the server has answered about the transaction.
pub(crate) fn of_commit(error: Error, whose: &str) -> StoreError {
    // Integrity, rollback, resources, locks. A connection that was ended on purpose may have ended behind the commit.
    let certain = ["23", "40", "53", "55"];
    if code(&error).is_some_and(|code| certain.iter().any(|class| code.starts_with(class))) {
        return of(error, whose);
    }
    unknown(whose).caused_by(error)
}

/// The error where the answer to a commit never came.
pub(crate) fn unknown(whose: &str) -> StoreError {
    let text = format!("{whose} did not answer to a commit: what was written may be there");
    StoreError::new(StoreErrorKind::Unknown, text)
}

/// The error once nobody may use the store any more.
pub(crate) fn closed(whose: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Closed, format!("{whose} was closed"))
}

/// May the same succeed at once, in another transaction or on another connection?
pub(crate) fn is_passing(error: &Error) -> bool {
    match code(error).as_deref() {
        // Others were faster, in a way that only the next transaction can see; or an id was recorded meanwhile.
        Some("40001" | "40P01" | "23505") => true,
        // The connection was ended, the server begins or stops.
        Some(code) => code.starts_with("57P") || code.starts_with("08"),
        None => matches!(error, Error::Io(_)),
    }
}

/// Does it say that the database is away, or has no time or no room now, whatever was asked?
pub(crate) fn is_away(error: &Error) -> bool {
    match code(error).as_deref() {
        Some("40001" | "40P01" | "55P03" | "25006") => true,
        // The connection was ended, the server begins or stops; or it has no room, or no connection left.
        Some(code) => ["08", "53", "57P"].iter().any(|class| code.starts_with(class)),
        None => matches!(error, Error::Io(_) | Error::PoolTimedOut | Error::PoolClosed | Error::WorkerCrashed),
    }
}

/// PostgreSQL's code, if it has answered.
pub(crate) fn code(error: &Error) -> Option<String> {
    error.as_database_error().and_then(|error| error.code()).map(Into::into)
}

fn meant(error: &Error) -> (StoreErrorKind, &'static str) {
    match error {
        Error::PoolClosed => (StoreErrorKind::Closed, "was closed, with its pool of connections"),
        Error::Decode(_) | Error::ColumnDecode { .. } | Error::ColumnNotFound(_) | Error::RowNotFound => {
            (StoreErrorKind::Damaged, "has something that no release of tegami has written")
        }
        Error::Configuration(_) => (StoreErrorKind::Invalid, "has settings that cannot be meant"),
        _ => code(error).map_or((StoreErrorKind::Unreachable, "cannot be reached"), |code| of_code(&code)),
    }
}

/// By <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn of_code(code: &str) -> (StoreErrorKind, &'static str) {
    match code {
        "55P03" => (StoreErrorKind::Busy, "is locked: others have what this must wait for, for longer than allowed"),
        "57014" => (StoreErrorKind::Busy, "took longer for a statement than allowed"),
        "53300" => (StoreErrorKind::Busy, "has no connection left"),
        "40001" | "40P01" | "53200" => (StoreErrorKind::Busy, "is in use by too many others at once"),
        "53100" => (StoreErrorKind::Full, "has no room left on its disk"),
        "23505" => (StoreErrorKind::Duplicate, "has one of the ids already"),
        "22021" | "22P05" => (StoreErrorKind::Invalid, "takes no text with the character NUL"),
        "54000" => (StoreErrorKind::TooLarge, "does not take values that large"),
        "25006" => (StoreErrorKind::Unreachable, "may not be written to: it is read-only, as a standby is"),
        "42501" => (StoreErrorKind::Unreachable, "may not be used by this role"),
        "28000" | "28P01" | "3D000" => (StoreErrorKind::Unreachable, "lets this role not in"),
        "3F000" | "42P01" | "42P07" | "42703" | "42883" => {
            (StoreErrorKind::Mismatch, "has not the tables of this release: something else has changed them")
        }
        "XX001" | "XX002" => (StoreErrorKind::Damaged, "is damaged"),
        _ => (StoreErrorKind::Unreachable, "does not do what it is asked"),
    }
}
