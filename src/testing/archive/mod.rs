//! What released versions wrote, kept as files: every later build still reads it.
//!
//! `tegami contracts archive -- ./billing` keeps samples of each event that the service has, as its build writes them, with
//! the lock of their contracts. Files are added, never changed. [`check`] reads all of them.

mod compare;
mod folder;

use std::{collections::BTreeMap, fs, io, path::Path};

use crate::{
    Service,
    codec::{DecodeErrorKind, Payload, Told, Values},
    error::{Failure, Kind, told},
    event::Encoding,
    service::{EventSample, EventSamples, Samples},
};
use compare::difference;
use folder::{Kept, is_retired, subfolders};

/// Why an archive is not what it should be.
pub type Error = Failure<ErrorKind>;

/// The causes of an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A file is missing, cut short, changed, or cannot be read or written.
    Broken,
    /// The service has no such event.
    UnknownEvent,
    /// What was written then is refused now, or read as something else.
    Differs,
}

impl Kind for ErrorKind {
    fn is_transient(self) -> bool {
        false
    }
}

/// The most problems that are told at once.
const MOST: usize = 20;

/// Reads everything in the archive with today's contracts, and tells how many samples those were.
///
/// Each must be read as what it was: the canonical JSON beside it tells. Fields that the contract no longer has do not
/// count, nor does what it has anew. Where the service upcasts an event, its steps are taken too: none may panic, and the
/// newest contract must have a place for one sample at least.
///
/// # Examples
/// ```no_run
/// # fn service() -> tegami::Service { tegami::Service::new("billing") }
/// #[test]
/// fn released_versions_are_read() {
///     tegami::testing::archive::check("archive", &service()).unwrap();
/// }
/// ```
///
/// # Errors
/// Each sample that is refused or read as something else, with its file, event and field; each file that is not as it
/// was written; each event that the service no longer has. One that is given up on purpose has a file `retired` in its
/// folder, with the reason.
pub fn check<S: Send + Sync + 'static>(folder: impl AsRef<Path>, service: &Service<S>) -> Result<usize, Error> {
    let folder = folder.as_ref();
    let mut reader = Reader { service, read: 0, problems: Vec::new() };
    for event in subfolders(folder)? {
        reader.event(&event);
    }
    let Reader { read, problems, .. } = reader;
    let Some(first) = problems.first() else { return Ok(read) };
    let mut lines: Vec<_> = problems.iter().take(MOST).map(ToString::to_string).collect();
    if let Some(more) = problems.len().checked_sub(MOST).filter(|more| *more > 0) {
        lines.push(format!("and {more} more"));
    }
    Err(Error::new(first.kind(), lines.join("\n")))
}

/// What became of an event's samples.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The event's name.
    pub event: String,
    /// Its contract's fingerprint.
    pub fingerprint: String,
    /// How many samples the archive has of it; none, where none could be made up that the contract takes.
    pub samples: usize,
    /// Were they there already?
    pub known: bool,
}

/// Adds samples to an archive, with the lock of each event. What is there already, by event and fingerprint, stays.
///
/// # Errors
/// What the archive has of one of the events is retired, or not as it was written: nothing is added then. Or a folder
/// cannot be written.
pub fn add(folder: &Path, samples: &Samples, locks: &BTreeMap<String, String>) -> Result<Vec<Entry>, Error> {
    let known = samples.events.iter().map(|event| known(folder, event)).collect::<Result<Vec<_>, _>>()?;
    let mut entries = Vec::new();
    for (event, known) in samples.events.iter().zip(known) {
        let count = known.as_ref().map_or(event.samples.len(), |kept| kept.samples.len());
        if known.is_none() && !event.samples.is_empty() {
            let lock = locks.get(&event.event).map_or("", String::as_str);
            Kept::write(folder, event, (samples.release.as_deref(), lock))?;
        }
        let (name, fingerprint) = (event.event.clone(), event.fingerprint.clone());
        entries.push(Entry { event: name, fingerprint, samples: count, known: known.is_some() });
    }
    Ok(entries)
}

