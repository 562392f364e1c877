//! The service of tegami.

use std::hint::black_box;

use tegami::{Context, HandlerError, Publisher, Service, Subscription, service::Running, transport::Memory};

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

/// A service with a group for each of so many subscriptions.
pub fn grouped(
    service: Service<Latch>,
    subscriptions: usize,
    choose: impl Fn(Subscription<OrderPaid>, usize) -> Subscription<OrderPaid>,
) -> Service<Latch> {
    (0..subscriptions).fold(service, |service, number| {
        service.on_with::<OrderPaid>(handle, |s| choose(s, number).group(format!("group-{number}")))
    })
}

/// A subscription whose filter wants every message if it is the first, and none else.
pub fn wanted_by_the_first(subscription: Subscription<OrderPaid>, number: usize) -> Subscription<OrderPaid> {
    let currency = if number == 0 { "EUR".to_owned() } else { format!("X{number}") };
    subscription.filter(OrderPaid::currency().is(currency))
}
