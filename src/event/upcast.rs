//! From an event of an older contract to the one that took its place.

use super::Event;

/// An event that can be made from one of an older contract.
///
/// It is implemented where the contracts are compiled, as any trait of another crate is where the type is.
///
/// A breaking change is a new package, so old and new events are two types. Told of the step between them by
/// [`Service::upcast`](crate::Service::upcast), a service handles the new one only, and gets the old ones as it.
///
/// # Examples
/// ```
/// # mod contracts { tegami::include_contracts!(); }
/// use contracts::shop::orders::{v1, v2};
/// use tegami::event::Upcast;
///
/// impl Upcast<v1::OrderPaid> for v2::OrderPaid {
///     fn upcast(old: v1::OrderPaid) -> Self {
///         let amount = format!("{}.{:02}", old.amount_minor / 100, old.amount_minor % 100);
///         Self { order_id: old.order_id, currency: old.currency, amount, paid_at: old.paid_at }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "no `{Self}` can be made from a `{Old}`",
    note = "say how: `impl Upcast<{Old}> for {Self} {{ fn upcast(old: {Old}) -> Self {{ … }} }}`"
)]
pub trait Upcast<Old: Event>: Event {
    /// The event as it would have been published under the new contract.
    ///
    /// It must keep the rules of the new contract: one that does not, and one that panics, makes the message a dead
    /// letter. So does nothing else: the outcome should depend on the old event alone.
    fn upcast(old: Old) -> Self;
}
