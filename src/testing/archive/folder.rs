//! The files of an archive: `<event>/<fingerprint>/` with a manifest, the lock of the contract, and samples, one a line.

use std::{
    collections::BTreeMap,
    fmt::Write,
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Error, ErrorKind};
use crate::service::{EventSample, EventSamples};

const MANIFEST: &str = "manifest.json";
const LOCK: &str = "contracts.lock";
const SAMPLES: &str = "samples.jsonl";
/// A file of this name says that what is beside it is given up.
const RETIRED: &str = "retired";
/// The version of the files' format.
const FORMAT: u32 = 1;

/// What was written, by whom, and what each file holds.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    archive: u32,
    event: String,
    version: u32,
    fingerprint: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    release: Option<String>,
    tegami: String,
    /// Each file's SHA-256.
    files: BTreeMap<String, String>,
}

/// What the archive has of one version of an event.
pub(super) struct Kept {
    pub(super) event: String,
    pub(super) samples: Vec<EventSample>,
    /// The file they are in.
    pub(super) file: PathBuf,
}

impl Kept {
    /// Reads a version's folder, if it is as it was written.
    pub(super) fn read(folder: &Path) -> Result<Self, Error> {
        let at = folder.join(MANIFEST);
        let text = read(&at)?;
        let manifest: Manifest =
            serde_json::from_slice(&text).map_err(|error| broken(&at, &format!("no manifest: {error}")))?;
        if manifest.archive != FORMAT {
            let text = format!("it is of format {}; this tegami reads {FORMAT}", manifest.archive);
            return Err(broken(&at, &text));
        }
        let names = [Some(folder), folder.parent()].map(|folder| folder.and_then(Path::file_name));
        if names != [Some(manifest.fingerprint.as_ref()), Some(manifest.event.as_ref())] {
            return Err(broken(&at, "it is of another event or version than its folder's names say"));
        }
        for (name, hash) in &manifest.files {
            let at = folder.join(plain(name).ok_or_else(|| broken(&at, &format!("`{name}` is no name of a file")))?);
            if digest(&read(&at)?) != *hash {
                return Err(broken(
                    &at,
                    "it is not as it was written: take it from git again, files are never changed",
                ));
            }
        }
        if let Some(name) = [LOCK, SAMPLES].into_iter().find(|name| !manifest.files.contains_key(*name)) {
            return Err(broken(&at, &format!("it does not name `{name}`")));
        }
        let file = folder.join(SAMPLES);
        let text = read(&file)?;
        let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let samples = lines.map(serde_json::from_slice).collect::<Result<_, _>>();
        let samples = samples.map_err(|error| broken(&file, &format!("a line is no sample: {error}")))?;
        Ok(Self { event: manifest.event, samples, file })
    }

    /// Writes a version's folder, in one step: all of it or nothing, and only where nothing is.
    pub(super) fn write(
        folder: &Path,
        event: &EventSamples,
        (release, lock): (Option<&str>, &str),
    ) -> Result<(), Error> {
        let mut samples = String::new();
        for sample in &event.samples {
            let _ = writeln!(samples, "{}", serde_json::to_string(sample).expect("it is plain data"));
        }
        let mut files = BTreeMap::from([(LOCK, lock.to_owned()), (SAMPLES, samples)]);
        let manifest = Manifest {
            archive: FORMAT,
            event: event.event.clone(),
            version: event.version,
            fingerprint: event.fingerprint.clone(),
            release: release.map(str::to_owned),
            tegami: env!("CARGO_PKG_VERSION").to_owned(),
            files: files.iter().map(|(name, text)| ((*name).to_owned(), digest(text.as_bytes()))).collect(),
        };
        files.insert(MANIFEST, serde_json::to_string_pretty(&manifest).expect("it is plain data") + "\n");
        let of_event = folder.join(&event.event);
        let (to, begun) =
            (of_event.join(&event.fingerprint), of_event.join(format!(".{}.unfinished", event.fingerprint)));
        let put = || {
            fs::create_dir_all(&begun)?;
            files.iter().try_for_each(|(name, text)| fs::write(begun.join(name), text))?;
            // Refused where a folder with files is.
            fs::rename(&begun, &to)
        };
        put()
            .inspect_err(|_| drop(fs::remove_dir_all(&begun)))
            .map_err(|error| broken(&to, &format!("cannot be written: {error}")))
    }
}

/// Is what is in the folder given up?
pub(super) fn is_retired(folder: &Path) -> bool {
    folder.join(RETIRED).is_file()
}

/// The folders in a folder, by name.
pub(super) fn subfolders(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let wrong = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => broken(folder, "there is no archive here: `tegami contracts archive` makes one"),
        _ => broken(folder, &format!("cannot be read: {error}")),
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(wrong)? {
        let entry = entry.map_err(wrong)?;
        let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
        if !is_hidden && entry.path().is_dir() {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => broken(path, "it is missing: take it from git again, files are never removed"),
        _ => broken(path, &format!("cannot be read: {error}")),
    })
}

/// A name that leads out of no folder.
fn plain(name: &str) -> Option<&str> {
    (Path::new(name).file_name() == Some(name.as_ref())).then_some(name)
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn broken(at: &Path, why: &str) -> Error {
    Error::new(ErrorKind::Broken, format!("`{}`: {why}", at.display()))
}
