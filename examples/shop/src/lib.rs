//! Three services that talk: orders, billing and shipping.

pub mod billing;
pub mod orders;
pub mod shipping;

#[cfg(test)]
mod gate;
