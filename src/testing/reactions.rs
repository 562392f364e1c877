//! What a process decides, told as given, when and then. Needs no store, no broker and no clock.

use std::fmt::Debug;

use super::scenario::as_stored;
use crate::process::{Process, Reaction};

/// A process to which nothing has come yet.
///
/// Events are taken as they would come out of a store: one that breaks its contract fails the test.
///
/// # Examples
/// See the guide, [`docs::processes`](crate::docs::processes).
pub fn process<P: Process>() -> Ongoing<P> {
    Ongoing { state: P::default() }
}

/// A process with what it has been through.
#[derive(Debug)]
#[must_use = "it ends in `when` and `then`"]
pub struct Ongoing<P> {
    state: P,
}

impl<P: Process> Ongoing<P> {
    /// This came, or was published for what came.
    ///
    /// # Panics
    /// The event breaks its contract.
    #[track_caller]
    pub fn given(mut self, event: impl Into<P::Event>) -> Self {
        self.state.evolve(&as_stored(&event.into()));
        self
    }

    /// This event comes, or the time of this timeout. To a process that is over nothing comes any more: nothing follows.
    ///
    /// # Panics
    /// The event breaks its contract.
    #[track_caller]
    pub fn when(mut self, event: impl Into<P::Event>) -> Reacted<P> {
        let event = as_stored(&event.into());
        if self.state.is_over() {
            return Reacted { state: self.state, reaction: Reaction::none() };
        }
        self.state.evolve(&event);
        let reaction = self.state.react(&event);
        reaction.published.iter().for_each(|sent| self.state.evolve(&as_stored(&sent.event)));
        Reacted { state: self.state, reaction }
    }
}

/// What a process decided.
#[derive(Debug)]
#[must_use = "it ends in `then`"]
pub struct Reacted<P: Process> {
    state: P,
    reaction: Reaction<P::Event>,
}

impl<P: Process<Event: Debug + PartialEq>> Reacted<P> {
    /// It decided on this; the process after it.
    ///
    /// # Panics
    /// It decided otherwise.
    #[track_caller]
    pub fn then(self, expected: Reaction<P::Event>) -> P {
        assert_eq!(self.reaction, expected, "decided (left) and expected (right)");
        self.state
    }

    /// It decided on nothing.
    ///
    /// # Panics
    /// It decided on something.
    #[track_caller]
    pub fn then_nothing(self) -> P {
        self.then(Reaction::none())
    }
}
