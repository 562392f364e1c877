//! Three services that talk: orders, billing and shipping. Orders and billing keep what they know in files.

pub mod billing;
pub mod data;
pub mod orders;
pub mod shipping;

#[cfg(test)]
mod gate;
