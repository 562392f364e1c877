//! Compiles message contracts into the typed events of tegami.
//!
//! `build.rs` calls [`compile`]; the crate takes the result in with `tegami::include_contracts!()`.
//!
//! ```no_run
//! fn main() -> Result<(), tegami_codegen::Error> {
//!     tegami_codegen::compile("proto")
//! }
//! ```
//!
//! A compilation runs once through: `sources` finds the files, `protobuf` and `json_schema` read them into the
//! `model`, `check` looks for mistakes, `emit` makes Rust of it, `output` formats and writes it.

mod check;
mod emit;
mod error;
mod json_schema;
mod model;
mod output;
mod protobuf;
mod sources;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

pub use error::Error;

use model::{Contracts, Mistakes};

/// Choices for a compilation; [`configure`] makes one.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    pub(crate) builders: bool,
}

/// Begins a compilation with other choices than [`compile`]'s.
///
/// ```no_run
/// # fn main() -> Result<(), tegami_codegen::Error> {
/// tegami_codegen::configure().builders(false).compile("proto")
/// # }
/// ```
pub fn configure() -> Config {
    Config { builders: true }
}

/// Compiles every contract below the folder, for a `build.rs`.
///
/// # Errors
/// Every mistake in the contracts, with its place and what to do. Nothing is written then.
pub fn compile(folder: impl AsRef<Path>) -> Result<(), Error> {
    configure().compile(folder)
}

/// Compiles every contract below the folder into text: file names with what would be in them.
///
/// # Errors
/// Every mistake in the contracts, with its place and what to do.
pub fn compile_to_strings(folder: &Path) -> Result<BTreeMap<String, String>, Error> {
    configure().compile_to_strings(folder)
}

impl Config {
    /// Whether structs get a builder. Without, a crate with many contracts compiles in half the time.
    #[must_use]
    pub fn builders(self, builders: bool) -> Self {
        Self { builders }
    }

    /// Compiles every contract below the folder, for a `build.rs`.
    ///
    /// # Errors
    /// Every mistake in the contracts, with its place and what to do. Nothing is written then.
    pub fn compile(self, folder: impl AsRef<Path>) -> Result<(), Error> {
        let folder = folder.as_ref();
        println!("cargo::rerun-if-changed={}", folder.display());
        let files = self.compile_to_strings(folder)?;
        let Some(out) = std::env::var_os("OUT_DIR") else {
            return Err(Error::of("OUT_DIR", "the variable is not set", "call this from `build.rs`"));
        };
        let out = PathBuf::from(out).join("tegami");
        output::write(&out, &files).map_err(|error| {
            Error::of(&out.display().to_string(), &format!("cannot be written: {error}"), "is there room on the disk?")
        })
    }

    /// Compiles every contract below the folder into text: file names with what would be in them.
    ///
    /// # Errors
    /// Every mistake in the contracts, with its place and what to do.
    pub fn compile_to_strings(self, folder: &Path) -> Result<BTreeMap<String, String>, Error> {
        let mut mistakes = Mistakes::default();
        let sources = sources::find(folder, &mut mistakes);
        let (protobuf, pool) = protobuf::read(&sources, &mut mistakes);
        let json_schema = json_schema::read(&sources, &mut mistakes);
        let set = Contracts::new(protobuf.into_iter().chain(json_schema));
        check::check(&set, &mut mistakes);
        if !mistakes.0.is_empty() {
            return Err(Error::new(mistakes));
        }
        output::render(&set, &pool, self)
    }
}
