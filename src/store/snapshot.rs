//! An aggregate's state, saved at a version.

use bytes::Bytes;

use super::{StreamId, Version};

/// An aggregate's state at a version of its stream. It can be made again from the events, and so be lost.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    /// The stream.
    pub stream: StreamId,
    /// What kind of state it is, and of which version: others cannot read it.
    pub state: String,
    /// The last event in the state.
    pub version: Version,
    /// The state.
    pub bytes: Bytes,
}

impl Snapshot {
    /// This state of this stream at this version.
    pub fn new(stream: StreamId, state: impl Into<String>, version: Version, bytes: impl Into<Bytes>) -> Self {
        Self { stream, state: state.into(), version, bytes: bytes.into() }
    }
}
