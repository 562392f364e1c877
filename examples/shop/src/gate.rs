//! The gate as a plain test: who would be hurt by what has changed in a contract?

use std::fs;

use tegami_codegen::{Check, Lockfile};

/// Each service, with those that handle what it publishes.
const SERVICES: [(&str, &str); 3] = [("orders", "billing"), ("billing", "shipping"), ("shipping", "orders")];

fn contracts(service: &str) -> String {
    format!("{service}/proto")
}

fn lock(service: &str) -> String {
    format!("{service}/contracts.lock")
}

#[test]
fn locks_are_up_to_date() {
    for (service, _) in SERVICES {
        let text = fs::read_to_string(lock(service)).unwrap();
        let now = Lockfile::of(contracts(service)).unwrap().keeping(&lock(service), &text, None).unwrap();
        assert_eq!(now.text(), text, "run `tegami contracts lock {service}/proto --out {service}/contracts.lock`");
    }
}

#[test]
fn nobody_is_hurt() {
    for (service, consumer) in SERVICES {
        let check = Check::of(contracts(service)).against(lock(service)).consumer(lock(consumer));
        check.run().unwrap().into_result().unwrap();
    }
}
