//! One connection to a broker, shared by all that came out of it. What is its own goes with it.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::broker::Broker;

/// One connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) broker: Arc<Broker>,
    pub(super) number: u64,
    pub(super) closed: CancellationToken,
}

impl Connection {
    /// A new one.
    pub(super) fn to(broker: Arc<Broker>) -> Arc<Self> {
        Arc::new(Self { number: broker.connect(), broker, closed: CancellationToken::new() })
    }

    /// Lets go of everything.
    pub(super) fn close(&self) {
        self.closed.cancel();
        self.broker.leave(self.number);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.close();
    }
}
