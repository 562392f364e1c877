//! What the tests of the gate share: contracts as data, edits of them, values, and codecs that read contracts as they run.

pub mod contract;
pub mod edits;
pub mod grow;
pub mod json_schema;
pub mod protobuf;
pub mod sample;
pub mod valid;
pub mod value;
