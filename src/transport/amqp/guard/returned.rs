//! Publishes that no queue took, kept until their publisher asks.

use std::{
    collections::HashMap,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Twice so many are remembered. A publisher asks at once, so what stays is of publishers that were given up.
const GENERATION: usize = 5_000;

/// Why the broker sent a publish back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::transport::amqp) struct Return {
    pub(in crate::transport::amqp) code: u16,
    pub(in crate::transport::amqp) text: String,
}

/// The publishes that the broker sent back since they were last asked for, by message id.
#[derive(Debug, Default)]
pub(in crate::transport::amqp) struct Returned {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    young: HashMap<String, Return>,
    old: HashMap<String, Return>,
    without_id: u64,
}

impl Returned {
    /// Was this publish sent back? Asked again, it was not.
    pub(in crate::transport::amqp) fn take(&self, id: &str) -> Option<Return> {
        let mut known = self.lock();
        known.young.remove(id).or_else(|| known.old.remove(id))
    }

    /// How many came back without a message id; they are no publishes of ours.
    pub(in crate::transport::amqp) fn without_id(&self) -> u64 {
        self.lock().without_id
    }

    pub(super) fn record(&self, id: Option<&str>, back: Return) {
        let mut known = self.lock();
        let Some(id) = id else {
            known.without_id += 1;
            return;
        };
        if known.young.len() >= GENERATION {
            known.old = mem::take(&mut known.young);
        }
        known.young.insert(id.to_owned(), back);
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p4_a_return_is_told_once() {
        let returned = Returned::default();
        let back = Return { code: 312, text: "NO_ROUTE".to_owned() };
        returned.record(Some("a"), back.clone());
        assert_eq!(returned.take("b"), None);
        assert_eq!(returned.take("a"), Some(back));
        assert_eq!(returned.take("a"), None);
    }

    #[test]
    fn p4_returns_nobody_asks_for_do_not_pile_up() {
        let returned = Returned::default();
        let back = Return { code: 312, text: "NO_ROUTE".to_owned() };
        for n in 0..3 * GENERATION {
            returned.record(Some(&n.to_string()), back.clone());
        }
        assert_eq!(returned.take("0"), None);
        let kept = (0..3 * GENERATION).filter(|n| returned.take(&n.to_string()).is_some()).count();
        assert_eq!(kept, 2 * GENERATION);
    }
}
