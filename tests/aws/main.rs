//! SNS and SQS, as two emulators have them.

mod backlog;
mod bodies;
mod broker;
#[cfg(all(feature = "http", feature = "logs", feature = "store"))]
#[path = "../canaries/mod.rs"]
mod canaries;
#[cfg(all(feature = "http", feature = "logs", feature = "store"))]
#[path = "canaries.rs"]
mod canaries_on_aws;
mod contracts {
    tegami::include_contracts!();
}
mod crashes;
mod dead;
mod delays;
mod faults;
mod filters;
mod health;
mod slots;
mod startup;

mod localstack {
    tegami::transport_suite!(crate::broker::Broker::of(tegami_test_servers::Kind::LocalStack));
}

mod ministack {
    tegami::transport_suite!(crate::broker::Broker::of(tegami_test_servers::Kind::MiniStack));
}
