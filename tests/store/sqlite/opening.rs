//! How a file is opened: made, brought up to date, refused.

use std::{fs, path::Path};

use tegami::store::{Sqlite, Store, StoreErrorKind};
use tokio::task::JoinSet;

use super::{Folder, store_at};
use crate::payments::{amounts, payments};

async fn refused(path: &Path) -> (StoreErrorKind, String) {
    let error = Sqlite::connect(path).await.expect_err("it cannot be opened");
    (error.kind(), error.to_string())
}

/// A connection past the store, for what others do to a file.
pub(super) fn beside(path: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(path).expect("the file can be opened")
}

#[tokio::test]
async fn k1_a_file_that_is_none_of_ours_is_refused_by_name() {
    let folder = Folder::new();
    let path = folder.file();
    fs::write(&path, "not a database, and longer than the header of one. ".repeat(20)).expect("it is written");
    let (kind, text) = refused(&path).await;
    assert_eq!(kind, StoreErrorKind::Mismatch);
    assert!(text.contains("events.db") && text.contains("no SQLite file"), "{text}");
    let (kind, text) = refused(&folder.0.join("nowhere/events.db")).await;
    assert_eq!(kind, StoreErrorKind::Unreachable);
    assert!(text.contains("nowhere/events.db"), "{text}");
}

#[tokio::test]
async fn k1_tables_of_a_later_release_are_refused_and_left_alone() {
    let folder = Folder::new();
    let store = store_at(&folder.file()).await;
    store.append(payments("o-1", 2)).await.expect("it is appended");
    store.inner().close().await;
    beside(&folder.file()).execute("INSERT INTO tegami_schema VALUES (99)", ()).expect("it is written");
    let (kind, text) = refused(&folder.file()).await;
    assert_eq!(kind, StoreErrorKind::Mismatch);
    assert!(text.contains("version 99") && text.contains("use the later release"), "{text}");
    beside(&folder.file()).execute("DELETE FROM tegami_schema WHERE version = 99", ()).expect("it is written");
    assert_eq!(amounts(&store_at(&folder.file()).await, "o-1").await, [1, 2]);
}

/// Many open a file that is not there yet, each as another process would.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_are_made_once_however_many_open_at_once() {
    let folder = Folder::new();
    let mut opening = JoinSet::new();
    for n in 0..16 {
        let path = folder.file();
        opening.spawn(async move {
            let store = Store::new(Sqlite::connect(path).await.expect("the file can be opened"));
            store.append(payments(&format!("o-{n}"), 1)).await.expect("it is appended");
        });
    }
    opening.join_all().await;
    // As many steps as the last one's version says.
    let versions = "SELECT count(*), max(version) FROM tegami_schema";
    let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
    let (steps, last) = beside(&folder.file()).query_row(versions, (), read).expect("it is read");
    assert_eq!(steps, last);
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let folder = Folder::new();
    let store = store_at(&folder.file()).await;
    store.append(payments("o-1", 1)).await.expect("it is appended");
    let clone = store.clone();
    store.inner().close().await;
    let error = clone.append(payments("o-1", 1)).await.expect_err("it is closed");
    assert_eq!(error.kind(), StoreErrorKind::Closed);
    let left: Vec<_> =
        fs::read_dir(&*folder.0).expect("it is read").map(|file| file.expect("one").file_name()).collect();
    assert_eq!(left, ["events.db"], "the log was copied into the file");
}
