//! What the stores in databases have in common: an event as a row, and a query as a statement.
//!
//! No client of a database is named here.

pub(super) mod names;
pub(super) mod query;
pub(super) mod row;
