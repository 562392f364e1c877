//! The suite for transports: on the memory transport, on the same with faults, and on one from outside the crate.

mod between;
mod broken;
mod broken_state;
mod outside;

mod memory {
    use tegami::transport::Memory;

    tegami::transport_suite!(Memory::new());
}

mod faulty_memory {
    use tegami::{testing::transport::Faulty, transport::Memory};

    tegami::transport_suite!(Faulty::new(Memory::new()));
}
