//! Aggregates: what is loaded, decided and recorded, beside others who do so too.

use serde::{Deserialize, Serialize};
use tegami::{
    aggregate::{Aggregate, Repository},
    store::{EventStore, Memory, Position, Query, Snapshot, Store, StoreErrorKind, StreamId, Undecided, Version},
    testing::scenario,
};

use crate::contracts::shop::warehouse::v1::{StockCounted, StockMoved};

tegami::event_set! {
    #[derive(Debug, Clone, PartialEq)]
    pub(crate) enum StockEvent {
        Moved(StockMoved),
        Counted(StockCounted),
    }
}

#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Stock {
    pub(crate) quantity: i64,
    /// How many events it has seen since it was made, and not read from a snapshot.
    #[serde(skip)]
    pub(crate) seen: usize,
}

pub(crate) enum Command {
    Take(i64),
    Put(i64),
    Count(i64),
}

impl Aggregate for Stock {
    const KIND: &'static str = "stock";
    type Event = StockEvent;
    type Command = Command;
    type Refusal = String;

    fn decide(&self, command: &Command) -> Result<Vec<StockEvent>, String> {
        Ok(match *command {
            Command::Take(wanted) if wanted > self.quantity => return Err(format!("only {}", self.quantity)),
            Command::Take(wanted) => vec![moved(-wanted).into()],
            Command::Put(0) => vec![],
            Command::Put(come) => vec![moved(come).into()],
            Command::Count(found) => vec![counted(found).into(), moved(0).into()],
        })
    }

    fn evolve(&mut self, event: &StockEvent) {
        self.seen += 1;
        match event {
            StockEvent::Moved(moved) => self.quantity += moved.quantity,
            StockEvent::Counted(counted) => self.quantity = counted.quantity,
        }
    }
}

pub(crate) fn moved(quantity: i64) -> StockMoved {
    StockMoved::builder().sku("chair").warehouse("north").quantity(quantity).build()
}

fn counted(quantity: i64) -> StockCounted {
    StockCounted::builder().sku("chair").warehouse("north").quantity(quantity).build()
}

#[test]
fn what_is_decided_is_told_as_given_when_then() {
    let state = scenario::<Stock>().given(counted(5)).given(moved(2)).when(&Command::Take(7)).then([moved(-7)]);
    assert_eq!(state.quantity, 0);
    scenario::<Stock>().given(moved(2)).when(&Command::Take(3)).then_refused(&"only 2".to_owned());
    scenario::<Stock>().when(&Command::Put(0)).then_nothing();
    let both: [StockEvent; 2] = [counted(4).into(), moved(0).into()];
    scenario::<Stock>().when(&Command::Count(4)).then(both);
}

#[test]
#[should_panic(expected = "decided (left) and expected (right)")]
fn a_scenario_that_ends_otherwise_fails() {
    scenario::<Stock>().when(&Command::Put(1)).then([moved(2)]);
}

#[test]
#[should_panic(expected = "it decided: ")]
fn a_scenario_that_is_not_refused_fails() {
    scenario::<Stock>().when(&Command::Put(1)).then_refused(&"only 1".to_owned());
}

#[tokio::test]
async fn a_refused_command_and_one_with_nothing_to_do_record_nothing() {
    let store = Store::new(Memory::new());
    let stocks = Repository::<Stock>::new(store.clone());
    stocks.handle("chair", &Command::Count(2)).await.expect("it is decided");
    let refused = stocks.handle("chair", &Command::Take(3)).await.expect_err("there are two");
    assert!(matches!(&refused, Undecided::Refused(text) if text == "only 2"), "{refused:?}");
    let nothing = stocks.handle("chair", &Command::Put(0)).await.expect("it is decided");
    assert_eq!((nothing.events.len(), nothing.version, nothing.state.quantity), (0, Version::new(2), 2));
    let page = store.inner().read_all(&Query::all(), Position::START, 10).await.expect("it is read");
    assert_eq!(page.events.len(), 2);
    assert!(page.events.iter().all(|recorded| recorded.stream.as_str() == "stock/chair"));
    let invalid = stocks.load("no chair").await.expect_err("it has a space");
    assert_eq!(invalid.kind(), StoreErrorKind::Invalid);
}

#[tokio::test]
async fn a_snapshot_saves_the_reading_of_what_is_in_it() {
    let memory = Memory::new();
    let stocks = Repository::<Stock>::new(Store::new(memory.clone())).snapshots_every(10);
    for _ in 0..25 {
        stocks.handle("chair", &Command::Put(1)).await.expect("it is decided");
    }
    let loaded = stocks.load("chair").await.expect("it is read");
    assert_eq!((loaded.state.quantity, loaded.version), (25, Version::new(25)));
    assert_eq!(loaded.state.seen, 5, "the rest is in the snapshot at 20");
    let plain = Repository::<Stock>::new(Store::new(memory.clone())).load("chair").await.expect("it is read");
    assert_eq!((plain.state.quantity, plain.state.seen), (25, 25));
}

#[tokio::test]
async fn a_snapshot_that_cannot_be_read_is_made_anew() {
    let memory = Memory::new();
    let stocks = Repository::<Stock>::new(Store::new(memory.clone())).snapshots_every(2);
    stocks.handle("chair", &Command::Count(3)).await.expect("it is decided");
    let stream = StreamId::of("stock", "chair").expect("a good name");
    let broken = Snapshot::new(stream.clone(), "stock.1", Version::new(3), "{");
    memory.keep_snapshot(broken).await.expect("it is kept");
    assert_eq!(stocks.load("chair").await.expect("it is read").state.quantity, 3);
    for _ in 0..3 {
        stocks.handle("chair", &Command::Put(1)).await.expect("it is decided");
    }
    let kept = memory.snapshot(&stream, "stock.1").await.expect("it is read").expect("it is there");
    assert!(kept.version > Version::new(3) && kept.bytes.starts_with(b"{\"quantity\":"), "{kept:?}");
}
