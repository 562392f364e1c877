//! Compiles message contracts into the typed events of tegami.
#![allow(dead_code, unused_imports)]

mod emit;
mod error;
mod json_schema;
mod model;
mod sources;

pub use error::Error;
