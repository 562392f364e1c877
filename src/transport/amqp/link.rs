//! A connection that is made when somebody needs it, and made again when it is lost.
//!
//! Publishing and consuming have a link each: while RabbitMQ blocks a connection that publishes, nothing at all is
//! written on it, acks and heartbeats included.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Mutex as AsyncMutex,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{setup::Setup, wire::Wire};
use crate::{
    envelope::MessageId,
    transport::{TransportError, TransportErrorKind},
};

/// The broker is asked for a connection five times a second at most (N2).
const SPACING: Duration = Duration::from_millis(200);

/// The way to the broker, for one purpose.
pub(super) struct Link {
    setup: Arc<Setup>,
    purpose: &'static str,
    closed: CancellationToken,
    wire: Mutex<Option<Arc<Wire>>>,
    tries: AsyncMutex<Tries>,
}

/// The last try to connect.
#[derive(Default)]
struct Tries {
    last: Option<Instant>,
    failed: Option<TransportError>,
}

impl Link {
    pub(super) fn new(setup: Arc<Setup>, purpose: &'static str, closed: CancellationToken) -> Self {
        Self { setup, purpose, closed, wire: Mutex::default(), tries: AsyncMutex::default() }
    }

    /// The open connection, a new one if need be. Those who ask while one is being made get that one, or its error.
    pub(super) async fn wire(&self) -> Result<Arc<Wire>, TransportError> {
        match self.open() {
            Some(wire) => Ok(wire),
            None => self.connect().await,
        }
    }

    /// The connection, if it is open.
    pub(super) fn open(&self) -> Option<Arc<Wire>> {
        self.held().as_ref().filter(|wire| wire.is_up() && !self.closed.is_cancelled()).cloned()
    }

    /// Why there is no open connection, if there is none.
    pub(super) fn missing(&self) -> Option<TransportError> {
        match self.closed.is_cancelled() {
            true => Some(closed()),
            false if self.open().is_some() => None,
            false => {
                Some(self.tries.try_lock().ok().and_then(|tries| tries.failed.as_ref().map(TransportError::again)))
                    .map(|known| known.unwrap_or_else(lost))
            }
        }
    }

    async fn connect(&self) -> Result<Arc<Wire>, TransportError> {
        let asked = self.setup.clock.instant();
        let mut tries = self.tries.lock().await;
        if let Some(wire) = self.open() {
            return Ok(wire);
        }
        if let Some(failed) = tries.failed.as_ref().filter(|_| tries.last >= Some(asked)) {
            return Err(failed.again());
        }
        if let Some(last) = tries.last {
            sleep_until(last + SPACING).await;
        }
        if self.closed.is_cancelled() {
            return Err(closed());
        }
        let opened = self.dial().await;
        tries.last = Some(self.setup.clock.instant());
        tries.failed = opened.as_ref().err().map(TransportError::again);
        opened
    }

    async fn dial(&self) -> Result<Arc<Wire>, TransportError> {
        let (broker, quarters) = (self.setup.broker()?, self.setup.quarters()?);
        let address = &broker.0;
        let name = format!("tegami {}", self.purpose);
        // Tells this connection from those before it.
        let id = MessageId::draw(&self.setup.dice).to_string();
        let wire = tokio::select! {
            biased;
            () = self.closed.cancelled() => return Err(closed()),
            opened = Wire::open(broker, quarters, (&name, id)) => Arc::new(opened?),
        };
        tracing::info!(%address, purpose = self.purpose, "connected to RabbitMQ");
        *self.held() = Some(wire.clone());
        Ok(wire)
    }

    /// Says goodbye to the broker.
    pub(super) async fn close(&self) {
        let wire = self.held().take();
        if let Some(wire) = wire {
            wire.close().await;
        }
    }

    fn held(&self) -> MutexGuard<'_, Option<Arc<Wire>>> {
        self.wire.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// It is gone, or is being made.
fn lost() -> TransportError {
    TransportError::new(TransportErrorKind::Unreachable, "there is no connection to RabbitMQ")
}

/// Nothing more is done on a closed transport.
pub(super) fn closed() -> TransportError {
    TransportError::new(TransportErrorKind::Closed, "the AMQP transport was closed")
}
