//! What a contract asks of a field's value beside its type.

/// From here on `f64` does not hold every whole number, so a bound could not be checked exactly.
pub(crate) const EXACT: f64 = 9_007_199_254_740_992.0;

/// The rules of one field; `None` and `false` ask nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Rules {
    /// The builder insists on the field, and an empty value is invalid.
    pub(crate) required: bool,
    /// Characters of text, bytes of bytes, items of a list or map.
    pub(crate) min_length: Option<u64>,
    pub(crate) max_length: Option<u64>,
    /// A regular expression that must match somewhere in the text.
    pub(crate) pattern: Option<String>,
    /// Bounds of a number, both allowed.
    pub(crate) minimum: Option<f64>,
    pub(crate) maximum: Option<f64>,
    /// Bounds of a number, not allowed themselves.
    pub(crate) above: Option<f64>,
    pub(crate) below: Option<f64>,
    /// No two items of a list are equal.
    pub(crate) unique: bool,
    pub(crate) format: Option<Format>,
    /// Rules of each item of a list, of each value of a map.
    pub(crate) items: Option<Box<Rules>>,
}

/// The formats of text that are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Date,
    Email,
    Uri,
}

impl Rules {
    /// Is nothing asked?
    pub(crate) fn is_empty(&self) -> bool {
        *self == Rules::default()
    }

    /// The rules as those of items; `None` where nothing is asked.
    pub(crate) fn boxed(self) -> Option<Box<Self>> {
        (!self.is_empty()).then(|| Box::new(self))
    }
}
