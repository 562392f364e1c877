//! What the listener tells of, beside health: gathered once, when the service starts.

use serde_json::Value;

use crate::health::Board;

/// A service, as its pages know it.
pub(crate) struct Site {
    pub(crate) service: String,
    pub(crate) board: Board,
    /// The service as it describes itself, in JSON.
    pub(crate) topology: String,
    /// The same with its contracts, as an AsyncAPI document.
    pub(crate) document: Value,
    /// And for people.
    pub(crate) catalog: String,
}

impl Site {
    /// The schema of one event, if the service handles it or says that it publishes it.
    pub(super) fn schema(&self, event: &str) -> Option<&Value> {
        self.document["components"]["messages"].get(event)?["payload"].get("schema")
    }
}
