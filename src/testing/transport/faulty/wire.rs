//! One real connection, and what is read from it.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::{Broker, away, closed};
use crate::{
    testing::transport::{Fault, tamper::relet},
    transport::{Deliveries, Delivery, Lease, SettleError, SettleErrorKind, Settlement, Transport, TransportError},
};

/// How long a message rests whose dead-letter copy was refused (X4).
const REST: Duration = Duration::from_secs(1);

/// What goes over a wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Publishes and questions.
    Ask,
    /// One consumer's deliveries and their settlements.
    Read,
}

/// One real connection; once cut, it stays so.
pub(super) struct Wire {
    pub(super) transport: Arc<dyn Transport>,
    broker: Arc<Broker>,
    used_to: Use,
    cut: CancellationToken,
}

impl Wire {
    /// To the broker, or to that of another process.
    pub(super) async fn open(
        broker: &Arc<Broker>,
        address: Option<&str>,
        used_to: Use,
    ) -> Result<Arc<Self>, TransportError> {
        broker.without(Fault::Frozen).await;
        broker.takes()?;
        let transport = match address {
            Some(address) => broker.subject.connect_to(address).await?,
            None => broker.subject.connect().await?,
        };
        Ok(Arc::new(Self { transport, broker: broker.clone(), used_to, cut: CancellationToken::new() }))
    }

    /// Cuts the connection. What it had been handed comes back.
    pub(super) async fn cut(&self) {
        self.cut.cancel();
        self.transport.close().await;
    }

    pub(super) fn is_cut(&self) -> bool {
        self.cut.is_cancelled()
    }

    pub(super) fn is_read(&self) -> bool {
        self.used_to == Use::Read && !self.is_cut()
    }

    /// The answer, once the broker gives one; none, if the connection is cut before.
    pub(super) async fn ask<T>(&self, question: impl Future<Output = T>) -> Option<T> {
        let answer = question.await;
        self.thawed().await.map(|()| answer)
    }

    async fn thawed(&self) -> Option<()> {
        tokio::select! {
            biased;
            () = self.cut.cancelled() => None,
            () = self.broker.without(Fault::Frozen) => Some(()),
        }
    }
}

/// The deliveries that one consumer reads from a wire of its own.
pub(super) struct Read {
    pub(super) deliveries: Box<dyn Deliveries>,
    pub(super) wire: Arc<Wire>,
    pub(super) closed: CancellationToken,
}

#[async_trait]
impl Deliveries for Read {
    async fn next(&mut self, room: usize) -> Result<Vec<Delivery>, TransportError> {
        let broker = &self.wire.broker;
        loop {
            let frozen = broker.is(Fault::Frozen);
            tokio::select! {
                biased;
                () = self.closed.cancelled() => return Err(closed()),
                () = self.wire.cut.cancelled() => return Err(away()),
                () = broker.until(Fault::Refusing) => return Err(away()),
                () = broker.without(Fault::Frozen), if frozen => {}
                () = broker.until(Fault::Frozen), if !frozen => {}
                found = self.deliveries.next(room), if !frozen => {
                    return found.map(|found| found.into_iter().map(|inner| self.handed(inner)).collect());
                }
            }
        }
    }
}

impl Read {
    fn handed(&self, inner: Delivery) -> Delivery {
        relet(inner, |inner| Held { inner, wire: self.wire.clone() })
    }
}

/// The lease on a delivery, as good as its wire.
struct Held {
    inner: Delivery,
    wire: Arc<Wire>,
}

#[async_trait]
impl Lease for Held {
    async fn settle(self: Box<Self>, settlement: Settlement) -> Result<(), SettleError> {
        let Self { inner, wire } = *self;
        let broker = &wire.broker;
        if wire.thawed().await.is_none() || broker.is(Fault::Refusing) {
            return Err(SettleError::new(SettleErrorKind::Lost, "the connection that brought the delivery is gone"));
        }
        if matches!(settlement, Settlement::DeadLetter(_)) && broker.is(Fault::DeadLettersDown) {
            tokio::spawn(comes_back_later(inner));
            return Err(SettleError::new(SettleErrorKind::CopyRefused, "the dead-letter queue is away"));
        }
        inner.settle(settlement).await
    }

    fn lost(&self) -> Option<&CancellationToken> {
        self.inner.loss()
    }
}

async fn comes_back_later(inner: Delivery) {
    tokio::time::sleep(REST).await;
    drop(inner);
}
