//! A process that is killed while it appends. The binary runs again as that process.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use tokio::{runtime::Runtime, task::JoinSet};

use super::{Folder, store_at};
use crate::payments::{amounts, payments};

/// Tells the binary to be the process that is killed, and where the file is.
const ROLE: &str = "STORE_CHILD";
/// How many append at once.
const WRITERS: usize = 4;

/// Not a test by itself: the process that the test below starts.
#[test]
fn process() {
    let Some(path) = std::env::var_os(ROLE) else { return };
    Runtime::new().expect("a runtime").block_on(append_for_ever(Path::new(&path)));
}

async fn append_for_ever(path: &Path) {
    let store = store_at(path).await;
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let store = store.clone();
        writers.spawn(async move {
            loop {
                let appended = store.append(payments(&format!("o-{writer}"), 3)).await.expect("it is appended");
                println!("\nrecorded o-{writer} {}", appended.version);
            }
        });
    }
    writers.join_all().await;
}

/// The last version of each stream that the process was sure of when it was killed.
fn killed_after(path: &Path, answers: usize) -> BTreeMap<String, usize> {
    let mut command = Command::new(std::env::current_exe().expect("this binary"));
    command.args(["sqlite::crash::process", "--exact", "--nocapture"]).stdin(Stdio::null());
    let mut child = command.env(ROLE, path).stdout(Stdio::piped()).spawn().expect("this binary runs");
    let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let mut sure = BTreeMap::new();
    let mut count = 0;
    // What it told before it was killed is still in the pipe.
    for line in lines.map_while(Result::ok) {
        let Some(told) = line.strip_prefix("recorded ") else { continue };
        let (stream, version) = told.split_once(' ').expect("a stream and a version");
        sure.insert(stream.to_owned(), version.parse().expect("a number"));
        count += 1;
        if count == answers {
            child.kill().expect("it can be killed");
        }
    }
    child.wait().expect("it has ended");
    assert!(count >= answers, "it ended by itself after {count} answers");
    sure
}

/// E2, F26: what was answered is there, and each append is whole, however often the process is killed.
#[test]
fn e2_what_was_answered_outlives_a_kill() {
    let folder = Folder::new();
    let runtime = Runtime::new().expect("a runtime");
    for round in 1..=6 {
        let sure = killed_after(&folder.file(), 7 * round);
        runtime.block_on(async {
            let store = store_at(&folder.file()).await;
            for writer in 0..WRITERS {
                let stream = format!("o-{writer}");
                let amounts = amounts(&store, &stream).await;
                assert_eq!(amounts, [1, 2, 3].repeat(amounts.len() / 3), "half an append in `{stream}`");
                let sure = sure.get(&stream).copied().unwrap_or_default();
                assert!(amounts.len() >= sure, "`{stream}` has {} events of {sure} that were answered", amounts.len());
            }
            store.inner().close().await;
        });
    }
}
