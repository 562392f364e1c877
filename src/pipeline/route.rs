//! From a message's event name to the handler for it.

use std::{any::type_name_of_val, collections::BTreeMap, marker::PhantomData, sync::Arc, time::Duration};

use super::{Incoming, Retry};
use crate::{
    codec::{self, DecodeError, DecodeErrorKind, Hands, Payload, Persons, Upcasts, Values},
    contract::Contract,
    envelope::{Envelope, Head, Message, Sealed},
    event::{Attributes, Event, Policy},
    handler::{Context, Handler, HandlerError},
    middleware::{BoxFuture, Chain, Middleware},
};

/// A handler's name: that of its function, without its types; a closure has that of the function it is in. That of a trait's
/// begins with whose it is, and has its types.
pub(crate) fn name_of(handler: &impl Sized) -> String {
    let path = type_name_of_val(handler);
    let name = if path.starts_with('<') { path } else { path.split('<').next().unwrap_or(path) };
    name.replace("::{{closure}}", "")
}

/// One handler with what its subscription asked for.
pub(crate) struct Route {
    /// The handler's.
    pub(crate) name: String,
    pub(crate) contract: &'static Contract,
    pub(crate) hands: Hands,
    pub(crate) policy: Policy,
    pub(crate) timeout: Duration,
    pub(crate) retry: Retry,
    pub(crate) envelope: Option<Arc<dyn Envelope>>,
    pub(crate) handler: Arc<dyn Run>,
}

/// The routes of one queue, and the way to them from older contracts.
pub(crate) struct Routes {
    /// By the name of each event that comes here.
    ways: BTreeMap<&'static str, (&'static Contract, Arc<Route>)>,
    /// The only one there is.
    alone: Option<Arc<Route>>,
    upcasts: Upcasts,
}

impl Routes {
    /// Where events of each contract go.
    pub(crate) fn of(ways: impl Iterator<Item = (&'static Contract, Arc<Route>)>, upcasts: Upcasts) -> Self {
        let ways: BTreeMap<_, _> = ways.map(|(contract, route)| (contract.name, (contract, route))).collect();
        let mut routes = ways.values().filter(|(contract, route)| contract.name == route.contract.name);
        let alone = routes.next().filter(|_| routes.next().is_none()).map(|(_, route)| route.clone());
        Self { ways, alone, upcasts }
    }

    /// Opens a message, in this envelope unless the only route here has another, and finds the handler for it.
    ///
    /// # Errors
    /// It cannot be opened, or as [`address`](Self::address).
    pub(crate) fn open(&self, sealed: &Sealed, envelope: &Arc<dyn Envelope>) -> Result<Addressed, DecodeError> {
        let chosen = self.alone.as_ref().and_then(|route| route.envelope.as_ref());
        let message = chosen.unwrap_or(envelope).open(sealed)?;
        self.address(message, &sealed.attributes)
    }

    /// Finds the handler for a message, which it gets under the handler's contract.
    ///
    /// # Errors
    /// No handler is for this event, or no upcast makes it the handler's.
    fn address(&self, message: Message<Payload>, beside: &Attributes) -> Result<Addressed, DecodeError> {
        let unknown = |text: String| DecodeError::new(DecodeErrorKind::UnknownEvent, text);
        let Some(name) = &message.head.event else {
            let text = "the message names no event, and more than one is handled here";
            let route = self.meant(&message.head).ok_or_else(|| unknown(text.to_owned()))?;
            return Ok(Addressed::new(route, message, beside));
        };
        let way = self.ways.get::<str>(name);
        let (from, route) = way.ok_or_else(|| unknown(format!("event `{name}` is not handled here")))?;
        if from.name == route.contract.name {
            return Ok(Addressed::new(route, message, beside));
        }
        let older = message.content.clone();
        let message = self.lift(message, from, route.contract)?;
        let attributes = message.head.attributes.clone();
        Ok(Addressed { older: Some(Box::new(older)), ..Addressed::new(route, message, &attributes) })
    }

    /// The route of a message without a name: that of the only event that comes here, from the topic if it tells.
    fn meant(&self, head: &Head) -> Option<&Arc<Route>> {
        let route = self.alone.as_ref()?;
        (self.ways.len() == 1 || head.topic.as_deref() == Some(route.contract.topic)).then_some(route)
    }

    /// The message as it would be, had its event been published under the newer contract.
    fn lift(&self, old: Message<Payload>, from: &Contract, to: &Contract) -> Result<Message<Payload>, DecodeError> {
        let lifted = self.upcasts.lift(from.name, &old.content, Values::Whole, to)?;
        let mut head = old.head.event(to.name);
        for declared in from.attributes {
            head.attributes.remove(declared.name);
        }
        for (name, value) in lifted.attributes.iter() {
            head.attributes.set(name.to_owned(), value.clone());
        }
        Ok(Message::new(head, lifted.payload))
    }
}

/// A message with the handler that it goes to.
pub(crate) struct Addressed {
    pub(crate) route: Arc<Route>,
    pub(crate) message: Message<Payload>,
    /// What it came as, where upcasts have made another of it.
    pub(crate) older: Option<Box<Payload>>,
    /// Does the handler's filter let it pass?
    pub(crate) wanted: bool,
}

impl Addressed {
    fn new(route: &Arc<Route>, message: Message<Payload>, attributes: &Attributes) -> Self {
        let wanted = route.policy.is_empty() || route.policy.matches(attributes);
        Self { route: route.clone(), message, older: None, wanted }
    }
}

/// Runs a handler without its types.
pub(crate) trait Run: Send + Sync {
    /// Decodes the event and calls the handler.
    fn run(self: Arc<Self>, incoming: Incoming) -> BoxFuture<Result<(), HandlerError>>;

    /// The event as its handler would get it, in JSON.
    fn shown(&self, payload: &Payload, persons: Persons) -> Result<Payload, DecodeError>;
}

/// A handler with its event's type and the service's state.
pub(crate) struct Typed<E, S, H> {
    handler: H,
    state: Arc<S>,
    event: PhantomData<fn(E)>,
}

impl<E, S, H> Typed<E, S, H> {
    pub(crate) fn new(handler: H, state: Arc<S>) -> Self {
        Self { handler, state, event: PhantomData }
    }
}

impl<E, S, H> Run for Typed<E, S, H>
where
    E: Event,
    S: Send + Sync + 'static,
    H: Handler<E, S>,
{
    fn run(self: Arc<Self>, incoming: Incoming) -> BoxFuture<Result<(), HandlerError>> {
        Box::pin(async move {
            let (payload, facts) = incoming.into_parts();
            let event = codec::decode::<E>(&payload).map_err(HandlerError::undecodable)?;
            self.handler.call(event, Context::new(facts, self.state.clone())).await
        })
    }

    fn shown(&self, payload: &Payload, persons: Persons) -> Result<Payload, DecodeError> {
        codec::personal::shown::<E>(payload, persons)
    }
}

/// The consume middleware of a service, ending in the route's handler.
pub(crate) fn chain(steps: Vec<Arc<dyn Middleware<Incoming>>>) -> Arc<Chain<Incoming>> {
    Chain::new(steps, |incoming: Incoming| incoming.route.handler.clone().run(incoming))
}
