//! The gate: contracts of a folder against those of before, with files and git; what is decided is in `compat`.

mod git;
mod lockfile;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

pub use lockfile::Lockfile;

use crate::{
    Error, clean,
    compat::{self, Consumer, Direction, Encoding, Report, Scope},
    lock::{self, ALL, Lock},
    model::{Contracts, Mistakes},
    sources::{self, Source},
};

/// Compares the contracts of a folder with those of before. [`check`] is the short form.
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use tegami_codegen::Check;
///
/// let report = Check::of("proto").against("git:origin/main").consumer("../billing/contracts.lock").run()?;
/// report.into_result()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "nothing is compared until `run`"]
pub struct Check {
    contracts: String,
    against: String,
    consumers: Vec<PathBuf>,
    scope: Scope,
}

/// Compares the contracts of a folder with those of before, for a test or a build of your own.
///
/// Before is a `contracts.lock`, a folder of contracts, or either in git: `git:<revision>[:<path>]`, by default the
/// `contracts.lock` there.
///
/// ```no_run
/// #[test]
/// fn contracts_stay_compatible() {
///     tegami_codegen::check("proto", "contracts.lock").unwrap().into_result().unwrap();
/// }
/// ```
///
/// # Errors
/// It could not be told: contracts with mistakes, a broken lock, an unknown revision. What is not compatible is told by
/// the report.
pub fn check(folder: impl AsRef<Path>, against: &str) -> Result<Report, Error> {
    Check::of(folder).against(against).run()
}

impl Check {
    /// The contracts as they are now: mostly a folder, or what [`against`](Self::against) takes.
    pub fn of(contracts: impl AsRef<Path>) -> Self {
        let contracts = contracts.as_ref().to_string_lossy().into_owned();
        Self { contracts, against: "contracts.lock".to_owned(), consumers: Vec::new(), scope: Scope::default() }
    }

    /// The contracts of before: a lock, a folder, or `git:<revision>[:<path>]`. By default `contracts.lock`.
    pub fn against(self, against: impl Into<String>) -> Self {
        Self { against: against.into(), ..self }
    }

    /// The lock of a service that subscribes. With at least one, new data hurts only those that are named.
    pub fn consumer(mut self, lock: impl AsRef<Path>) -> Self {
        self.consumers.push(lock.as_ref().to_owned());
        self
    }

    /// Looks one way only. By default both.
    pub fn direction(mut self, direction: Direction) -> Self {
        self.scope.directions = vec![direction];
        self
    }

    /// Looks at one encoding only. By default at both, where the contract has both.
    pub fn encoding(mut self, encoding: Encoding) -> Self {
        self.scope.encodings = vec![encoding];
        self
    }

    /// Compares.
    ///
    /// # Errors
    /// It could not be told: contracts with mistakes, a broken lock, an unknown revision, two services of one name.
    pub fn run(&self) -> Result<Report, Error> {
        let new = of_any(&self.contracts)?;
        let old = of_any(&self.against)?;
        let consumers = self.consumers()?;
        Ok(compat::compare(&old, &new, &consumers, &self.scope))
    }

    fn consumers(&self) -> Result<Vec<Consumer>, Error> {
        let mut consumers: Vec<Consumer> = Vec::new();
        let mut known: BTreeMap<String, &PathBuf> = BTreeMap::new();
        for file in &self.consumers {
            let shown = file.display().to_string();
            let lock = of_file(file)?;
            if lock.services.is_empty() {
                let hint = "write it with `tegami contracts lock --service <name>`";
                return Err(Error::of(&shown, "the lock names no service, so nobody knows whose it is", hint));
            }
            for (name, service) in &lock.services {
                if let Some(first) = known.insert(name.clone(), file) {
                    let reason = format!("the service `{}` is in {} too", clean(name), first.display());
                    return Err(Error::of(
                        &shown,
                        &reason,
                        "give each service a name of its own, or name one of the two files",
                    ));
                }
                let reads = service.subscribes.clone();
                consumers.push(Consumer { name: name.clone(), lock: lock.clone(), reads });
            }
        }
        Ok(consumers)
    }
}

/// Everything the contracts of a folder say.
fn of_folder(folder: &Path) -> Result<Lock, Error> {
    let mut mistakes = Mistakes::default();
    let sources = sources::find(folder, &mut mistakes);
    of_sources(&sources, &sources::shown(folder), mistakes)
}

fn of_sources(sources: &[Source], folder: &str, mistakes: Mistakes) -> Result<Lock, Error> {
    let (set, _) = crate::load(sources, mistakes)?;
    Ok(lock_of(&set, folder))
}

fn lock_of(set: &Contracts, folder: &str) -> Lock {
    lock::take(set, folder)
}

/// A lock, a folder of contracts, or either in git.
fn of_any(place: &str) -> Result<Lock, Error> {
    if let Some(revision) = place.strip_prefix("git:") {
        return git::lock(revision);
    }
    let path = Path::new(place);
    // A file is a lock; what is not there would have been a folder of contracts, unless it is called a lock.
    if path.is_file() || path.extension().is_some_and(|ending| ending == "lock") {
        of_file(path)
    } else {
        of_folder(path)
    }
}

/// The lock in a file.
fn of_file(path: &Path) -> Result<Lock, Error> {
    let shown = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|error| {
        let hint = match error.kind() {
            io::ErrorKind::NotFound => "write it with `tegami contracts lock`, and commit it",
            _ => "check that it is a file of text, and that this program may read it",
        };
        Error::of(&clean(&shown), &format!("the lock cannot be read: {error}"), hint)
    })?;
    of_text(&shown, &text)
}

fn of_text(shown: &str, text: &str) -> Result<Lock, Error> {
    let mut mistakes = Mistakes::default();
    lock::read(shown, text, &mut mistakes).ok_or_else(|| Error::new(mistakes))
}

/// All fields, where none were named.
fn all() -> Vec<String> {
    vec![ALL.to_owned()]
}
