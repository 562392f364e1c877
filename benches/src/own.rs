//! The service of tegami.

use std::hint::black_box;

use tegami::{Context, HandlerError, Publisher, Service, service::Running, transport::Memory};

use crate::{
    event::{OrderPaid, order},
    latch::Latch,
    run::Side,
};

/// The publisher of a started service of tegami.
pub struct Own {
    publisher: Publisher,
    order: OrderPaid,
}

impl Own {
    /// Starts a service on a broker of its own, with what is chosen for it.
    pub async fn start(latch: Latch, choose: impl FnOnce(Service<Latch>) -> Service<Latch>) -> (Self, Running) {
        let service = Service::new("billing").state(latch).transport(Memory::new());
        let running = choose(service).start().await.expect("the service starts");
        (Self { publisher: running.publisher().clone(), order: order() }, running)
    }
}

impl Side for Own {
    async fn publish(&self) {
        self.publisher.publish(&self.order).await.expect("the queue has room");
    }
}

/// Handles an order.
///
/// # Errors
/// None.
pub async fn handle(order: OrderPaid, ctx: Context<Latch>) -> Result<(), HandlerError> {
    black_box((order.amount_minor, order.items));
    ctx.state().arrived();
    Ok(())
}
