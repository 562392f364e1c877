//! Three services that talk: orders, billing and shipping.

pub mod billing;
pub mod orders;
pub mod shipping;

/// The events, from the files under `proto/`.
pub mod contracts {
    tegami::include_contracts!();
}
