//! The suite for transports on RabbitMQ, of the release that this machine has and of a newer one; beside it what goes
//! wrong with the network and with queues, and starts with wrong settings.

#[macro_use]
mod each;
mod backlog;
mod broker;
#[cfg(all(feature = "http", feature = "logs", feature = "store"))]
#[path = "../canaries/mod.rs"]
mod canaries;
#[cfg(all(feature = "http", feature = "logs", feature = "store"))]
#[path = "canaries.rs"]
mod canaries_on_rabbitmq;
mod contracts {
    tegami::include_contracts!();
}
mod crashes;
mod dropped;
mod ended;
mod faults;
mod handover;
mod health;
mod hostile;
mod left;
mod letters;
mod refusals;
mod returns;
mod startup;

mod rabbitmq_3 {
    tegami::transport_suite!(crate::broker::Broker::of(tegami_test_servers::Release::V3));
}

mod rabbitmq_4 {
    tegami::transport_suite!(crate::broker::Broker::of(tegami_test_servers::Release::V4));
}
