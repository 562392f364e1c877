//! A backlog, and a service that comes to it.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicUsize, Ordering},
};

use serde::Serialize;
use tegami::{
    Context, HandlerError, Service,
    transport::{Memory, Provision, Transport},
};
use tokio::sync::Notify;

use crate::{
    broker::{
        meter::{Cost, Drain, Mark, memory, peak},
        own::{self, subscription},
        topology,
    },
    event::OrderNoted,
};

/// What a backlog in the process's own memory cost.
#[derive(Debug, Serialize)]
pub struct Held {
    /// KiB resident without it.
    empty: usize,
    /// KiB resident with it.
    full: usize,
    publish: Cost,
    handle: Cost,
}

/// Fills a queue of the memory transport, then drains it.
///
/// # Panics
/// The transport refuses.
pub async fn held(messages: usize) -> Held {
    let broker = Memory::builder().capacity(messages).build();
    broker.provision(&topology(), Provision::Create).await.expect("the queue is made");
    let empty = memory();
    let publish = own::publish(broker.clone(), messages).await;
    let full = memory();
    let handle = own::consume(broker.clone(), Drain::of(messages)).await;
    Held { empty, full, publish, handle }
}

/// What a service took for the first messages of a backlog.
#[derive(Debug, Serialize)]
pub struct Begun {
    handle: Cost,
    /// The most KiB that were resident.
    peak: usize,
}

/// Handled messages, from the first to one that is waited for; more may come.
#[derive(Debug)]
struct First {
    wanted: usize,
    handled: AtomicUsize,
    begun: OnceLock<Mark>,
    cost: OnceLock<Cost>,
    last: Notify,
}

impl First {
    fn of(wanted: usize) -> Self {
        let (begun, cost) = (OnceLock::new(), OnceLock::new());
        Self { wanted, handled: AtomicUsize::new(0), begun, cost, last: Notify::new() }
    }

    fn handled(&self) {
        let count = self.handled.fetch_add(1, Ordering::Relaxed) + 1;
        let begun = self.begun.get_or_init(Mark::now);
        if count == self.wanted {
            self.cost.get_or_init(|| begun.cost(self.wanted - 1));
            self.last.notify_one();
        }
    }
}

async fn handle(_: OrderNoted, ctx: Context<Arc<First>>) -> Result<(), HandlerError> {
    ctx.state().handled();
    Ok(())
}

/// Handles the first messages of a backlog.
///
/// # Panics
/// The broker is not there.
pub async fn begun(transport: impl Transport, messages: usize) -> Begun {
    let first = Arc::new(First::of(messages));
    let service = Service::new("billing").state(first.clone()).transport(transport);
    let running = service.on_with::<OrderNoted>(handle, subscription).start().await.expect("the service starts");
    first.last.notified().await;
    let handle = *first.cost.get().expect("the last has come");
    running.stop().await.expect("the service stops");
    Begun { handle, peak: peak() }
}
