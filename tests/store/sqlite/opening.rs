//! How a file is opened: made, brought up to date, refused.

use std::{fs, path::Path};

use tegami::{
    outbox::{Database as _, Marked, Outbox},
    sqlite::Database,
    store::{Sqlite, Store, StoreErrorKind},
};
use tokio::task::JoinSet;

use super::{Folder, store_at};
use crate::payments::{amounts, kept_in, mark, payments};

/// The steps that made the tables, each from the version before.
const STEPS: [&str; 7] = [
    include_str!("../../../src/store/sqlite/schema-1.sql"),
    include_str!("../../../src/store/sqlite/schema-2.sql"),
    include_str!("../../../src/store/sqlite/schema-3.sql"),
    include_str!("../../../src/store/sqlite/schema-4.sql"),
    include_str!("../../../src/store/sqlite/schema-5.sql"),
    include_str!("../../../src/store/sqlite/schema-6.sql"),
    include_str!("../../../src/store/sqlite/schema-7.sql"),
];

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

/// A file as an earlier release left it: with the tables of that version, and in them what is in this file of today.
fn as_of(version: usize, path: &Path, today: &Path) {
    let old = beside(path);
    old.execute_batch("CREATE TABLE tegami_schema (version INTEGER PRIMARY KEY) STRICT").expect("it is made");
    for (number, step) in (1..).zip(&STEPS[..version]) {
        old.execute_batch(step).expect("it is made");
        old.execute("INSERT INTO tegami_schema VALUES (?1)", [number]).expect("it is written");
    }
    old.execute("ATTACH ?1 AS today", [today.display().to_string()]).expect("it is there");
    let tables = "SELECT m.name, group_concat(c.name) FROM main.sqlite_schema m, pragma_table_info(m.name, 'main') c \
                  WHERE m.type = 'table' AND m.name LIKE 'tegami_%' AND m.name <> 'tegami_schema' GROUP BY 1";
    let mut tables = old.prepare(tables).expect("it is SQL");
    let copies = tables.query_map((), |row| {
        let (table, columns): (String, String) = (row.get(0)?, row.get(1)?);
        Ok(format!("INSERT INTO main.{table} ({columns}) SELECT {columns} FROM today.{table}"))
    });
    let copies: Vec<_> = copies.expect("they are read").map(|copy| copy.expect("it is read")).collect();
    for copy in copies {
        old.execute(&copy, ()).expect("it is written");
    }
}

#[tokio::test]
async fn tables_of_each_earlier_version_are_brought_up_to_date_with_what_is_in_them() {
    let today = Folder::new();
    kept_in(&Database::connect(today.file()).await.expect("it opens"), &store_at(&today.file()).await).await;
    for version in 1..=STEPS.len() {
        let folder = Folder::new();
        as_of(version, &folder.file(), &today.file());
        let db = Database::connect(folder.file()).await.expect("it opens");
        let store = Store::new(db.store());
        store.append(payments("o-1", 1)).await.expect("it is appended");
        assert_eq!(amounts(&store, "o-1").await, [1, 2, 3, 1], "version {version}");
        // The second has outbox and inbox.
        assert_eq!(db.waiting().await.expect("it is read"), u64::from(version > 1), "version {version}");
        let mut tx = db.begin().await.expect("it begins");
        let marked = db.mark(&mut tx, &mark()).await.expect("it is asked");
        assert_eq!(marked == Marked::Known, version > 1, "version {version}");
        tx.rollback().await;
        db.close().await;
    }
    let last =
        beside(&today.file()).query_row("SELECT max(version) FROM tegami_schema", (), |row| row.get::<_, u32>(0));
    assert_eq!(last.expect("it is read") as usize, STEPS.len(), "each step is tried");
}
