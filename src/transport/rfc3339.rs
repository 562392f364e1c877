//! A time of day as RFC 3339 text, for `#[serde(with)]` on what travels with a dead letter.

use std::time::SystemTime;

use prost_types::Timestamp;
use serde::{Deserialize, Deserializer, Serializer, de::Error};

/// Writes the time, exact to the nanosecond.
pub(super) fn serialize<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&Timestamp::from(*time))
}

/// Reads the time.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SystemTime, D::Error> {
    let text = String::deserialize(deserializer)?;
    let timestamp: Timestamp = text.parse().map_err(D::Error::custom)?;
    timestamp.try_into().map_err(D::Error::custom)
}
