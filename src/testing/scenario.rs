//! What an aggregate decides, told as given, when and then. Needs no store.

use std::fmt::Debug;

use crate::{
    aggregate::Aggregate,
    error::told,
    store::{Entry, EventSet},
};

/// An aggregate to which nothing has happened yet.
///
/// Events are taken as they would come out of a store: one that breaks its contract fails the test, given or decided.
///
/// # Examples
/// See [`Aggregate`].
pub fn scenario<A: Aggregate>() -> Scenario<A> {
    Scenario { state: A::default() }
}

/// An aggregate with what has happened to it.
#[derive(Debug)]
#[must_use = "it ends in `when` and one of `then`"]
pub struct Scenario<A> {
    state: A,
}

impl<A: Aggregate> Scenario<A> {
    /// This has happened, too.
    ///
    /// # Panics
    /// The event breaks its contract.
    #[track_caller]
    pub fn given(mut self, event: impl Into<A::Event>) -> Self {
        self.state.evolve(&as_stored(&event.into()));
        self
    }

    /// Has it decide about a command.
    ///
    /// # Panics
    /// An event that it decided breaks its contract.
    #[track_caller]
    pub fn when(mut self, command: &A::Command) -> Decided<A> {
        let outcome = self.state.decide(command);
        let outcome = outcome.map(|events| {
            let events: Vec<_> = events.iter().map(|event| as_stored(event)).collect();
            events.iter().for_each(|event| self.state.evolve(event));
            events
        });
        Decided { outcome, state: self.state }
    }
}

/// What an aggregate decided.
#[derive(Debug)]
#[must_use = "it ends in one of `then`"]
pub struct Decided<A: Aggregate> {
    outcome: Result<Vec<A::Event>, A::Refusal>,
    state: A,
}

impl<A> Decided<A>
where
    A: Aggregate<Event: Debug + PartialEq, Refusal: Debug>,
{
    /// It decided on these events, in this order; the state after them.
    ///
    /// # Panics
    /// It decided otherwise, or refused.
    #[track_caller]
    pub fn then(self, events: impl IntoIterator<Item = impl Into<A::Event>>) -> A {
        let expected: Vec<A::Event> = events.into_iter().map(Into::into).collect();
        match self.outcome {
            Ok(decided) => assert_eq!(decided, expected, "decided (left) and expected (right)"),
            Err(refusal) => panic!("it refused: {refusal:?}\nexpected: {expected:?}"),
        }
        self.state
    }

    /// It decided that nothing is to be done.
    ///
    /// # Panics
    /// It decided otherwise, or refused.
    #[track_caller]
    pub fn then_nothing(self) -> A {
        self.then(Vec::<A::Event>::new())
    }

    /// It refused for this reason.
    ///
    /// # Panics
    /// It refused for another, or did not.
    #[track_caller]
    pub fn then_refused(self, expected: &A::Refusal)
    where
        A::Refusal: PartialEq,
    {
        match self.outcome {
            Ok(decided) => panic!("it decided: {decided:?}\nexpected a refusal: {expected:?}"),
            Err(refusal) => assert_eq!(&refusal, expected, "refused (left) and expected (right)"),
        }
    }
}

/// The event as it comes back from a store.
#[track_caller]
pub(super) fn as_stored<E: EventSet>(event: &E) -> E {
    let entry: Entry = event.entry().unwrap_or_else(|error| panic!("{}", told(&error)));
    let read = E::decode(entry.name(), &entry.message.content);
    read.unwrap_or_else(|error| panic!("an event cannot be read as it was written: {}", told(&error)))
}
