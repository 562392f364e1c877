//! Event stores: the suite on each of them, and what only one of them can meet.

mod contracts {
    tegami::include_contracts!();
}
mod aggregate;
mod begun;
mod broken;
mod conflicts;
mod payments;
mod personal;
mod postgres;
mod projection;
mod service;
mod sqlite;
mod widened;

mod memory {
    use tegami::store::Memory;

    tegami::store_suite!(Memory::new());
}
