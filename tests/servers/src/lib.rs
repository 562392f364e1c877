//! Real brokers for tests, and what can go wrong with them and on the way to them.
//!
//! A [`Rabbit`] is a RabbitMQ, an [`Emulator`] an SNS and SQS and a [`Postgres`] a PostgreSQL that one test has for
//! itself; [`Proxy`] stands between a client and any server and puts faults on what passes, [`AwsFault`] on single calls
//! of SNS and SQS; a [`SmallDisk`] is full soon; a [`Producer`] publishes and a [`Caller`] calls what no client library would. Nothing here knows of
//! `tegami`.

mod amqp;
mod aws_fault;
mod disk;
mod emulator;
mod held;
mod postgres;
mod proxy;
mod rabbit;

pub use amqp::{Nest, Producer, Properties};
pub use aws_fault::{Applied, AwsFault, Made, Rule, Trouble};
pub use disk::{SmallDisk, is_root};
pub use emulator::{Caller, Emulator, Kind, Refused, inside};
pub use postgres::Postgres;
pub use proxy::{Counts, Fault, Proxy, Way};
pub use rabbit::{Rabbit, Release};
