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
    young: HashMap<String, Vec<Return>>,
    old: HashMap<String, Vec<Return>>,
}

impl Returned {
    /// Was this publish sent back? Asked again, it was not, unless it was published twice.
    pub(in crate::transport::amqp) fn take(&self, id: &str) -> Option<Return> {
        let Known { young, old } = &mut *self.lock();
        take(young, id).or_else(|| take(old, id))
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

fn take(known: &mut HashMap<String, Vec<Return>>, id: &str) -> Option<Return> {
    let backs = known.get_mut(id)?;
    let back = backs.pop();
    if backs.is_empty() {
        known.remove(id);
    }
    back
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
