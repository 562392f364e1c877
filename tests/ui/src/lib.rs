//! The contracts that the cases use.

/// The events of the shop.
pub mod contracts {
    tegami::include_contracts!();
}
