//! What every process saw, written down line by line, so that a checker can say afterwards whether a promise broke.
//!
//! Each process appends to a file of its own in one folder; [`Entry`] says what may stand there. Every line is one
//! `write` on a file opened for appending, so what was written survives a process that is killed. At the end
//! [`Verdict::of`] reads the folder.

mod checksum;
mod entry;
mod read;
mod resources;
mod verdict;

pub use checksum::Checksum;
pub use entry::{Answer, Ended, Entry, Line};
pub use read::{LedgerError, LedgerErrorKind};
pub(crate) use verdict::Rest;
pub use verdict::{Counts, Figure, Growth, Offence, Recovery, Stall, Verdict};

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
};

use crate::time::{
    Clock,
    epoch::{nanoseconds, since_1970},
};

/// How the files of ledgers end.
const ENDING: &str = "ledger";

/// The ledger of one process. Clones write to the same file, from any thread.
///
/// # Examples
/// ```
/// use tegami::{
///     testing::ledger::{Answer, Checksum, Entry, Ledger},
///     time::Clock,
/// };
/// # let folder = std::env::temp_dir().join(format!("tegami-ledger-example-{}", std::process::id()));
/// let ledger = Ledger::open(&folder, "publisher", Clock::system())?;
/// ledger.write(Entry::PublishBegin {
///     id: "m-1".into(),
///     key: None,
///     sequence: 1,
///     checksum: Checksum::of(&Default::default()),
///     to: vec!["billing".into()],
/// });
/// ledger.publish_end("m-1", Answer::Ok);
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Ledger(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    clock: Clock,
    file: Mutex<File>,
}

impl Ledger {
    /// Begins a new file in the folder: `<process>-1.ledger`, or the next number that is free.
    ///
    /// A process that is killed and started again therefore has two files, and its second life is another
    /// publisher: what was running at the end of the first is over.
    ///
    /// # Errors
    /// The folder or the file cannot be made.
    pub fn open(folder: impl AsRef<Path>, process: &str, clock: Clock) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        let names = (1..).map(|number: u32| folder.as_ref().join(format!("{process}-{number}.{ENDING}")));
        for path in names {
            match OpenOptions::new().append(true).create_new(true).open(&path) {
                Ok(file) => return Ok(Self(Arc::new(Inner { path, clock, file: Mutex::new(file) }))),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(ErrorKind::AlreadyExists.into())
    }

    /// The file this ledger writes.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Writes one line, with the time of now.
    ///
    /// # Panics
    /// The line cannot be written whole. A checker could not tell the gap from a promise kept, so nothing goes on.
    pub fn write(&self, entry: Entry) {
        // The time is read under the lock: within a file it never goes back.
        let mut file = self.file();
        let at = nanoseconds(since_1970(self.0.clock.now())).unsigned_abs();
        let mut line = serde_json::to_vec(&Line { at, entry }).expect("a line is plain data");
        line.push(b'\n');
        if let Err(error) = write_at_once(&mut file, &line) {
            panic!("the ledger {} lost a line: {error}", self.0.path.display());
        }
    }

    /// A publish came back.
    ///
    /// # Panics
    /// As [`write`](Self::write).
    pub fn publish_end(&self, id: impl Into<String>, answer: Answer) {
        self.write(Entry::PublishEnd { id: id.into(), answer });
    }

    /// An effect of a message was found.
    ///
    /// # Panics
    /// As [`write`](Self::write).
    pub fn effect(&self, id: impl Into<String>, subscription: impl Into<String>) {
        self.write(Entry::Effect { id: id.into(), subscription: subscription.into() });
    }

    /// Runs something with this fault under way.
    ///
    /// # Panics
    /// As [`write`](Self::write).
    pub async fn fault<T>(&self, name: impl Into<String>, during: impl Future<Output = T>) -> T {
        let name = name.into();
        self.write(Entry::FaultBegin { name: name.clone() });
        let done = during.await;
        self.write(Entry::FaultEnd { name });
        done
    }

    fn file(&self) -> MutexGuard<'_, File> {
        self.0.file.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// Writes the line with one call, so that lines of other processes or a kill do not come between.
fn write_at_once(file: &mut File, line: &[u8]) -> io::Result<()> {
    loop {
        match file.write(line) {
            Ok(written) if written == line.len() => return Ok(()),
            Ok(_) => return Err(ErrorKind::WriteZero.into()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        thread,
        time::{Duration, SystemTime},
    };

    use super::*;

    /// A folder of this test's own, removed with the value.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            Self(std::env::temp_dir().join(format!("tegami-ledger-{name}-{}", std::process::id())))
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn lines(ledger: &Ledger) -> Vec<Line> {
        let text = fs::read_to_string(ledger.path()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_process_started_again_begins_another_file() {
        let folder = Folder::new("again");
        let first = Ledger::open(&folder.0, "consumer", Clock::system()).unwrap();
        let second = Ledger::open(&folder.0, "consumer", Clock::system()).unwrap();
        first.publish_end("m-1", Answer::Ok);
        assert_eq!(first.path(), folder.0.join("consumer-1.ledger"));
        assert_eq!(second.path(), folder.0.join("consumer-2.ledger"));
        assert_eq!((lines(&first).len(), lines(&second).len()), (1, 0));
    }

    #[test]
    fn lines_of_many_threads_are_whole_and_in_order_of_time() {
        let folder = Folder::new("threads");
        let ledger = Ledger::open(&folder.0, "consumer", Clock::system()).unwrap();
        thread::scope(|scope| {
            for name in ["a", "b", "c", "d"] {
                let ledger = ledger.clone();
                scope.spawn(move || (0..250).for_each(|n| ledger.effect(format!("{name}-{n}"), "billing")));
            }
        });
        let lines = lines(&ledger);
        assert_eq!(lines.len(), 1_000);
        assert!(lines.is_sorted_by_key(|line| line.at));
    }

    #[test]
    fn a_line_says_when_and_what() {
        let folder = Folder::new("line");
        let clock = Clock::starting_at(SystemTime::UNIX_EPOCH + Duration::from_secs(1));
        let ledger = Ledger::open(&folder.0, "consumer", clock).unwrap();
        ledger.effect("m-1", "billing");
        let line = &lines(&ledger)[0];
        assert!((1_000_000_000..60_000_000_000).contains(&line.at), "{}", line.at);
        let entry = serde_json::to_string(&line.entry).unwrap();
        assert_eq!(entry, r#"{"effect":{"id":"m-1","subscription":"billing"}}"#);
    }

    #[tokio::test]
    async fn a_fault_begins_before_and_ends_after() {
        let folder = Folder::new("fault");
        let ledger = Ledger::open(&folder.0, "nemesis", Clock::system()).unwrap();
        ledger.fault("F01", async { ledger.effect("m-1", "billing") }).await;
        let name = || "F01".to_owned();
        let entries: Vec<Entry> = lines(&ledger).into_iter().map(|line| line.entry).collect();
        let effect = Entry::Effect { id: "m-1".into(), subscription: "billing".into() };
        assert_eq!(entries, [Entry::FaultBegin { name: name() }, effect, Entry::FaultEnd { name: name() }]);
    }
}
