//! What PostgreSQL answered, as an error of a transaction.

use sqlx::Error;

use crate::{
    outbox::{DatabaseError, DatabaseErrorKind as Kind, sql::of_store},
    store::postgres::fault,
};

/// The error where nothing is committed. `whose` names the database.
pub(super) fn of(error: Error, whose: &str) -> DatabaseError {
    let over = |kind, why: &str| DatabaseError::new(kind, format!("the transaction on {whose} is over: {why}"));
    match fault::code(&error).as_deref() {
        Some("25P02") => over(Kind::Over, "a statement in it has failed before").caused_by(error),
        Some("25P03") => over(Kind::TooLong, "nothing was asked in it for longer than allowed").caused_by(error),
        Some("40P01") => {
            let text =
                format!("{whose} has ended a transaction: others put the same keys in another order, so try again");
            DatabaseError::new(Kind::Busy, text).caused_by(error)
        }
        Some("3F000" | "42P01") => {
            let text = format!("{whose} is not there: a `Database` that is opened for this schema makes it");
            DatabaseError::new(Kind::Mismatch, text).caused_by(error)
        }
        _ => of_store(fault::of(error, whose)),
    }
}

/// The error where what was done in a transaction has ended it.
pub(super) fn ended(whose: &str) -> DatabaseError {
    let text =
        format!("the transaction on {whose} is over: what was done in it has ended it; leave `COMMIT` to tegami");
    DatabaseError::new(Kind::Over, text)
}
