//! Commands that meet others who are faster. What is tried in memory and in files here is tried in PostgreSQL, too.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use tegami::{
    aggregate::Repository,
    store::{
        Append, Appended, Conflict, EventStore, Expected, Memory, Page, Position, Query, Recorded, Snapshot, Store,
        StoreError, StoreErrorKind, StreamId, Undecided, Version,
    },
};
use tokio::task::JoinSet;

use crate::{
    aggregate::{Command, Stock, moved},
    sqlite::{Folder, store_at},
};

/// A store in which somebody else takes one of the same thing just before an append, so often as is set.
#[derive(Clone)]
struct Overtaken {
    store: Store,
    left: Arc<AtomicUsize>,
}

impl Overtaken {
    fn new(store: &Store) -> Self {
        Self { store: store.clone(), left: Arc::default() }
    }

    fn stocks(&self) -> Repository<Stock> {
        Repository::new(Store::new(self.clone()))
    }

    /// The next appends come too late, so many.
    fn set(&self, times: usize) {
        self.left.store(times, Ordering::SeqCst);
    }
}

#[async_trait]
impl EventStore for Overtaken {
    fn name(&self) -> &'static str {
        "overtaken"
    }

    async fn append(&self, append: Append) -> Result<Appended, StoreError> {
        let less = |left: usize| left.checked_sub(1);
        if self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok() {
            self.store.append(Append::to(append.stream.clone()).event(&moved(-1))?).await?;
        }
        self.store.inner().append(append).await
    }

    async fn read_stream(&self, stream: &StreamId, after: Version, limit: usize) -> Result<Vec<Recorded>, StoreError> {
        self.store.inner().read_stream(stream, after, limit).await
    }

    async fn read_all(&self, query: &Query, after: Position, limit: usize) -> Result<Page, StoreError> {
        self.store.inner().read_all(query, after, limit).await
    }

    async fn later_than(&self, position: Position) -> Result<(), StoreError> {
        self.store.inner().later_than(position).await
    }

    async fn snapshot(&self, stream: &StreamId, state: &str) -> Result<Option<Snapshot>, StoreError> {
        self.store.inner().snapshot(stream, state).await
    }

    async fn keep_snapshot(&self, snapshot: Snapshot) -> Result<(), StoreError> {
        self.store.inner().keep_snapshot(snapshot).await
    }

    async fn close(&self) {
        self.store.inner().close().await;
    }
}

/// E1: a command is decided from what others have recorded before it, and may then be refused; after 16 times it is given up.
pub(crate) async fn e1_a_command_that_is_overtaken_is_decided_anew(store: Store) {
    let overtaken = Overtaken::new(&store);
    let stocks = overtaken.stocks();
    stocks.handle("chair", &Command::Count(10)).await.expect("it is decided");
    overtaken.set(3);
    let taken = stocks.handle("chair", &Command::Take(7)).await.expect("seven are left");
    assert_eq!((taken.events, taken.version), (vec![moved(-7).into()], Version::new(6)));
    assert_eq!((taken.state.quantity, taken.state.seen), (0, 6), "each event is in it once");

    stocks.handle("chair", &Command::Put(1)).await.expect("it is decided");
    overtaken.set(1);
    let refused = stocks.handle("chair", &Command::Take(1)).await.expect_err("another has taken it");
    assert!(matches!(&refused, Undecided::Refused(text) if text == "only 0"), "{refused:?}");
    assert_eq!(stocks.load("chair").await.expect("it is read").version, Version::new(8));

    stocks.handle("chair", &Command::Put(20)).await.expect("it is decided");
    overtaken.set(15);
    let taken = stocks.handle("chair", &Command::Take(1)).await.expect("the sixteenth time nobody is faster");
    assert_eq!((taken.version, taken.state.quantity), (Version::new(25), 4));
    overtaken.set(16);
    let never = stocks.handle("chair", &Command::Put(20)).await.expect_err("others are faster each time");
    let Undecided::Store(error) = never else { panic!("it is not refused: {never:?}") };
    let conflict = Conflict::Version { expected: Expected::Exactly(Version::new(40)), found: Version::new(41) };
    assert_eq!(error.kind(), StoreErrorKind::Conflict(conflict));
    let loaded = stocks.load("chair").await.expect("it is read");
    assert_eq!((loaded.version, loaded.state.quantity), (Version::new(41), -12), "nothing of it is there");
    store.inner().close().await;
}

