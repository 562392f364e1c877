//! What was completed of a queue here: SQS may hand it out once more, for a delete can fail, and a queue may keep a copy of
//! what was deleted (AWS: at-least-once delivery). Nobody has to handle it again.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use uuid::Uuid;

/// How many are known of each queue, the last ones. They take 2 MiB at most.
const MOST: usize = 20_000;

/// The messages that were completed last, by the ids that SQS gave them. Whatever is sent once more has another id: also what
/// comes back from a dead-letter queue.
#[derive(Default)]
pub(super) struct Completed(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// With the number under which it is held, for as long as it is.
    all: HashMap<Uuid, u64>,
    in_order: VecDeque<Uuid>,
}

impl Completed {
    /// Notes that the message held under this number is completed. What has no id as SQS makes them is not known again.
    pub(super) fn note(&self, id: &str, number: u64) {
        let Ok(id) = Uuid::parse_str(id) else { return };
        let mut known = self.known();
        if known.all.insert(id, number).is_some() {
            return;
        }
        known.in_order.push_back(id);
        if known.in_order.len() > MOST
            && let Some(oldest) = known.in_order.pop_front()
        {
            known.all.remove(&oldest);
        }
    }

    /// Was it completed here? The number under which it was held last.
    pub(super) fn number(&self, id: &str) -> Option<u64> {
        let id = Uuid::parse_str(id).ok()?;
        self.known().all.get(&id).copied()
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
        completed.note(&id(1), 7);
        completed.note("message 2", 8);
        assert_eq!([id(1), id(2), "message 2".to_owned()].map(|id| completed.number(&id)), [Some(7), None, None]);
        completed.note(&id(1), 9);
        assert_eq!(completed.number(&id(1)), Some(9), "it came again");
    }

    #[test]
    fn the_last_20_000_are_known_and_the_one_before_is_forgotten() {
        let completed = Completed::default();
        (0..MOST).for_each(|number| completed.note(&id(number), 1));
        completed.note(&id(0), 2);
        assert_eq!(completed.number(&id(0)), Some(2), "as many as are known");
        completed.note(&id(MOST), 3);
        assert_eq!([id(0), id(1), id(MOST)].map(|id| completed.number(&id)), [None, Some(1), Some(3)]);
        let known = completed.known();
        assert_eq!((known.all.len(), known.in_order.len()), (MOST, MOST));
    }
}
