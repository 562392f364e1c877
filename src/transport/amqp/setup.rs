//! What all parts of one transport share.

use super::{address::Address, dial::Dialer};
use crate::{
    lifecycle::Lifecycle,
    time::{Clock, Dice},
    transport::TransportError,
};

/// Settings, clock and tasks of one transport.
pub(super) struct Setup {
    broker: Result<(Address, Dialer), TransportError>,
    pub(super) clock: Clock,
    pub(super) dice: Dice,
    pub(super) lifecycle: Lifecycle,
}

impl Setup {
    /// The settings of this URL; what is wrong with it is told at the start.
    pub(super) fn new(url: &str) -> Self {
        let broker = Address::parse(url).and_then(|address| Dialer::to(&address).map(|dialer| (address, dialer)));
        Self { broker, clock: Clock::system(), dice: Dice::system(), lifecycle: Lifecycle::default() }
    }

    /// Where the broker is.
    pub(super) fn address(&self) -> Result<&Address, TransportError> {
        self.broker().map(|(address, _)| address)
    }

    /// Where it is, and the way there.
    pub(super) fn broker(&self) -> Result<&(Address, Dialer), TransportError> {
        self.broker.as_ref().map_err(TransportError::again)
    }
}
