//! One transaction: who waits for whom, and how it ends.

use std::time::Duration;

use tegami::{
    outbox::DatabaseErrorKind as Kind,
    sqlite::Database,
    store::{Append, Store, StreamId, Version},
};

use super::{write, written};
use crate::{Folder, paid};

#[tokio::test]
async fn what_is_not_committed_was_never_there() {
    let folder = Folder::new();
    let db = folder.open().await;
    let mut dropped = db.begin().await.expect("it begins");
    write(&mut dropped, "dropped").await.expect("it is written");
    drop(dropped);
    let mut undone = db.begin().await.expect("the dropped one is over");
    write(&mut undone, "undone").await.expect("it is written");
    undone.rollback().await;
    let mut kept = db.begin().await.expect("it begins");
    write(&mut kept, "kept").await.expect("it is written");
    kept.commit().await.expect("it is committed");
    assert_eq!(written(&db).await, ["kept"]);
}

#[tokio::test]
async fn a_statement_that_fails_is_told_and_the_transaction_goes_on() {
    let folder = Folder::new();
    let db = folder.open().await;
    let mut tx = db.begin().await.expect("it begins");
    write(&mut tx, "kept").await.expect("it is written");
    let error =
        tx.run(|sql| sql.execute("INSERT INTO nowhere VALUES (1)", ())).await.expect_err("there is no such table");
    assert_eq!(error.kind(), Kind::Statement);
    assert!(format!("{error:?}").contains("no such table: nowhere"), "{error:?}");
    tx.commit().await.expect("it is committed");
    assert_eq!(written(&db).await, ["kept"]);
}

#[tokio::test(start_paused = true)]
async fn one_that_waits_for_another_waits_its_time_and_no_longer() {
    let folder = Folder::new();
    let db = folder.open().await.begin_within(Duration::from_secs(3));
    let first = db.begin().await.expect("it begins");
    let begun = tokio::time::Instant::now();
    let error = db.begin().await.expect_err("the first is open");
    assert_eq!((error.kind(), begun.elapsed().as_secs()), (Kind::Busy, 3), "{error}");
    let (second, ()) = tokio::join!(db.begin(), async { drop(first) });
    second.expect("its turn has come").commit().await.expect("it is committed");
}

#[tokio::test(start_paused = true)]
async fn one_that_is_open_for_too_long_is_undone_and_says_so() {
    let folder = Folder::new();
    let db = folder.open().await.open_for(Duration::from_secs(2));
    let mut idle = db.begin().await.expect("it begins");
    write(&mut idle, "too late").await.expect("it is written");
    let waited = tokio::time::Instant::now();
    let mut next = db.begin().await.expect("the idle one is undone");
    assert_eq!(waited.elapsed().as_secs(), 2);
    let error = write(&mut idle, "more").await.expect_err("its time is up");
    assert_eq!(error.kind(), Kind::TooLong);
    assert!(error.to_string().contains("longer than 2s"), "{error}");
    assert_eq!(idle.commit().await.expect_err("its time is up").kind(), Kind::TooLong);
    write(&mut next, "in time").await.expect("it is written");
    next.commit().await.expect("it is committed");
    assert_eq!(written(&db).await, ["in time"]);
}

/// Work that ends the transaction behind our back could go on outside any.
#[tokio::test]
async fn work_that_ends_the_transaction_itself_is_the_last_in_it() {
    let folder = Folder::new();
    let db = folder.open().await;
    let mut tx = db.begin().await.expect("it begins");
    let error = tx.run(|sql| sql.execute_batch("ROLLBACK")).await.expect_err("it is over");
    assert_eq!(error.kind(), Kind::Over, "{error}");
    let error = write(&mut tx, "outside").await.expect_err("it is over");
    assert_eq!(error.kind(), Kind::Over, "{error}");
    drop(tx);
    assert!(written(&db).await.is_empty());
}

#[tokio::test]
async fn work_that_panics_undoes_the_transaction_and_frees_the_file() {
    let folder = Folder::new();
    let db = folder.open().await;
    let other = db.clone();
    let panicking = tokio::spawn(async move {
        let mut tx = other.begin().await.expect("it begins");
        write(&mut tx, "before the panic").await.expect("it is written");
        tx.run(|_| -> rusqlite::Result<()> { panic!("as it is told") }).await
    });
    assert!(panicking.await.expect_err("the panic goes on").is_panic());
    assert!(written(&db).await.is_empty());
}

/// A store in the same file waits for its turn: neither is told that the file is locked.
#[tokio::test]
async fn appends_and_transactions_on_one_file_take_turns() {
    let folder = Folder::new();
    let db = folder.open().await;
    let store = Store::new(db.store());
    let appends = (0..50).map(|n| {
        let (store, stream) = (store.clone(), StreamId::new(format!("order/{n}")).expect("a good name"));
        tokio::spawn(async move { store.append(Append::to(stream).event(&paid("o-1")).expect("it is valid")).await })
    });
    let appends: Vec<_> = appends.collect();
    let writes = (0..50).map(|n| {
        let db = db.clone();
        tokio::spawn(async move {
            let mut tx = db.begin().await?;
            write(&mut tx, &format!("o-{n}")).await?;
            tx.commit().await
        })
    });
    for write in writes.collect::<Vec<_>>() {
        write.await.expect("no panic").expect("it is written");
    }
    for append in appends {
        append.await.expect("no panic").expect("it is appended");
    }
    assert_eq!(written(&db).await.len(), 50);
    let stream = StreamId::new("order/49").expect("a good name");
    assert_eq!(store.read::<crate::OrderPaid>(&stream, Version::START).await.expect("it is read").len(), 1);
    db.close().await;
    assert_eq!(db.begin().await.expect_err("it is closed").kind(), Kind::Closed);
}

/// The process's own connections wait in turn; another process's are waited for by SQLite.
#[tokio::test]
async fn two_connections_to_one_file_wait_for_each_other() {
    let folder = Folder::new();
    let (one, other) = (folder.open().await, Database::connect(folder.file()).await.expect("it opens"));
    let writers = [one.clone(), other].map(|db| {
        tokio::spawn(async move {
            for n in 0..20 {
                let mut tx = db.begin().await.expect("it begins");
                write(&mut tx, &n.to_string()).await.expect("it is written");
                tx.commit().await.expect("it is committed");
            }
        })
    });
    for writer in writers {
        writer.await.expect("it ends");
    }
    assert_eq!(written(&one).await.len(), 40);
}
