//! What an event is: a type that a contract describes.
//!
//! [`Event`] is implemented by generated code only; everything in tegami is generic over it.

mod attributes;
mod check;
mod filter;
mod format;
mod invalid;
mod personal;
mod upcast;
mod well_formed;

pub use attributes::{Attributes, Value};
pub(crate) use attributes::{EVENT_ATTRIBUTE, RESERVED, is_plain_name, is_plain_text};
pub use check::{Check, Length, Pattern, Rules};
pub use filter::{BoolField, Condition, Filter, NumberField, Policy, TextField};
pub use format::{Encoding, Format};
pub use invalid::Invalid;
pub(crate) use personal::{Deed, Leaf, Parts};
#[doc(hidden)]
pub use personal::{Hidden, PERSONAL, Personal, Walk};
pub use upcast::Upcast;

use std::{borrow::Cow, fmt};

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    contract::{Contract, PersonalFields},
    error::BoxError,
};

/// A fact that happened, in the shape its contract gives it.
///
/// Do not implement this by hand: put the contract under `proto/` and let `build.rs` compile it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event",
    label = "not an event",
    note = "events come from the contracts in `proto/`: a protobuf message with `option (tegami.v1.event) = {{}}`, \
            or a JSON Schema with `\"x-tegami\": {{ \"event\": {{}} }}`"
)]
pub trait Event: Serialize + DeserializeOwned + Clone + PartialEq + fmt::Debug + Send + Sync + Sized + 'static {
    /// What the contract says beside the fields.
    const CONTRACT: &'static Contract;

    /// The format the contract was written in, which decides how payloads are encoded.
    type Format: Format<Self>;

    /// The value of the key field: what must stay in order together.
    fn key(&self) -> Option<Cow<'_, str>>;

    /// The declared attributes, those left empty not among them.
    fn attributes(&self) -> Attributes;

    /// Checks what the contract asks of the values.
    ///
    /// # Errors
    /// Every field that breaks a rule, with the rule. Publish and decode call this.
    fn validate(&self) -> Result<(), Invalid>;

    /// The JSON Schema of the event's canonical JSON.
    fn schema() -> schemars::Schema;

    /// Which fields are personal; nothing where none is.
    const PERSONAL: Option<&'static PersonalFields> = None;

    /// Whose data the personal fields are, where the contract says it.
    fn subject(&self) -> Option<Cow<'_, str>> {
        None
    }

    /// Goes to every personal field.
    #[doc(hidden)]
    fn walk_personal(&mut self, _walk: &mut Walk) -> Result<(), BoxError> {
        Ok(())
    }
}
