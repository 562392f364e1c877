//! SNS and SQS, as two emulators have them.

mod bodies;
mod broker;
mod contracts {
    tegami::include_contracts!();
}
mod crashes;
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
