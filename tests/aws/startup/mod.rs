//! What a start finds on SNS and SQS, makes of it, or says of it (K1, N7), as two emulators have them.

mod account;
mod endpoints;
mod export;
mod keys;
#[path = "../../service/log.rs"]
mod log;
mod others;
mod permissions;
mod plans;
mod prune;
mod refused;
mod told;
mod twice;
mod verify;

pub use account::{Account, KINDS, topology};
