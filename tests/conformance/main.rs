//! The suite for transports, on the memory transport.

mod broken;
mod broken_state;
mod outages;

mod memory {
    use tegami::transport::Memory;

    tegami::transport_suite!(Memory::new());
}
