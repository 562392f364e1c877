//! The way to an emulator, with one trouble on it.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use tegami::{
    testing::transport::{Fault, Injected, Subject, until, within},
    transport::{Transport, TransportError},
};
use tegami_test_servers::{Counts, Kind};

use crate::broker::{Broker, Place};

/// The trouble of a road, as a case asks for it.
pub const TROUBLE: Fault = Fault::Own("the road's trouble");

/// What a case has looked at on the road once all is over.
pub const AFTERWARDS: Fault = Fault::Own("what came of the trouble");

/// What goes wrong, from its begin to its end; or a look at what came of it.
pub type Trouble = for<'a> fn(&'a Place) -> BoxFuture<'a, ()>;

impl Place {
    /// Waits until so many calls of this operation were struck, and no longer than this.
    pub async fn struck(&self, time: Duration, operation: &str, times: u64) {
        let what = format!("{times} struck calls of {operation}");
        within(time, &what, until(|| self.fault.struck(operation) >= times)).await;
    }

    /// Waits until the door has counted so, and no longer than this.
    pub async fn counted(&self, time: Duration, what: &str, holds: impl Fn(Counts) -> bool) {
        within(time, what, until(|| holds(self.fault.door().counts()))).await;
    }

    /// Waits until this operation was called again, and that call was left alone; no longer than this.
    pub async fn served(&self, time: Duration, operation: &str) {
        let served = || self.fault.calls(operation) - self.fault.struck(operation);
        let before = served();
        within(time, &format!("{operation} to go well"), until(|| served() > before)).await;
    }
}

/// The way to an emulator of this kind, which the case has for itself.
pub struct Road {
    broker: Broker,
    trouble: Trouble,
    afterwards: Trouble,
}

impl Road {
    pub fn new(kind: Kind, trouble: Trouble) -> Self {
        Self { broker: Broker::of(kind), trouble, afterwards: |_| Box::pin(async {}) }
    }

    /// The same with a look at what came of it.
    pub fn then(self, afterwards: Trouble) -> Self {
        Self { afterwards, ..self }
    }
}

#[async_trait]
impl Subject for Road {
    async fn connect(&self) -> Result<Arc<dyn Transport>, TransportError> {
        self.broker.connect().await
    }

    async fn inject(&self, fault: Fault) -> Injected {
        let place = self.broker.place().await;
        match fault {
            TROUBLE => (self.trouble)(place).await,
            AFTERWARDS => (self.afterwards)(place).await,
            _ => return Injected::Cannot,
        }
        Injected::Done
    }

    async fn lift(&self, _: Fault) {
        let fault = &self.broker.place().await.fault;
        fault.lift();
        fault.door().opened().await;
    }

    async fn address(&self) -> Option<String> {
        self.broker.address().await
    }
}