/// E1: what a snapshot has is what all events tell, also where others were faster than the one who saved it.
pub(crate) async fn e1_a_snapshot_has_the_events_of_those_who_were_faster(store: Store) {
    let overtaken = Overtaken::new(&store);
    let (plain, stocks) = (overtaken.stocks(), overtaken.stocks().snapshots_every(3));
    stocks.handle("chair", &Command::Count(10)).await.expect("it is decided");
    let stream = stocks.stream("chair").expect("a good name");
    for (overtakes, version, quantity) in [(3, 6, 6), (2, 9, 3)] {
        overtaken.set(overtakes);
        let taken = stocks.handle("chair", &Command::Take(1)).await.expect("there are enough");
        assert_eq!((taken.version, taken.state.quantity), (Version::new(version), quantity));
        let kept = store.inner().snapshot(&stream, "stock.1").await.expect("it is read").expect("it is saved");
        assert_eq!(kept.version, Version::new(version), "that of the last of them");
        let (saved, read) = (stocks.load("chair").await, plain.load("chair").await);
        let (saved, read) = (saved.expect("it is read"), read.expect("it is read"));
        assert_eq!((saved.version, saved.state.quantity), (read.version, read.state.quantity));
        assert_eq!((saved.state.seen, read.state.seen), (0, version as usize), "nothing came since it was saved");
    }
    store.inner().close().await;
}

/// E1: each takes one of ten, at once: ten succeed, and no eleventh.
pub(crate) async fn e1_commands_at_once_are_decided_one_after_the_other(stores: [Store; 3]) {
    let all = stores.clone().map(Repository::<Stock>::new);
    all[0].handle("chair", &Command::Count(10)).await.expect("it is decided");
    let mut takers = JoinSet::new();
    for n in 0..14 {
        let stocks = all[n % 3].clone();
        takers.spawn(async move { stocks.handle("chair", &Command::Take(1)).await });
    }
    let (taken, refused): (Vec<_>, Vec<_>) = takers.join_all().await.into_iter().partition(Result::is_ok);
    assert_eq!((taken.len(), refused.len()), (10, 4));
    assert!(refused.iter().all(|error| matches!(error, Err(Undecided::Refused(text)) if text == "only 0")));
    assert_eq!(all[0].load("chair").await.expect("it is read").state.quantity, 0);
    for store in stores {
        store.inner().close().await;
    }
}

mod memory {
    use super::*;

    #[tokio::test]
    async fn e1_a_command_that_is_overtaken_is_decided_anew() {
        super::e1_a_command_that_is_overtaken_is_decided_anew(Store::new(Memory::new())).await;
    }

    #[tokio::test]
    async fn e1_a_snapshot_has_the_events_of_those_who_were_faster() {
        super::e1_a_snapshot_has_the_events_of_those_who_were_faster(Store::new(Memory::new())).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn e1_commands_at_once_are_decided_one_after_the_other() {
        let memory = Memory::new();
        let stores = [(); 3].map(|()| Store::new(memory.clone()));
        super::e1_commands_at_once_are_decided_one_after_the_other(stores).await;
    }
}

mod file {
    use super::*;

    #[tokio::test]
    async fn e1_a_command_that_is_overtaken_is_decided_anew() {
        let folder = Folder::new();
        super::e1_a_command_that_is_overtaken_is_decided_anew(store_at(&folder.file()).await).await;
    }

    #[tokio::test]
    async fn e1_a_snapshot_has_the_events_of_those_who_were_faster() {
        let folder = Folder::new();
        super::e1_a_snapshot_has_the_events_of_those_who_were_faster(store_at(&folder.file()).await).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn e1_commands_at_once_are_decided_one_after_the_other() {
        let folder = Folder::new();
        let file = folder.file();
        let stores = [store_at(&file).await, store_at(&file).await, store_at(&file).await];
        super::e1_commands_at_once_are_decided_one_after_the_other(stores).await;
    }
}
