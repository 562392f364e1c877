//! State that is made from the events of one stream, and decides which events come next.
//!
//! An [`Aggregate`] says what it decides and how it changes; a [`Repository`] loads it from a store, has it decide, and
//! records what was decided. Decisions about more than one stream are [`Store::decide`](crate::store::Store::decide).

mod repository;
mod snapshots;

pub use repository::{Handled, InTransaction, Loaded, Repository};

use crate::store::EventSet;

/// State that is made from the events of one stream, and decides which events come next.
///
/// Both functions should depend on nothing but what they are given: they may run again, with the same or with more events.
///
/// # Examples
/// ```
/// # mod contracts { tegami::include_contracts!(); }
/// use contracts::shop::warehouse::v1::{StockCounted, StockMoved};
/// use tegami::aggregate::Aggregate;
///
/// tegami::event_set! {
///     #[derive(Debug, Clone, PartialEq)]
///     pub enum StockEvent { Moved(StockMoved), Counted(StockCounted) }
/// }
///
/// /// How many of an article there are.
/// #[derive(Default)]
/// struct Stock(i64);
///
/// /// Takes so many out.
/// struct Take(i64);
///
/// impl Aggregate for Stock {
///     const KIND: &'static str = "stock";
///     type Event = StockEvent;
///     type Command = Take;
///     type Refusal = String;
///
///     fn decide(&self, Take(wanted): &Take) -> Result<Vec<StockEvent>, String> {
///         if *wanted > self.0 {
///             return Err(format!("{wanted} are wanted, {} are there", self.0));
///         }
///         Ok(vec![moved(-wanted).into()])
///     }
///
///     fn evolve(&mut self, event: &StockEvent) {
///         match event {
///             StockEvent::Moved(moved) => self.0 += moved.quantity,
///             StockEvent::Counted(counted) => self.0 = counted.quantity,
///         }
///     }
/// }
///
/// fn moved(quantity: i64) -> StockMoved {
///     StockMoved::builder().sku("chair").quantity(quantity).build()
/// }
///
/// # #[cfg(feature = "testing")]
/// # fn main() {
/// use tegami::testing::scenario;
///
/// let ten = StockCounted::builder().sku("chair").quantity(10).build();
/// scenario::<Stock>().given(ten.clone()).when(&Take(3)).then([moved(-3)]);
/// scenario::<Stock>().given(ten).when(&Take(11)).then_refused(&"11 are wanted, 10 are there".to_owned());
/// # }
/// # #[cfg(not(feature = "testing"))]
/// # fn main() {}
/// ```
pub trait Aggregate: Default + Send + Sync + 'static {
    /// What it is, in one word: its streams are named `kind/id`.
    const KIND: &'static str;

    /// The shape of its snapshots. Count it up when the state changes, and they are made anew.
    const SNAPSHOT: u32 = 1;

    /// The events of its streams: one type of event, or an [`event_set!`](crate::event_set).
    type Event: EventSet;

    /// What it is asked to do.
    type Command: Sync;

    /// Why it does not.
    type Refusal: Send;

    /// The events that follow from a command; none, if nothing is to be done.
    ///
    /// # Errors
    /// The command is refused, and nothing is recorded.
    fn decide(&self, command: &Self::Command) -> Result<Vec<Self::Event>, Self::Refusal>;

    /// Becomes what it is after the event. An event has happened: there is no refusal here.
    fn evolve(&mut self, event: &Self::Event);
}
