//! A recorded event as the message that handlers get.

use std::sync::Arc;

use crate::{
    codec::{Hands, Values},
    contract::Contract,
    envelope::{DecodeError, DecodeErrorKind, EncodeError, Envelope, Message, Payload, Raw, Sealed},
    error::told,
    event::Encoding,
    store::{Criterion, Query, Recorded, Store, StoreError, StoreErrorKind},
    transport::QueuePlan,
};

/// Beside a message that cannot be opened, and says why.
const UNREADABLE: &str = "tegami-unreadable";

/// The envelope of what comes from a store: the payload as it was recorded, and its head beside it.
pub(super) struct AsRecorded(Raw);

impl AsRecorded {
    pub(super) fn new() -> Self {
        Self(Raw::json())
    }
}

impl Envelope for AsRecorded {
    fn encoding(&self) -> Encoding {
        self.0.encoding()
    }

    fn seal(&self, message: Message<Payload>) -> Result<Sealed, EncodeError> {
        self.0.seal(message)
    }

    fn open(&self, sealed: &Sealed) -> Result<Message<Payload>, DecodeError> {
        match sealed.attributes.text(UNREADABLE) {
            Some(why) => Err(DecodeError::new(DecodeErrorKind::Undecodable, why.to_owned())),
            None => self.0.open(sealed),
        }
    }
}

/// What becomes of a recorded event that a handler is to get.
pub(super) enum Opened {
    Sealed(Sealed),
    /// Its subject was forgotten.
    Erased,
}

/// What is known of a queue's events. Clones share it.
#[derive(Clone)]
pub(super) struct Opening {
    store: Store,
    plan: Arc<QueuePlan>,
    hands: Arc<Vec<Hands>>,
}

impl Opening {
    pub(super) fn new(store: Store, plan: QueuePlan, hands: Vec<Hands>) -> Self {
        Self { store, plan: Arc::new(plan), hands: Arc::new(hands) }
    }

    /// The queue's name.
    pub(super) fn queue(&self) -> &str {
        &self.plan.name
    }

    /// What to read, under older contracts too.
    pub(super) fn query(&self) -> Query {
        let contracts = self.contracts();
        let named = self.plan.bindings.iter().filter(|to| !contracts.iter().any(|known| known.name == to.event));
        let named = named.fold(Criterion::any(), |criterion, to| criterion.named(to.event));
        let wide = contracts.into_iter().fold(named, Criterion::contract);
        self.store.widened(&Query::from(wide))
    }

    /// Is there something that the queue does not want of all that is read for it?
    pub(super) fn has_filter(&self) -> bool {
        self.plan.bindings.iter().any(|to| !to.policy.is_empty())
    }

    /// Does the queue want it? Of what is upcast before it is handled, the filter is asked later.
    pub(super) fn wants(&self, recorded: &Recorded) -> bool {
        let (name, attributes) = (recorded.entry.name(), &recorded.entry.message.head.attributes);
        let mut bindings = self.plan.bindings.iter().filter(|to| to.event == name).peekable();
        bindings.peek().is_none() || bindings.any(|to| to.policy.is_empty() || to.policy.matches(attributes))
    }

    /// The event as a message.
    ///
    /// # Errors
    /// Keys cannot be asked for, so that nobody knows.
    pub(super) async fn open(&self, recorded: Recorded) -> Result<Opened, StoreError> {
        let hands = |name: &str| self.hands.iter().find(|hands| hands.contract.name == name).copied();
        let mut opened = recorded.clone();
        let lifted = match self.store.open_by(&mut opened, hands).await {
            Ok(Values::Erased) => return Ok(Opened::Erased),
            Ok(values) => self.lift(&mut opened, values),
            Err(error) => Err(error),
        };
        match lifted {
            Ok(()) => Ok(Opened::Sealed(sealed(opened))),
            // It will not open later either. Whatever else is wrong may be put right: the queue waits.
            Err(error) if matches!(error.kind(), StoreErrorKind::Unreadable | StoreErrorKind::Damaged) => {
                let mut sealed = sealed(recorded);
                sealed.attributes.set(UNREADABLE, told(&error));
                Ok(Opened::Sealed(sealed))
            }
            Err(error) => Err(error),
        }
    }

    /// Has the event under the contract that the queue has of it.
    fn lift(&self, recorded: &mut Recorded, values: Values) -> Result<(), StoreError> {
        let is_bound = self.plan.bindings.iter().any(|to| to.event == recorded.entry.name());
        if is_bound { Ok(()) } else { self.store.lift_to(recorded, values, || self.contracts()) }
    }

    fn contracts(&self) -> Vec<&'static Contract> {
        let bound = |hands: &&Hands| self.plan.bindings.iter().any(|to| to.event == hands.contract.name);
        self.hands.iter().filter(bound).map(|hands| hands.contract).collect()
    }
}

/// The event as it was recorded.
pub(super) fn sealed(recorded: Recorded) -> Sealed {
    let message = recorded.entry.message;
    let body = message.content.bytes.clone();
    Raw::json().seal(message).unwrap_or(Sealed { body, ..Sealed::default() })
}
