//! The way to a RabbitMQ, through a proxy, with one trouble on it.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use tegami::{
    testing::transport::{Fault, Injected, Subject, until, within},
    transport::{Transport, TransportError, amqp::Amqp},
};
use tegami_test_servers::{Counts, Proxy, Rabbit, Release};
use tokio::sync::OnceCell;

/// The trouble of a road, as a case asks for it.
pub const TROUBLE: Fault = Fault::Own("the road's trouble");

/// What goes wrong, from its begin to its end.
pub type Trouble = for<'a> fn(&'a Place) -> BoxFuture<'a, ()>;

/// A broker, and the proxy before it.
pub struct Place {
    pub rabbit: Rabbit,
    pub proxy: Proxy,
}

impl Place {
    /// Waits until the proxy has counted so, and no longer than this.
    pub async fn counted(&self, time: Duration, what: &str, holds: impl Fn(Counts) -> bool) {
        within(time, what, until(|| holds(self.proxy.counts()))).await;
    }
}

/// How a road is travelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dress {
    Plain,
    Tls,
}

/// The way to a RabbitMQ of this release, which the case has for itself.
pub struct Road {
    release: Release,
    dress: Dress,
    /// How often a sign of life is asked for, in seconds.
    heartbeat: u16,
    trouble: Trouble,
    place: OnceCell<Place>,
}

impl Road {
    pub fn new(release: Release, trouble: Trouble) -> Self {
        Self { release, dress: Dress::Plain, heartbeat: 10, trouble, place: OnceCell::new() }
    }

    /// The same by TLS.
    pub fn tls(self) -> Self {
        Self { dress: Dress::Tls, ..self }
    }

    /// The same with a heartbeat of its own, in seconds.
    pub fn heartbeat(self, heartbeat: u16) -> Self {
        Self { heartbeat, ..self }
    }

    async fn place(&self) -> &Place {
        self.place.get_or_init(|| self.build()).await
    }

    async fn build(&self) -> Place {
        let rabbit = Rabbit::take(self.release).await;
        let port = match self.dress {
            Dress::Plain => rabbit.port(),
            Dress::Tls => rabbit.tls_port(),
        };
        let server = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let proxy = Proxy::to(server, 7).await.expect("there is a free port");
        Place { rabbit, proxy }
    }
}

#[async_trait]
impl Subject for Road {
    async fn connect(&self) -> Result<Arc<dyn Transport>, TransportError> {
        let place = self.place().await;
        let there = format!("guest:guest@{}/%2f?heartbeat={}", place.proxy.address(), self.heartbeat);
        let url = match self.dress {
            Dress::Plain => format!("amqp://{there}"),
            Dress::Tls => format!("amqps://{there}&ca={}", place.rabbit.authority().display()),
        };
        Ok(Arc::new(Amqp::new(url)))
    }

    async fn inject(&self, fault: Fault) -> Injected {
        if fault != TROUBLE {
            return Injected::Cannot;
        }
        (self.trouble)(self.place().await).await;
        Injected::Done
    }

    async fn lift(&self, _: Fault) {
        self.place().await.proxy.lift();
    }
}
