//! Process managers: state made from what one thing has been through, which decides what is to happen next, and when it
//! has waited for too long.
//!
//! A [`Process`] says how it changes and what it decides; a [`Manager`] of it is the transactional handler of its events.
//! The guide is [`docs::processes`](crate::docs::processes).

mod manager;
mod reaction;

pub use manager::Manager;
pub use reaction::Reaction;

use crate::store::EventSet;

/// State that is made from what one thing has been through, and decides what follows: a process manager, or saga.
///
/// Its stream has each event that came to it, and each that it published for that, in this order. All functions should depend on
/// nothing but what they are given: they may run again.
///
/// # Examples
/// ```
/// # mod contracts { tegami::include_contracts!(); }
/// use std::time::Duration;
/// use contracts::shop::{billing::v1::ReceiptSent, orders::v1::OrderPaid};
/// use contracts::shop::{fulfilment::v1::{OrderDelayed, ParcelOverdue}, shipping::v1::ParcelShipped};
/// use tegami::process::{Process, Reaction};
///
/// tegami::event_set! {
///     /// What an order goes through.
///     #[derive(Debug, Clone, PartialEq)]
///     pub enum Step {
///         Paid(OrderPaid), Shipped(ParcelShipped), Overdue(ParcelOverdue), Delayed(OrderDelayed), Receipted(ReceiptSent),
///     }
/// }
///
/// /// Sends a receipt once an order is paid and on its way.
/// #[derive(Default)]
/// struct Fulfilment { order_id: String, paid: bool, shipped: bool, receipted: bool }
///
/// impl Process for Fulfilment {
///     const KIND: &'static str = "fulfilment";
///     type Event = Step;
///
///     fn id<'a>(event: &'a Step, key: Option<&'a str>) -> Option<&'a str> {
///         // A parcel's key is its own number.
///         if let Step::Shipped(parcel) = event { Some(&parcel.order_id) } else { key }
///     }
///
///     fn evolve(&mut self, event: &Step) {
///         match event {
///             Step::Paid(order) => (self.order_id, self.paid) = (order.order_id.clone(), true),
///             Step::Shipped(_) => self.shipped = true,
///             Step::Receipted(_) => self.receipted = true,
///             Step::Overdue(_) | Step::Delayed(_) => {}
///         }
///     }
///
///     fn react(&self, event: &Step) -> Reaction<Step> {
///         let order_id = || self.order_id.clone();
///         match event {
///             Step::Paid(_) | Step::Shipped(_) if self.paid && self.shipped => Reaction::none()
///                 .publish(ReceiptSent::builder().order_id(order_id()).build()),
///             Step::Paid(_) => Reaction::none()
///                 .timeout(Duration::from_secs(48 * 3600), ParcelOverdue::builder().order_id(order_id()).build()),
///             Step::Overdue(_) => Reaction::none().publish(OrderDelayed::builder().order_id(order_id()).build()),
///             _ => Reaction::none(),
///         }
///     }
///
///     fn is_over(&self) -> bool {
///         self.receipted
///     }
/// }
/// # fn main() {}
/// ```
pub trait Process: Default + Send + Sync + 'static {
    /// What it is, in one word: its streams are named `kind/id`.
    const KIND: &'static str;

    /// What comes to it and what it publishes, timeouts too: an [`event_set!`](crate::event_set).
    type Event: EventSet;

    /// Which process an event concerns. By default the one that is named by the event's key.
    ///
    /// An event that names none becomes a dead letter.
    fn id<'a>(event: &'a Self::Event, key: Option<&'a str>) -> Option<&'a str> {
        let _ = event;
        key
    }

    /// Becomes what it is after the event. An event has happened: there is no refusal here.
    fn evolve(&mut self, event: &Self::Event);

    /// What follows from an event that came, which the state has in it already.
    fn react(&self, event: &Self::Event) -> Reaction<Self::Event>;

    /// Has it come to its end? Then its timeouts are cancelled, and what still comes changes nothing. By default it never
    /// does.
    fn is_over(&self) -> bool {
        false
    }
}
