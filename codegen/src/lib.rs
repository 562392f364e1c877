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
//! `model`, `mistakes` looks for some, `emit` makes Rust of it, `output` formats and writes it.

mod compat;
mod emit;
mod error;
mod gate;
mod json_schema;
mod lock;
mod mistakes;
mod model;
mod output;
mod protobuf;
mod sources;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

pub use compat::{Broken, Direction, Encoding, Finding, Horizon, Place, RULES, Report, Rule, Severity};
pub use error::Error;
pub use gate::{Check, Lockfile, check};

#[doc(hidden)]
pub use compat::clean;
use model::{Contracts, Mistakes};
use prost_reflect::DescriptorPool;
use sources::Source;

/// Choices for a compilation; [`configure`] makes one.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    pub(crate) builders: bool,
    set: Option<&'static str>,
}

/// Begins a compilation with other choices than [`compile`]'s.
///
/// ```no_run
/// # fn main() -> Result<(), tegami_codegen::Error> {
/// tegami_codegen::configure().builders(false).compile("proto")
/// # }
/// ```
pub fn configure() -> Config {
    Config { builders: true, set: None }
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
        Self { builders, ..self }
    }

    /// The name of this set of contracts, where a crate has several: `tegami::include_contracts!("billing")` takes it in.
    #[must_use]
    pub fn set(self, name: &'static str) -> Self {
        Self { set: Some(name), ..self }
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
        let out = PathBuf::from(out).join(self.set.map_or("tegami".to_owned(), |set| format!("tegami-{set}")));
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
        let (set, pool) = load(&sources, mistakes)?;
        output::render(&set, &pool, self)
    }
}

/// Reads the contracts, beside mistakes that were made already.
fn load(sources: &[Source], mut mistakes: Mistakes) -> Result<(Contracts, DescriptorPool), Error> {
    let (protobuf, pool) = protobuf::read(sources, &mut mistakes);
    let json_schema = json_schema::read(sources, &mut mistakes);
    let set = Contracts::new(protobuf.into_iter().chain(json_schema));
    mistakes::find(&set, &mut mistakes);
    if mistakes.0.is_empty() { Ok((set, pool)) } else { Err(Error::new(mistakes)) }
}
