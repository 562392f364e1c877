//! Where a phase happens: a broker and a PostgreSQL that nobody else has meanwhile, and a way to them for each process,
//! with a proxy on it.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use tegami::transport::{Transport, amqp::Amqp, aws::Aws};
use tegami_test_servers::{AwsFault, Emulator, Kind, Postgres, Proxy, Rabbit, Release};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::{asked::Way, crew::CREW};

/// What a client says first, for a server that speaks AMQP 0-9-1.
const AMQP: &[u8] = b"AMQP\x00\x00\x09\x01";
/// Asks a PostgreSQL whether it speaks TLS; any server answers with one byte.
const TLS: &[u8] = &[0, 0, 0, 8, 4, 210, 22, 47];
/// How long a server has to answer that.
const ANSWER: Duration = Duration::from_secs(1);
/// Short receives, since an emulator goes on receiving for a caller who is gone; and short visibility for what it then
/// received.
const TIMES: &str = "wait=1&visibility=5";

/// The servers of a phase.
pub struct Place {
    pub broker: Broker,
    pub postgres: Postgres,
    /// The way of all consumers to PostgreSQL.
    pub base: Proxy,
}

/// The broker of a phase, with the ways to it.
pub enum Broker {
    Amqp {
        rabbit: Rabbit,
        release: Release,
        /// One for each process, by its place in the crew.
        roads: Vec<Proxy>,
    },
    Aws {
        emulator: Emulator,
        /// What knows the calls of all processes.
        fault: AwsFault,
    },
}

impl Place {
    /// Has the servers running.
    pub async fn open(way: Way, seed: u64) -> Self {
        let broker = match way {
            Way::Amqp => {
                let release = if seed.is_multiple_of(2) { Release::V4 } else { Release::V3 };
                let rabbit = Rabbit::take(release).await;
                let mut roads = Vec::new();
                for number in 0..CREW.len() as u64 {
                    roads.push(to(rabbit.port(), seed + number).await);
                }
                Broker::Amqp { rabbit, release, roads }
            }
            Way::Aws => {
                let emulator = Emulator::take(Kind::MiniStack).await;
                let fault = AwsFault::before(emulator.address(), seed).await.expect("there is a free port");
                Broker::Aws { emulator, fault }
            }
        };
        let postgres = Postgres::take().await;
        let base = to(postgres.port(), seed).await;
        Self { broker, postgres, base }
    }

    /// What the broker is.
    pub fn name(&self) -> &'static str {
        match &self.broker {
            Broker::Amqp { release: Release::V3, .. } => "RabbitMQ 3",
            Broker::Amqp { release: Release::V4, .. } => "RabbitMQ 4",
            Broker::Aws { .. } => "SNS and SQS (MiniStack)",
        }
    }

    /// The URL of the broker for a process, by its place in the crew; past all proxies for anybody else.
    pub fn url(&self, of: Option<usize>) -> String {
        match (&self.broker, of) {
            (Broker::Amqp { roads, .. }, Some(place)) => format!("amqp://guest:guest@{}/%2f", roads[place].address()),
            (Broker::Amqp { rabbit, .. }, None) => rabbit.url(),
            (Broker::Aws { fault, .. }, Some(_)) => format!("aws:eu-west-1?endpoint={}&{TIMES}", fault.endpoint()),
            (Broker::Aws { emulator, .. }, None) => format!("aws:eu-west-1?endpoint={}&{TIMES}", emulator.endpoint()),
        }
    }

    /// A transport of our own to the broker.
    pub fn transport(&self) -> Box<dyn Transport> {
        match &self.broker {
            Broker::Amqp { .. } => Box::new(Amqp::new(self.url(None))),
            Broker::Aws { .. } => Box::new(Aws::new(self.url(None))),
        }
    }

    /// The URL of the database, through the proxy or past it.
    pub fn database(&self, is_through: bool) -> String {
        let address = if is_through { self.base.address() } else { loopback(self.postgres.port()) };
        format!("postgres://tegami:tegami@{address}/test")
    }

    /// Ends the servers.
    pub async fn close(&self) {
        match &self.broker {
            Broker::Amqp { rabbit, .. } => rabbit.stop().await,
            Broker::Aws { emulator, .. } => emulator.kill9().await,
        }
        self.postgres.stop().await;
    }
}

async fn to(port: u16, seed: u64) -> Proxy {
    Proxy::to(loopback(port), seed).await.expect("there is a free port")
}

pub fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// Does a RabbitMQ answer there?
pub async fn rabbit_answers(port: u16) -> bool {
    answers(port, AMQP).await
}

/// Does a PostgreSQL answer there?
pub async fn postgres_answers(port: u16) -> bool {
    answers(port, TLS).await
}

/// Is somebody there who answers this with anything?
async fn answers(port: u16, hello: &[u8]) -> bool {
    let answered = async {
        let mut stream = TcpStream::connect(loopback(port)).await?;
        stream.write_all(hello).await?;
        stream.read_exact(&mut [0]).await
    };
    matches!(timeout(ANSWER, answered).await, Ok(Ok(_)))
}

/// Does anybody take connections there?
pub async fn listens(port: u16) -> bool {
    TcpStream::connect(loopback(port)).await.is_ok()
}
