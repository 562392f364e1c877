//! The names that tomodachi gives to queues, on every broker it knows.

use sha2::{Digest, Sha256};

/// The queue of all competing readers of what is published under this name, which is encoded as on the wire.
pub(super) fn queue(name: &str) -> String {
    Sha256::digest(name).iter().map(|byte| format!("{byte:02x}")).collect()
}
