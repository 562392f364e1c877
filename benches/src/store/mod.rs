//! Events that are appended and read: by tegami's stores, and by the same statements without tegami. `src/bin/store.rs` runs
//! one side in a process of its own, `store/rounds.py` has them take turns.

pub mod bare_postgres;
pub mod bare_sqlite;
pub mod coded;
pub mod own;
pub mod relay;

use std::{
    borrow::Cow,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use prost::Message;
use tegami::{Event, envelope::MessageId, time::Dice};

use crate::event::{Bare, OrderPaid, bare};

/// Events of one stream that is read, and of one page that is found.
pub const STREAM: usize = 100;
/// How often all that is there is read, so that a turn is long enough to be measured.
pub const PASSES: usize = 5;
/// The same of a page.
pub const PAGE: usize = 500;

/// How many appends there are, how many of them at once, and of how many events each.
#[derive(Debug, Clone, Copy)]
pub struct Appends {
    /// How many.
    pub count: usize,
    /// At once.
    pub at_once: usize,
    /// Events of each.
    pub events: usize,
}

impl Appends {
    /// Events in all.
    pub fn all(&self) -> usize {
        self.count * self.events
    }
}

/// A file that is gone afterwards, with those beside it.
#[derive(Debug)]
pub struct File(PathBuf);

impl File {
    /// A new one, in the folder for what is temporary.
    pub fn new() -> Self {
        Self(std::env::temp_dir().join(format!("tegami-bench-{}.db", std::process::id())))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Default for File {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{end}", self.0.display()));
        }
    }
}

/// How much is done by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hand {
    /// The statements: what is written was made before, and of what is read only the event is decoded.
    Bare,
    /// Each event is encoded with what is kept beside it, and both are decoded.
    Coded,
}

/// What one event is by hand, as tegami writes it: its bytes, and what is kept beside them.
#[derive(Debug)]
pub struct Template {
    /// The event's name.
    pub event: &'static str,
    /// The encoding of its bytes.
    pub encoding: String,
    /// The bytes.
    pub payload: Vec<u8>,
    /// What is known beside, as JSON.
    pub head: String,
    /// Names and values that it is found by.
    pub tags: [(&'static str, String); 2],
    /// The event.
    pub order: Bare,
    dice: Dice,
}

impl Template {
    /// From a row of tegami's.
    pub fn new(encoding: String, payload: Vec<u8>, head: String) -> Self {
        let order = bare();
        let tags = [("order_id", order.order_id.clone()), ("currency", order.currency.clone())];
        Self { event: OrderPaid::CONTRACT.name, encoding, payload, head, tags, order, dice: Dice::system() }
    }

    /// The bytes of an event, and what is kept beside them.
    pub fn bytes(&self, hand: Hand) -> (Cow<'_, [u8]>, Cow<'_, str>) {
        match hand {
            Hand::Bare => (Cow::Borrowed(&*self.payload), Cow::Borrowed(&*self.head)),
            Hand::Coded => {
                let (payload, head) = coded::encoded(self);
                (payload.into(), head.into())
            }
        }
    }

    /// An id that nobody has.
    pub fn id(&self) -> MessageId {
        MessageId::draw(&self.dice)
    }
}

/// Nanoseconds since 1970.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later than 1970");
    since.as_nanos().try_into().expect("it is earlier than 2262")
}

/// The event of a row.
pub fn event(payload: &[u8]) -> Bare {
    Bare::decode(payload).expect("it is an order")
}
