//! The suite for transports: on the memory transport, and on the same with faults.

mod broken;
mod broken_state;

mod memory {
    use tegami::transport::Memory;

    tegami::transport_suite!(Memory::new());
}

mod faulty_memory {
    use tegami::{testing::transport::Faulty, transport::Memory};

    tegami::transport_suite!(Faulty::new(Memory::new()));
}
