//! The service of ruststream.

use std::{convert::Infallible, hint::black_box};

use ruststream::{
    memory::{MemoryPublisher, prelude::*},
    runtime::{BrokerScope, Identity, RunningApp},
};

use crate::{
    event::{Bare, bare},
    latch::Latch,
    run::Side,
};

/// Where subscribers are put.
pub type Scope<'a> = &'a mut BrokerScope<MemoryBroker, Identity, (), Latch>;

/// The publisher of a started service of ruststream.
pub struct Other {
    publisher: MemoryPublisher,
    order: Bare,
}

impl Other {
    /// Starts a service on a broker of its own, with what is chosen for it.
    pub async fn start(latch: Latch, choose: impl FnOnce(Scope<'_>)) -> (Self, RunningApp) {
        let broker = MemoryBroker::new();
        let app = RustStream::new(AppInfo::new("billing", "0.0.0"))
            .on_startup(async move |()| Ok::<_, Infallible>(latch))
            .with_broker(broker.clone(), choose);
        let running = app.start().await.expect("the service starts");
        (Self { publisher: broker.publisher(), order: bare() }, running)
    }
}

impl Side for Other {
    async fn publish(&self) {
        self.publisher.message(&self.order).to("orders").publish().await.expect("the broker is there");
    }
}

/// Puts in one subscriber.
pub fn one(scope: Scope<'_>) {
    many(scope, 1);
}

/// Puts in so many subscribers.
pub fn many(scope: Scope<'_>, subscribers: usize) {
    for _ in 0..subscribers {
        scope.include(handle);
    }
}

/// Puts in one subscriber that handles two messages at once.
pub fn with_two_workers(scope: Scope<'_>) {
    scope.include(handle_with_two_workers);
}

#[subscriber("orders")]
async fn handle(order: &Bare, ctx: &mut Context<'_, (), Latch>) -> HandlerOutcome {
    done(order, ctx.state())
}

#[subscriber("orders", workers(2))]
async fn handle_with_two_workers(order: &Bare, ctx: &mut Context<'_, (), Latch>) -> HandlerOutcome {
    done(order, ctx.state())
}

fn done(order: &Bare, latch: &Latch) -> HandlerOutcome {
    black_box((order.amount_minor, order.items));
    latch.arrived();
    HandlerOutcome::ack()
}
