//! A whole service on the memory transport, promise by promise.

mod contracts {
    tegami::include_contracts!();
}
mod blocking;
#[cfg(all(feature = "http", feature = "logs", feature = "schedule", feature = "store"))]
#[path = "../canaries/mod.rs"]
mod canaries;
#[cfg(all(feature = "http", feature = "schedule"))]
mod configuration;
mod containment;
mod describing;
mod faults;
mod faulty;
mod handling;
mod health;
mod lifecycle;
mod limits;
mod log;
#[cfg(all(feature = "http", feature = "logs", feature = "schedule"))]
mod logs;
mod middleware;
mod order;
mod poison;
mod publishing;
mod readable;
mod retries;
#[cfg(feature = "schedule")]
mod schedules;
mod secrecy;
mod shutdown;
mod telemetry;
mod testing;
#[cfg(all(feature = "http", feature = "schedule"))]
mod together;
mod topology;
mod upcasts;

use contracts::shop::orders::v1::OrderPaid;

/// An order with everything a valid one needs.
fn order(id: &str) -> OrderPaid {
    OrderPaid::builder().order_id(id).currency("EUR").amount_minor(990).build()
}
