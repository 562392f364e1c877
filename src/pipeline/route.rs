//! From a message's event name to the handler for it.

use std::{marker::PhantomData, sync::Arc, time::Duration};

use super::{Incoming, Retry};
use crate::{
    codec::{self, DecodeError, DecodeErrorKind},
    contract::Contract,
    envelope::Envelope,
    event::{Event, Policy},
    handler::{Context, Handler, HandlerError},
    middleware::{BoxFuture, Chain, Middleware},
};

/// One handler with what its subscription asked for.
pub(crate) struct Route {
    /// The handler's, for logs: that of its function; a closure has the one it is in.
    pub(crate) name: String,
    pub(crate) contract: &'static Contract,
    pub(crate) policy: Policy,
    pub(crate) timeout: Duration,
    pub(crate) retry: Retry,
    pub(crate) envelope: Option<Arc<dyn Envelope>>,
    pub(crate) handler: Arc<dyn Run>,
}

/// The route for this event name, or for no name where only one event can be meant.
pub(super) fn find(routes: &[Arc<Route>], name: Option<&str>) -> Result<Arc<Route>, DecodeError> {
    let unknown = |text: String| DecodeError::new(DecodeErrorKind::UnknownEvent, text);
    match (name, routes) {
        (None, [alone]) => Ok(alone.clone()),
        (None, _) => Err(unknown("the message names no event, and more than one is handled here".to_owned())),
        (Some(name), _) => {
            let route = routes.iter().find(|route| route.contract.name == name);
            route.cloned().ok_or_else(|| unknown(format!("event `{name}` is not handled here")))
        }
    }
}

/// Runs a handler without its types.
pub(crate) trait Run: Send + Sync {
    /// Decodes the event and calls the handler.
    fn run(self: Arc<Self>, incoming: Incoming) -> BoxFuture<Result<(), HandlerError>>;
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
}

/// The consume middleware of a service, ending in the route's handler.
pub(crate) fn chain(steps: Vec<Arc<dyn Middleware<Incoming>>>) -> Arc<Chain<Incoming>> {
    Chain::new(steps, |incoming: Incoming| incoming.route.handler.clone().run(incoming))
}
