//! Where something stands in a contract, and what is wrong there.
//!
//! Mistakes are collected over all files and reported together; `Error` shows them.

/// A place in a contract. Line and column count from 1; 0 means the file as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Location {
    /// The file as shown to people: `proto/shop/orders/v1/orders.proto`.
    pub(crate) file: String,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// One mistake in a contract.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mistake {
    pub(crate) at: Location,
    pub(crate) reason: String,
    pub(crate) hint: String,
}

/// Every mistake found so far.
#[derive(Debug, Default)]
pub(crate) struct Mistakes(pub(crate) Vec<Mistake>);

impl Mistakes {
    /// Notes a mistake. Reason and hint are lower case, without a full stop; the hint may be empty.
    pub(crate) fn add(&mut self, at: &Location, reason: impl Into<String>, hint: impl Into<String>) {
        self.0.push(Mistake { at: at.clone(), reason: reason.into(), hint: hint.into() });
    }
}
