//! What comes again and again in rows: names of events, services, topics and fields, and the stream.
//!
//! Each name is kept once, for the process, so that an event has no copy of its own of any.

use std::{
    borrow::Cow,
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use crate::store::{StoreError, StreamId};

/// The most names that are kept, and the longest of them, in bytes. An event has its own copy of any other.
const MOST: usize = 4096;
const LONGEST: usize = 128;
/// The most names that the rows of one statement are looked through for.
const AT_HAND: usize = 16;

static KEPT: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// What the rows of one statement had so far.
#[derive(Default)]
pub(in crate::store) struct Names {
    at_hand: Vec<&'static str>,
    stream: Option<StreamId>,
}

impl Names {
    pub(super) fn name(&mut self, text: &str) -> Cow<'static, str> {
        if let Some(known) = self.at_hand.iter().find(|known| **known == text) {
            return Cow::Borrowed(known);
        }
        let Some(name) = kept(text) else { return Cow::Owned(text.to_owned()) };
        if self.at_hand.len() < AT_HAND {
            self.at_hand.push(name);
        }
        Cow::Borrowed(name)
    }

    /// # Errors
    /// It is none.
    pub(super) fn stream(&mut self, name: &str) -> Result<StreamId, StoreError> {
        if let Some(last) = self.stream.as_ref().filter(|last| last.as_str() == name) {
            return Ok(last.clone());
        }
        Ok(self.stream.insert(StreamId::new(name)?).clone())
    }
}

/// The name, if it is one of those that are kept, or there is still room for it.
fn kept(text: &str) -> Option<&'static str> {
    let mut all = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = all.get(text) {
        return Some(known);
    }
    if text.len() > LONGEST || all.len() >= MOST {
        return None;
    }
    let name: &'static str = Box::leak(text.into());
    all.insert(name);
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_once_and_not_without_end() {
        let address = |name: Cow<'static, str>| match name {
            Cow::Borrowed(name) => Some(name.as_ptr()),
            Cow::Owned(_) => None,
        };
        let once = address(Names::default().name("shop.v1.E")).expect("there is room");
        assert_eq!(address(Names::default().name("shop.v1.E")), Some(once));
        assert_eq!(address(Names::default().name(&"n".repeat(LONGEST + 1))), None);
        for number in 0..=MOST {
            assert_eq!(Names::default().name(&number.to_string()), number.to_string());
        }
        assert_eq!(address(Names::default().name("one too many")), None);
        assert_eq!(address(Names::default().name("shop.v1.E")), Some(once));
    }
}
