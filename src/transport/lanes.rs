//! Order within a key, in one process: of each key one message is handed out, and the others wait behind it (O2).
//!
//! A lane stays taken while its handler runs, whatever becomes of the connection: what the broker delivers again
//! meanwhile waits for the old handler to let go.

use std::collections::{HashMap, VecDeque};

/// The keys in work, and what waits behind each.
#[derive(Debug)]
pub(crate) struct Lanes<T> {
    lanes: HashMap<String, VecDeque<T>>,
    ready: VecDeque<T>,
}

impl<T> Default for Lanes<T> {
    fn default() -> Self {
        Self { lanes: HashMap::new(), ready: VecDeque::new() }
    }
}

impl<T> Lanes<T> {
    /// Takes in what has arrived for this key; gives it back if nothing of the key is in work: it then is.
    pub(crate) fn arrive(&mut self, key: &str, message: T) -> Option<T> {
        if let Some(waiting) = self.lanes.get_mut(key) {
            waiting.push_back(message);
            return None;
        }
        self.lanes.insert(key.to_owned(), VecDeque::new());
        Some(message)
    }

    /// Lets go of a key; what waited behind it is ready, and in work from now on.
    pub(crate) fn leave(&mut self, key: &str) {
        match self.lanes.get_mut(key).map(VecDeque::pop_front) {
            Some(Some(next)) => self.ready.push_back(next),
            Some(None) => drop(self.lanes.remove(key)),
            None => {}
        }
    }

    /// What may be handed out.
    pub(crate) fn ready(&mut self) -> Option<T> {
        self.ready.pop_front()
    }

    /// Gives up what waits, in no order: the broker delivers it again. Keys whose next was ready are let go of.
    #[cfg(any(feature = "amqp", feature = "aws"))]
    pub(crate) fn forget(&mut self, key: impl Fn(&T) -> String) -> Vec<T> {
        let ready: Vec<T> = std::mem::take(&mut self.ready).into();
        let waiting: Vec<T> = self.lanes.values_mut().flat_map(std::mem::take).collect();
        for message in &ready {
            self.lanes.remove(&key(message));
        }
        ready.into_iter().chain(waiting).collect()
    }
}

#[cfg(all(test, any(feature = "amqp", feature = "aws")))]
mod tests {
    use super::*;

    #[test]
    fn o2_of_a_key_one_is_out_and_the_others_follow_in_order() {
        let mut lanes = Lanes::default();
        assert_eq!(lanes.arrive("a", 1), Some(1));
        assert_eq!((lanes.arrive("a", 2), lanes.arrive("b", 3), lanes.arrive("a", 4)), (None, Some(3), None));
        assert_eq!(lanes.ready(), None);
        lanes.leave("a");
        assert_eq!((lanes.ready(), lanes.ready()), (Some(2), None));
        lanes.leave("a");
        lanes.leave("a");
        assert_eq!((lanes.ready(), lanes.ready()), (Some(4), None));
        assert_eq!(lanes.arrive("a", 5), Some(5), "the lane is free again");
    }

    #[test]
    fn o2_what_comes_again_waits_for_the_handler_of_before() {
        let mut lanes = Lanes::default();
        lanes.arrive("a", "a1");
        lanes.arrive("a", "a2");
        lanes.arrive("b", "b1");
        lanes.arrive("b", "b2");
        lanes.leave("b");
        assert_eq!(lanes.forget(|message| message[..1].to_owned()), ["b2", "a2"]);
        assert_eq!(lanes.ready(), None);
        assert_eq!(lanes.arrive("a", "a1 again"), None, "its handler still runs");
        assert_eq!(lanes.arrive("b", "b2 again"), Some("b2 again"), "it was not handed out before");
        lanes.leave("a");
        assert_eq!(lanes.ready(), Some("a1 again"));
    }
}