/// What the archive has of the event, whole; nothing, where it can be added.
fn known(folder: &Path, event: &EventSamples) -> Result<Option<Kept>, Error> {
    let of_event = folder.join(&event.event);
    let of_version = of_event.join(&event.fingerprint);
    if let Some(retired) = [&of_event, &of_version].into_iter().find(|folder| is_retired(folder)) {
        let text = format!("`{}` is retired: take the file `retired` out of it first", retired.display());
        return Err(Error::new(ErrorKind::Broken, text));
    }
    match fs::symlink_metadata(&of_version) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        _ => Kept::read(&of_version).map(Some),
    }
}

/// Reads an archive as a service would.
struct Reader<'a, S> {
    service: &'a Service<S>,
    read: usize,
    problems: Vec<Error>,
}

impl<S> Reader<'_, S> {
    fn event(&mut self, folder: &Path) {
        if is_retired(folder) {
            return;
        }
        match subfolders(folder) {
            Ok(versions) => {
                versions.iter().filter(|version| !is_retired(version)).for_each(|version| self.kept(version))
            }
            Err(error) => self.problems.push(error),
        }
    }

    fn kept(&mut self, folder: &Path) {
        let kept = match Kept::read(folder) {
            Ok(kept) => kept,
            Err(error) => return self.problems.push(error),
        };
        let parts = &self.service.parts;
        let Some((_, told)) = parts.contracts.get(&*kept.event) else {
            let text = format!(
                "`{}`: the service `{}` has no event `{}`; to give it up on purpose, put a file `retired` with the \
                 reason into the folder of the event or of this version of it",
                folder.display(),
                parts.name,
                kept.event
            );
            return self.problems.push(Error::new(ErrorKind::UnknownEvent, text));
        };
        let mut refused = Vec::new();
        for sample in &kept.samples {
            self.read += 1;
            match self.sample(&kept.event, told, sample) {
                Ok(why) => refused.extend(why),
                Err(why) => self.differs(&kept, &sample.name, &why),
            }
        }
        if refused.len() == kept.samples.len() {
            refused.first().into_iter().for_each(|why| self.differs(&kept, "all", why));
        }
    }

    fn differs(&mut self, kept: &Kept, sample: &str, why: &str) {
        let text = format!("`{}`: {} `{sample}`, {why}", kept.file.display(), kept.event);
        self.problems.push(Error::new(ErrorKind::Differs, text));
    }

    /// Why the sample is not read as what it was, in one of its encodings; or why the newer contract has no place for it.
    fn sample(&self, event: &str, told_of: &Told, sample: &EventSample) -> Result<Option<String>, String> {
        let schema = told_of.schema();
        let kept = serde_json::from_str(sample.json.get()).map_err(|error| format!("kept value: {error}"))?;
        let mut refused = None;
        for payload in sample.payloads().map_err(|error| format!("in Protobuf: no base64: {error}"))? {
            let why = |why: String| format!("in {:?}: {why}", payload.encoding);
            let now = (told_of.recode)(&payload, Encoding::Json).map_err(|error| why(told(&error)))?;
            let now = serde_json::from_slice(&now.bytes).map_err(|error| why(error.to_string()))?;
            difference(&schema, &kept, &now).map_or(Ok(()), |difference| Err(why(difference)))?;
            refused = self.upcast(event, &payload).map_err(why)?;
        }
        Ok(refused)
    }

    /// Why the newer contract has no place for the event: then it is a dead letter, which may be meant.
    fn upcast(&self, event: &str, payload: &Payload) -> Result<Option<String>, String> {
        let upcasts = &self.service.parts.upcasts;
        let Some(end) = upcasts.end(event) else { return Ok(None) };
        match upcasts.lift(event, payload, Values::Whole, end) {
            Ok(_) => Ok(None),
            Err(error) if error.kind() == DecodeErrorKind::Invalid => Ok(Some(told(&error))),
            Err(error) => Err(told(&error)),
        }
    }
}
