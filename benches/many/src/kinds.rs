//! What can be done with each event, whatever its type.

use std::pin::Pin;

use tegami::{Context, Event, HandlerError, Publisher, Service};
use tegami_counts::latch::Latch;

use contracts::many::*;

/// The contracts that the build script made up.
#[allow(missing_docs, reason = "they are made up")]
pub mod contracts {
    tegami::include_contracts!();
}

/// One type of events.
pub struct Kind {
    /// Has the service handle it, in this group if it is in one.
    pub on: fn(Service<Latch>, Option<&str>) -> Service<Latch>,
    /// Publishes one.
    pub publish: for<'a> fn(&'a Publisher) -> Pin<Box<dyn Future<Output = ()> + 'a>>,
}

fn on<E: Event>(service: Service<Latch>, group: Option<&str>) -> Service<Latch> {
    service.on_with::<E>(handle, |s| match group {
        Some(group) => s.group(group),
        None => s,
    })
}

async fn handle<E: Event>(_: E, ctx: Context<Latch>) -> Result<(), HandlerError> {
    ctx.state().arrived();
    Ok(())
}

async fn publish<E: Event>(publisher: &Publisher, event: E) {
    publisher.publish(&event).await.expect("the queue has room");
}

/// All types in one list: a function cannot go over types.
macro_rules! kinds {
    ($($event:ty,)*) => {
        /// Every type of events there is.
        pub const KINDS: &[Kind] = &[$(Kind {
            on: on::<$event>,
            publish: |publisher| {
                type E = $event;
                let order = E { order_id: "o-1".to_owned(), currency: "EUR".to_owned(), amount_minor: 990, items: 3 };
                Box::pin(publish(publisher, order))
            },
        },)*];
    };
}

include!(concat!(env!("OUT_DIR"), "/kinds.rs"));
