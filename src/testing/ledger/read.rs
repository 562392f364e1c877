//! Reads a folder of ledgers back, in order of time.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use super::{ENDING, Entry, Line};
use crate::error::{Failure, Kind};

/// Why a folder of ledgers could not be checked.
pub type LedgerError = Failure<LedgerErrorKind>;

/// The causes of a [`LedgerError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LedgerErrorKind {
    /// The folder or a file in it cannot be read.
    Unreadable,
    /// No ledger there tells of a publish: that proves nothing.
    Empty,
    /// A line that is no ledger line, and not the torn last one of its file.
    Malformed,
}

impl Kind for LedgerErrorKind {
    fn is_transient(self) -> bool {
        false
    }
}

/// An entry, the file it stands in, and its time.
#[derive(Debug)]
pub(super) struct Filed {
    pub(super) file: usize,
    pub(super) at: u64,
    pub(super) entry: Entry,
}

/// Everything that stands in a folder of ledgers.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// The names of the files, without their ending: one process each.
    pub(super) processes: Vec<String>,
    pub(super) all: Vec<Filed>,
    pub(super) torn: usize,
}

impl Lines {
    pub(super) fn read(folder: &Path) -> Result<Self, LedgerError> {
        let mut lines = Self::default();
        for path in files(folder).map_err(|error| unreadable(folder, error))? {
            let text = fs::read(&path).map_err(|error| unreadable(&path, error))?;
            let process = path.file_stem().unwrap_or_default().to_string_lossy();
            lines.add(&process, &text)?;
        }
        if !lines.all.iter().any(|filed| matches!(filed.entry, Entry::PublishBegin { .. })) {
            let text = format!("no .{ENDING} file of {} tells of a publish", folder.display());
            return Err(Failure::new(LedgerErrorKind::Empty, text));
        }
        Ok(lines.in_order())
    }

    /// Adds a file. Its last line counts only with its line break: a killed process leaves it torn.
    pub(super) fn add(&mut self, process: &str, text: &[u8]) -> Result<(), LedgerError> {
        let file = self.processes.len();
        self.processes.push(process.to_owned());
        let mut latest = 0;
        for (n, line) in text.split_inclusive(|byte| *byte == b'\n').enumerate() {
            if !line.ends_with(b"\n") {
                self.torn += 1;
                break;
            }
            let Line { at, entry } = serde_json::from_slice(line).map_err(|error| malformed(process, n + 1, error))?;
            // Within a file the place decides, whatever happened to the clock.
            latest = at.max(latest);
            self.all.push(Filed { file, at: latest, entry });
        }
        Ok(())
    }

    /// The same lines, those of all files by their time.
    pub(super) fn in_order(mut self) -> Self {
        self.all.sort_by_key(|filed| filed.at);
        self
    }
}

fn files(folder: &Path) -> io::Result<BTreeSet<PathBuf>> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == ENDING) {
            found.insert(path);
        }
    }
    Ok(found)
}

fn unreadable(path: &Path, error: io::Error) -> LedgerError {
    Failure::new(LedgerErrorKind::Unreadable, format!("{} cannot be read", path.display())).caused_by(error)
}

fn malformed(process: &str, number: usize, error: serde_json::Error) -> LedgerError {
    let text = format!("{process}.{ENDING}:{number} is not a line of a ledger");
    Failure::new(LedgerErrorKind::Malformed, text).caused_by(error)
}
