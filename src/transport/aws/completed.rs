//! What was completed of a queue here: SQS may hand it out once more, for a delete can fail, and a queue may keep a copy of
//! what was deleted (AWS: at-least-once delivery). Nobody has to handle it again.

use std::{
    collections::{HashSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use uuid::Uuid;

/// How many are known of each queue, the last ones. They take 1 MiB at most.
const MOST: usize = 20_000;

/// The messages that were completed last, by the ids that SQS gave them. Whatever is sent once more has another id: also what
/// comes back from a dead-letter queue.
#[derive(Default)]
pub(super) struct Completed(Mutex<Known>);

#[derive(Default)]
struct Known {
    all: HashSet<Uuid>,
    in_order: VecDeque<Uuid>,
}

impl Completed {
    /// Notes that a message is completed. What has no id as SQS makes them is not known again.
    pub(super) fn note(&self, id: &str) {
        let Ok(id) = Uuid::parse_str(id) else { return };
        let mut known = self.known();
        if !known.all.insert(id) {
            return;
        }
        known.in_order.push_back(id);
        if known.in_order.len() > MOST
            && let Some(oldest) = known.in_order.pop_front()
        {
            known.all.remove(&oldest);
        }
    }

    /// Was it completed here?
    pub(super) fn has(&self, id: &str) -> bool {
        Uuid::parse_str(id).is_ok_and(|id| self.known().all.contains(&id))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> String {
        Uuid::from_u128(number as u128).to_string()
    }

    #[test]
    fn d1_only_what_was_completed_is_known_and_no_id_of_another_kind() {
        let completed = Completed::default();
        completed.note(&id(1));
        completed.note("message 2");
        assert_eq!([id(1), id(2), "message 2".to_owned()].map(|id| completed.has(&id)), [true, false, false]);
    }

    #[test]
    fn the_last_20_000_are_known_and_the_one_before_is_forgotten() {
        let completed = Completed::default();
        (0..MOST).for_each(|number| completed.note(&id(number)));
        completed.note(&id(0));
        assert!(completed.has(&id(0)), "as many as are known");
        completed.note(&id(MOST));
        assert_eq!([id(0), id(1), id(MOST)].map(|id| completed.has(&id)), [false, true, true]);
        let known = completed.known();
        assert_eq!((known.all.len(), known.in_order.len()), (MOST, MOST));
    }
}
