//! A full queue before a slow handler: what a service of tegami keeps in memory.

use std::{sync::Arc, time::Duration};

use serde::Serialize;
use tegami::{Context, HandlerError, Service, transport::amqp::Amqp};
use tokio::time::sleep;

use crate::{
    broker::{
        meter::{Drain, peak},
        own::subscription,
    },
    event::OrderNoted,
};

/// How long a handler takes.
const SLOW: Duration = Duration::from_millis(100);

/// What became of it.
#[derive(Debug, Serialize)]
pub struct Crowd {
    handled: usize,
    /// The most memory that the process has had, in KiB (`VmHWM`).
    peak: usize,
}

async fn handle(_: OrderNoted, ctx: Context<Arc<Drain>>) -> Result<(), HandlerError> {
    sleep(SLOW).await;
    ctx.state().handled();
    Ok(())
}

/// Consumes for so long.
pub async fn consume(url: &str, time: Duration) -> Crowd {
    let drain = Arc::new(Drain::of(usize::MAX));
    let service = Service::new("billing").state(drain.clone()).transport(Amqp::new(url));
    let running = service.on_with::<OrderNoted>(handle, subscription).start().await.expect("the service starts");
    sleep(time).await;
    running.stop().await.expect("the service stops");
    Crowd { handled: drain.count(), peak: peak() }
}
