//! A RabbitMQ as the suite meets it: taken on first use, with what can go wrong with it.

use std::sync::Arc;

use async_trait::async_trait;
use tegami::{
    testing::transport::{Fault, Injected, Nest, Subject},
    transport::{Outgoing, Transport, TransportError, amqp::Amqp},
};
use tegami_test_servers::{Nest as Nested, Producer, Rabbit, Release};
use tokio::{sync::OnceCell, task::spawn_blocking};

/// How the names of dead-letter queues end.
const DEAD: &str = "-dead";

/// A RabbitMQ of this release, which the case has for itself.
pub struct Broker {
    release: Release,
    rabbit: OnceCell<Rabbit>,
}

impl Broker {
    pub fn of(release: Release) -> Self {
        Self { release, rabbit: OnceCell::new() }
    }

    async fn rabbit(&self) -> &Rabbit {
        self.rabbit.get_or_init(|| Rabbit::take(self.release)).await
    }
}

#[async_trait]
impl Subject for Broker {
    async fn connect(&self) -> Result<Arc<dyn Transport>, TransportError> {
        self.connect_to(&self.rabbit().await.url()).await
    }

    async fn inject(&self, fault: Fault) -> Injected {
        let rabbit = self.rabbit().await;
        match fault {
            Fault::Killed => rabbit.kill9().await,
            Fault::Frozen => rabbit.freeze().await,
            Fault::Blocked => rabbit.block().await,
            Fault::Cut => rabbit.close_connections().await,
            Fault::ChannelClosed => rabbit.close_a_channel().await,
            Fault::DeadLettersDown => rabbit.fill(DEAD).await,
            _ => return Injected::Cannot,
        }
        Injected::Done
    }

    async fn lift(&self, fault: Fault) {
        let rabbit = self.rabbit().await;
        match fault {
            Fault::Killed => rabbit.start().await,
            Fault::Frozen => rabbit.thaw().await,
            Fault::Blocked => rabbit.unblock().await,
            Fault::DeadLettersDown => rabbit.relieve().await,
            _ => {}
        }
    }

    async fn address(&self) -> Option<String> {
        Some(self.rabbit().await.url())
    }

    async fn connect_to(&self, address: &str) -> Result<Arc<dyn Transport>, TransportError> {
        Ok(Arc::new(Amqp::new(address)))
    }

    async fn put_nested(&self, queue: &str, message: &Outgoing, nest: Nest) -> Injected {
        let (port, queue) = (self.rabbit().await.port(), queue.to_owned());
        let (id, body) = (message.id.to_string(), message.sealed.body.clone());
        let nest = match nest {
            Nest::Lists(levels) => Nested::Lists(levels),
            Nest::Tables(levels) => Nested::Tables(levels),
        };
        let put = move || Producer::connect(port)?.put(&queue, (&id, &body), nest);
        spawn_blocking(put).await.expect("nothing there panics").expect("RabbitMQ takes it");
        Injected::Done
    }
}
