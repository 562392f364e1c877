//! Publishes that no queue took, kept until their publisher asks.

use std::{
    collections::HashMap,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Twice so many are remembered. A publisher asks at once, so what stays is of publishers that were given up.
const GENERATION: usize = 5_000;

/// Why the broker sent a publish back, and where that was to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::transport::amqp) struct Return {
    pub(in crate::transport::amqp) code: u16,
    pub(in crate::transport::amqp) text: String,
    pub(in crate::transport::amqp) exchange: String,
    pub(in crate::transport::amqp) routing_key: String,
}

/// The publishes that the broker sent back since they were last asked for, by message id. Copies of one message may be
/// on their way to several queues at once, so the id alone says not whose the return is.
#[derive(Debug, Default)]
pub(in crate::transport::amqp) struct Returned {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    young: HashMap<String, Vec<Return>>,
    old: HashMap<String, Vec<Return>>,
}

impl Returned {
    /// Was this publish to that place sent back? Asked again, it was not, unless it was published there twice.
    pub(in crate::transport::amqp) fn take(&self, id: &str, exchange: &str, routing_key: &str) -> Option<Return> {
        let Known { young, old } = &mut *self.lock();
        let is_of = |back: &Return| back.exchange == exchange && back.routing_key == routing_key;
        take(young, id, is_of).or_else(|| take(old, id, is_of))
    }

    pub(super) fn record(&self, id: Option<&str>, back: Return) {
        // One without an id is no publish of ours.
        let Some(id) = id else { return };
        let mut known = self.lock();
        if known.young.len() >= GENERATION {
            known.old = mem::take(&mut known.young);
        }
        known.young.entry(id.to_owned()).or_default().push(back);
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn take(known: &mut HashMap<String, Vec<Return>>, id: &str, is_of: impl Fn(&Return) -> bool) -> Option<Return> {
    let backs = known.get_mut(id)?;
    let back = backs.swap_remove(backs.iter().position(is_of)?);
    if backs.is_empty() {
        known.remove(id);
    }
    Some(back)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn back(exchange: &str, routing_key: &str) -> Return {
        let [text, exchange, routing_key] = ["NO_ROUTE", exchange, routing_key].map(ToOwned::to_owned);
        Return { code: 312, text, exchange, routing_key }
    }

    #[test]
    fn p4_a_return_is_told_once() {
        let returned = Returned::default();
        returned.record(Some("a"), back("", "here"));
        assert_eq!(returned.take("b", "", "here"), None);
        assert_eq!(returned.take("a", "", "here"), Some(back("", "here")));
        assert_eq!(returned.take("a", "", "here"), None);
    }

    #[test]
    fn x1_copies_with_one_id_take_no_return_of_each_other() {
        let returned = Returned::default();
        for routing_key in ["gone", "gone", "lost"] {
            returned.record(Some("a"), back("", routing_key));
        }
        assert_eq!(returned.take("a", "", "there"), None);
        assert_eq!(returned.take("a", "shop", "gone"), None);
        for routing_key in ["gone", "lost", "gone"] {
            assert_eq!(returned.take("a", "", routing_key), Some(back("", routing_key)));
        }
        assert_eq!(returned.take("a", "", "gone"), None);
    }

    #[test]
    fn p4_returns_nobody_asks_for_do_not_pile_up() {
        let returned = Returned::default();
        for n in 0..3 * GENERATION {
            returned.record(Some(&n.to_string()), back("", "here"));
        }
        assert_eq!(returned.take("0", "", "here"), None);
        let kept = (0..3 * GENERATION).filter(|n| returned.take(&n.to_string(), "", "here").is_some()).count();
        assert_eq!(kept, 2 * GENERATION);
    }
}
