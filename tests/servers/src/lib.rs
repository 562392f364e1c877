//! Real brokers for tests, and what can go wrong with them and on the way to them.
//!
//! A [`Rabbit`] is a RabbitMQ that one test has for itself; [`Proxy`] stands between a client and any server and puts
//! faults on what passes; a [`Producer`] publishes what no client library would. Nothing here knows of `tegami`.

mod amqp;
mod proxy;
mod rabbit;

pub use amqp::{Nest, Producer, Properties};
pub use proxy::{Counts, Fault, Proxy, Way};
pub use rabbit::{Rabbit, Release};
