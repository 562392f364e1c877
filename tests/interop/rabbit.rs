//! Where RabbitMQ is.

/// A release of RabbitMQ.
#[derive(Debug, Clone, Copy)]
pub enum Release {
    V3,
    V4,
}

/// A running RabbitMQ.
pub struct Rabbit {
    url: String,
}

impl Rabbit {
    pub async fn take(release: Release) -> Self {
        let name = match release {
            Release::V3 => "AMQP_URL",
            Release::V4 => "AMQP_URL_4",
        };
        Self { url: std::env::var(name).unwrap_or_else(|_| panic!("{name} says where RabbitMQ {release:?} is")) }
    }

    pub fn url(&self) -> String {
        self.url.clone()
    }

    pub fn port(&self) -> u16 {
        let (_, place) = self.url.rsplit_once(':').expect("a URL with a port");
        place.split('/').next().and_then(|port| port.parse().ok()).expect("a port is a number")
    }
}
