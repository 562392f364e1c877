//! What is appended, and what is refused.

use std::time::Duration;

use tokio::time::timeout;

use super::{
    Done, Trial,
    trial::{all, letter, letters, stream, versions},
};
use crate::{
    envelope::MessageId,
    store::{Append, Conflict, Expected, Position, Store, StoreErrorKind, StreamId, Version},
};

/// E1, E2: all events of an append or none: refused ones leave nothing, dropped ones leave all or nothing, and what was
/// answered is there on every connection, and after all were closed.
pub async fn e_02_all_or_nothing(trial: &Trial) -> Done {
    let store = trial.store().await;
    let stream = stream("whole");
    store.append(letters(&stream, 0..5, Expected::None)).await.expect("the stream is new");
    store.append(letters(&stream, 5..10, Expected::None)).await.expect_err("the stream is not new");
    for patience in 0..40 {
        let append = letters(&stream, 0..5, Expected::Any);
        let _ = timeout(Duration::from_micros(patience * 50), store.append(append)).await;
    }
    // What goes on without its caller comes before this one.
    let last = store.append(letters(&stream, 0..5, Expected::Any)).await.expect("it is appended");
    assert_eq!(last.version.number() % 5, 0, "a dropped append left a part of it");
    let before = versions(&trial.store().await, &stream).await;
    assert_eq!(before, (1..=last.version.number()).collect::<Vec<_>>(), "as another connection reads it");
    if trial.subject.outlives_connections() {
        trial.close().await;
        assert_eq!(versions(&trial.store().await, &stream).await, before, "after all connections were closed");
    }
    Done::Kept
}

/// E5: where there is no room, an append is refused as a whole; with room, all goes on.
pub async fn e_05_full(trial: &Trial) -> Done {
    let Some((small, larger)) = trial.subject.cramped().await else {
        return Done::NotHere("a store that can be full");
    };
    let store = Store::new(small);
    let mut taken = 0;
    let refused = loop {
        let stream = stream(&format!("box/{}", taken % 3));
        match store.append(letters(&stream, 0..10, Expected::Any)).await {
            Ok(_) => taken += 1,
            Err(error) => break error,
        }
        assert!(taken < 100_000, "it is never full");
    };
    assert_eq!(refused.kind(), StoreErrorKind::Full, "{refused:?}");
    let kept = all(&store, Position::START).await;
    assert_eq!(kept.len(), taken * 10, "what was taken is there, and what was refused is not");
    store.inner().close().await;
    let store = Store::new(larger.open().await.expect("it can be opened"));
    assert!(all(&store, Position::START).await == kept, "with more room, the same is there");
    store.append(letters(&stream("box/0"), 0..10, Expected::Any)).await.expect("there is room again");
    store.inner().close().await;
    Done::Kept
}

/// An append insists on a version, and is told the one that was found.
pub async fn e_06_expected_version(trial: &Trial) -> Done {
    let store = trial.store().await;
    let stream = stream("expected");
    let at = |number| Expected::Exactly(Version::new(number));
    let refused = [at(1), at(u64::MAX)].map(|expected| (expected, 0));
    insist(&store, &stream, &refused).await;
    for (expected, version) in [(at(0), 2), (at(2), 4), (Expected::Any, 6)] {
        let appended = store.append(letters(&stream, 0..2, expected)).await.expect("the stream is there");
        assert_eq!(appended.version.number(), version);
    }
    let refused = [Expected::None, at(0), at(5), at(7)].map(|expected| (expected, 6));
    insist(&store, &stream, &refused).await;
    assert_eq!(versions(&store, &stream).await, [1, 2, 3, 4, 5, 6]);
    let empty = store.append(Append::to(stream.clone())).await.expect_err("there is nothing in it");
    assert_eq!(empty.kind(), StoreErrorKind::Invalid);
    Done::Kept
}

/// Each of these is refused, with the version that is found.
async fn insist(store: &Store, stream: &StreamId, refused: &[(Expected, u64)]) {
    for (expected, found) in refused {
        let error = store.append(letters(stream, [9], *expected)).await.expect_err("the stream is elsewhere");
        let conflict = Conflict::Version { expected: *expected, found: Version::new(*found) };
        assert_eq!(error.kind(), StoreErrorKind::Conflict(conflict));
        assert!(error.to_string().contains(stream.as_str()), "{error} names no stream");
    }
}

/// An append whose outcome nobody knew is answered as it was the first time; its ids are not taken for anything else.
pub async fn e_09_same_append_again(trial: &Trial) -> Done {
    let store = trial.store().await;
    let stream = stream("again");
    let append = store.filled(letters(&stream, 0..3, Expected::None));
    let first = store.append(append.clone()).await.expect("the stream is new");
    store.append(letters(&stream, [3], Expected::Any)).await.expect("it is appended");
    let again = trial.store().await.append(append.clone()).await.expect("it is known");
    assert_eq!(first, again, "the second answer");
    let mut beside = append.clone();
    beside.stream = self::stream("elsewhere");
    let mut fewer = append.clone();
    fewer.entries.swap(0, 1);
    let mut more = append.clone();
    more.entries.push(store.filled(letters(&stream, [4], Expected::Any)).entries.remove(0));
    let mut twice = store.filled(letters(&stream, [5, 6], Expected::Any));
    twice.entries[1].message.head.id = twice.entries[0].message.head.id.clone();
    for other in [beside, fewer, more, twice] {
        let error = store.append(other).await.expect_err("its ids are known");
        assert_eq!(error.kind(), StoreErrorKind::Duplicate, "{error}");
    }
    assert_eq!(versions(&store, &stream).await, [1, 2, 3, 4]);
    let mut nameless = Append::to(stream).event(&letter("again", 7)).expect("it is valid");
    nameless.entries[0].message.head.id = MessageId::parse("m-7");
    let error = store.inner().append(nameless).await.expect_err("it has no time");
    assert_eq!(error.kind(), StoreErrorKind::Invalid, "{error}");
    Done::Kept
}
