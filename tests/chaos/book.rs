//! The ledgers of a phase, read as they grow.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs::{self, File},
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    time::Duration,
};

use tegami::testing::ledger::{Answer, Ended, Entry, Line};

/// What the ledgers have told so far.
#[derive(Default)]
pub struct Book {
    folder: PathBuf,
    /// How far each file is read.
    read: BTreeMap<PathBuf, u64>,
    messages: HashMap<String, Message>,
    /// How many messages were taken, and how many are completed somewhere.
    pub published: usize,
    pub handled: usize,
    /// What was completed for the first time since this was last looked at, and when.
    fresh: Vec<(String, u64)>,
    /// When each fault began.
    faults: BTreeMap<u64, String>,
}

/// What became of one message.
#[derive(Default)]
struct Message {
    begun_at: u64,
    begins: usize,
    is_ok: bool,
    to: Vec<String>,
    /// How often each queue completed it, and when first.
    done: BTreeMap<String, (usize, u64)>,
}

impl Message {
    /// Completions of each queue beyond as many as publishes, and when it first completed it.
    fn repeats(&self) -> impl Iterator<Item = (usize, u64)> {
        let beyond = |(done, first): &(usize, u64)| (done.saturating_sub(self.begins.max(1)), *first);
        self.done.values().map(beyond).filter(|(times, _)| *times > 0)
    }
}

impl Book {
    pub fn of(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), ..Self::default() }
    }

    /// Reads what has been written since.
    pub fn read(&mut self) {
        for path in files(&self.folder) {
            let from = self.read.entry(path.clone()).or_default();
            let mut file = File::open(&path).expect("a ledger can be read");
            file.seek(SeekFrom::Start(*from)).expect("a ledger can be read");
            let mut text = String::new();
            file.read_to_string(&mut text).expect("a ledger is text");
            // A line that is not yet whole is read the next time.
            let whole = text.rfind('\n').map_or(0, |end| end + 1);
            *from += whole as u64;
            text[..whole].lines().flat_map(serde_json::from_str).for_each(|line| self.add(line));
        }
    }

    fn add(&mut self, Line { at, entry }: Line) {
        match entry {
            Entry::PublishBegin { id, to, .. } => {
                let message = self.messages.entry(id).or_default();
                message.begins += 1;
                if message.begins == 1 {
                    (message.begun_at, message.to) = (at, to);
                }
            }
            Entry::PublishEnd { id, answer: Answer::Ok } => {
                let message = self.messages.entry(id).or_default();
                self.published += usize::from(!message.is_ok);
                message.is_ok = true;
            }
            Entry::RunEnd { id, subscription, ended: Ended::Ok, .. } => {
                let message = self.messages.entry(id.clone()).or_default();
                let (done, first) = message.done.entry(subscription).or_insert((0, at));
                (*done, *first) = (*done + 1, at.min(*first));
                if *done == 1 {
                    self.handled += 1;
                    self.fresh.push((id, at));
                }
            }
            Entry::FaultBegin { name } => {
                self.faults.insert(at, name);
            }
            _ => {}
        }
    }

    /// The messages that were taken, and are completed neither there nor known to be dead, by their queues.
    pub fn missing(&self, dead: &BTreeSet<String>) -> BTreeSet<&str> {
        let awaited = self.messages.iter().filter(|(id, message)| {
            message.is_ok && !dead.contains(*id) && message.to.iter().any(|to| !message.done.contains_key(to))
        });
        awaited.map(|(id, _)| id.as_str()).collect()
    }

    /// Has a queue completed this message?
    pub fn is_done(&self, id: &str) -> bool {
        self.messages.get(id).is_some_and(|message| !message.done.is_empty())
    }

    /// How many messages were completed in a queue again, beyond what was published again: by the last fault that had begun
    /// when they were first completed.
    pub fn repeated(&self) -> BTreeMap<String, usize> {
        let mut repeated = BTreeMap::new();
        for (times, first) in self.messages.values().flat_map(Message::repeats) {
            let fault = self.faults.range(..=first).next_back().map_or("no fault", |(_, name)| name);
            *repeated.entry(fault.to_owned()).or_default() += times;
        }
        repeated
    }

    /// What nine of ten took at most, from the begin of the publish, of what was completed since this was last asked.
    pub fn slowest(&mut self) -> Option<Duration> {
        // The ledger of its publisher may be read after that of its consumer.
        let fresh = std::mem::take(&mut self.fresh).into_iter();
        let mut waits: Vec<_> = fresh.map(|(id, at)| at.saturating_sub(self.messages[&id].begun_at)).collect();
        waits.sort_unstable();
        waits.get(waits.len() * 9 / 10).copied().map(Duration::from_nanos)
    }
}

/// The lines of all ledgers in which this stands, in order of time; each with its file.
pub fn lines_of(folder: &Path, id: &str) -> Vec<String> {
    let word = serde_json::to_string(id).expect("plain data");
    let mut found = Vec::new();
    for path in files(folder) {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap_or_default();
        found.extend(text.lines().filter(|line| line.contains(&word)).map(|line| (line.to_owned(), name.clone())));
    }
    // Each line begins with its time, which has as many digits everywhere.
    found.sort();
    found.into_iter().map(|(line, name)| format!("{name}: {line}")).collect()
}

fn files(folder: &Path) -> BTreeSet<PathBuf> {
    let found = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    found.filter(|path| path.extension().is_some_and(|ending| ending == "ledger")).collect()
}
