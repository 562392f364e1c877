//! The suite is checked: broken stores, each of which breaks one promise and is caught.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use tegami::{
    store::{
        Append, Appended, EventStore, Expected, Memory, Page, Position, Query, Recorded, Snapshot, StoreError,
        StreamId, Version,
    },
    testing::store::{Case, Done, Subject, judge},
};

/// What a store does wrong.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    /// It does not look where the stream is.
    TakesAnyVersion,
    /// It does not look for what was recorded meanwhile.
    ForgetsTheQuery,
    /// A page that ends with a tenth event leaves it out, and goes on behind it.
    SkipsEveryTenth,
    /// It does not know what was appended already.
    RecordsTwice,
    /// It records half, and then refuses.
    RecordsHalf,
    /// It keeps no attributes.
    LosesAttributes,
}

/// Memory, with one thing wrong.
#[derive(Clone)]
struct Broken {
    memory: Memory,
    fault: Fault,
    count: Arc<AtomicU64>,
}

#[async_trait]
impl EventStore for Broken {
    fn name(&self) -> &'static str {
        "broken"
    }

    async fn append(&self, mut append: Append) -> Result<Appended, StoreError> {
        match self.fault {
            Fault::TakesAnyVersion => append.expected = Expected::Any,
            Fault::ForgetsTheQuery => append.unless = None,
            Fault::LosesAttributes => {
                append.entries.iter_mut().for_each(|entry| entry.message.head.attributes = Default::default());
            }
            Fault::RecordsTwice => {
                for entry in &mut append.entries {
                    let number = self.count.fetch_add(1, Ordering::SeqCst);
                    entry.message.head.id = tegami::envelope::MessageId::parse(format!("new-{number}"));
                }
            }
            Fault::RecordsHalf if append.expected == Expected::None => {
                let mut half = append.clone().expecting(Expected::Any);
                half.entries.truncate(append.entries.len() / 2);
                if let Err(error) = self.memory.append(append).await {
                    let _ = self.memory.append(half).await;
                    return Err(error);
                }
                return Ok(Appended::new(Position::new(5), Version::new(5)));
            }
            Fault::RecordsHalf | Fault::SkipsEveryTenth => {}
        }
        self.memory.append(append).await
    }

    async fn read_stream(&self, stream: &StreamId, after: Version, limit: usize) -> Result<Vec<Recorded>, StoreError> {
        self.memory.read_stream(stream, after, limit).await
    }

    async fn read_all(&self, query: &Query, after: Position, limit: usize) -> Result<Page, StoreError> {
        let mut page = self.memory.read_all(query, after, limit).await?;
        let skips = self.fault == Fault::SkipsEveryTenth;
        if skips && page.events.last().is_some_and(|last| last.position.number() % 10 == 0) {
            page.events.pop();
        }
        Ok(page)
    }

    async fn later_than(&self, position: Position) -> Result<(), StoreError> {
        self.memory.later_than(position).await
    }

    async fn snapshot(&self, stream: &StreamId, state: &str) -> Result<Option<Snapshot>, StoreError> {
        self.memory.snapshot(stream, state).await
    }

    async fn keep_snapshot(&self, snapshot: Snapshot) -> Result<(), StoreError> {
        self.memory.keep_snapshot(snapshot).await
    }

    async fn close(&self) {}
}

#[async_trait]
impl Subject for Broken {
    async fn open(&self) -> Result<Arc<dyn EventStore>, StoreError> {
        Ok(Arc::new(self.clone()))
    }
}

/// The case is kept by memory, and catches this fault in these words.
fn caught(fault: Fault, case: &str, words: &str) {
    let case = Case::of(case).expect("the case is listed");
    assert_eq!(judge(case, Memory::new()), Ok(Done::Kept), "unbroken");
    let broken = Broken { memory: Memory::new(), fault, count: Arc::default() };
    let found = judge(case, broken).expect_err("a broken store is caught");
    assert!(found.contains(words), "caught for another reason: {found}");
}

#[test]
fn e1_a_store_that_takes_any_version_is_caught() {
    caught(Fault::TakesAnyVersion, "E-01", "won");
}

#[test]
fn a_store_that_forgets_the_query_is_caught() {
    caught(Fault::ForgetsTheQuery, "E-08", "seat");
}

#[test]
fn e3_a_store_that_skips_an_event_is_caught() {
    caught(Fault::SkipsEveryTenth, "E-04", "all is read");
}

#[test]
fn a_store_that_records_twice_is_caught() {
    caught(Fault::RecordsTwice, "E-09", "it is known");
}

#[test]
fn e2_a_store_that_records_half_is_caught() {
    caught(Fault::RecordsHalf, "E-02", "a dropped append left a part of it");
}

#[test]
fn a_store_that_loses_attributes_is_caught() {
    caught(Fault::LosesAttributes, "E-10", "what was given");
}

/// Among many who append, decide and read at once.
#[test]
fn e1_e3_what_a_crowd_sees_of_broken_stores_is_caught() {
    caught(Fault::TakesAnyVersion, "E-14", "was recorded behind version");
    caught(Fault::ForgetsTheQuery, "E-14", "was decided without");
    caught(Fault::SkipsEveryTenth, "E-14", "a read from");
    caught(Fault::RecordsTwice, "E-14", "nobody has appended");
}
