//! What all parts of one transport share.

use std::sync::{Arc, Mutex, PoisonError};

use super::{address::Address, dial::Dialer};
use crate::{
    lifecycle::{Lifecycle, Quarters},
    time::{Clock, Dice},
    transport::{TransportError, TransportErrorKind},
};

/// Settings, clock and tasks of one transport.
pub(super) struct Setup {
    broker: Result<Arc<(Address, Dialer)>, TransportError>,
    quarters: Mutex<Option<Arc<Quarters>>>,
    pub(super) clock: Clock,
    pub(super) dice: Dice,
    pub(super) lifecycle: Lifecycle,
}

impl Setup {
    /// The settings of this URL; what is wrong with it is told at the start.
    pub(super) fn new(url: &str) -> Self {
        let broker = Address::parse(url).and_then(|address| Dialer::to(&address).map(|dialer| (address, dialer)));
        let (broker, quarters) = (broker.map(Arc::new), Mutex::default());
        Self { broker, quarters, clock: Clock::system(), dice: Dice::system(), lifecycle: Lifecycle::default() }
    }

    /// Where the broker is.
    pub(super) fn address(&self) -> Result<&Address, TransportError> {
        Ok(&self.broker()?.0)
    }

    /// Where it is, and the way there.
    pub(super) fn broker(&self) -> Result<&Arc<(Address, Dialer)>, TransportError> {
        self.broker.as_ref().map_err(TransportError::again)
    }

    /// Where the client lives: its heartbeats must not wait for a handler that blocks its thread.
    pub(super) fn quarters(&self) -> Result<Arc<Quarters>, TransportError> {
        let mut quarters = self.quarters.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(quarters) = &*quarters {
            return Ok(quarters.clone());
        }
        let opened = Quarters::open("tegami-amqp").map(Arc::new).map_err(|error| {
            let text = "a thread for the connection to RabbitMQ cannot be started";
            TransportError::new(TransportErrorKind::Unreachable, text).caused_by(error)
        })?;
        Ok(quarters.insert(opened).clone())
    }

    /// Gives the thread up, once what is done until then is done or dropped; it ends with the last connection.
    pub(super) fn leaving(&self) -> Leaving<'_> {
        Leaving(self)
    }
}

/// Gives the thread up at its end.
pub(super) struct Leaving<'a>(&'a Setup);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        *self.0.quarters.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
