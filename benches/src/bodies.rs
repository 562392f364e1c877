//! The bodies that envelopes write, as plain structs: what serde_json and prost alone make of the same message.

use base64::{Engine, prelude::BASE64_STANDARD};
use prost::Message;
use serde::{Deserialize, Serialize};

use crate::event::Bare;

/// A body of `JsonBase`.
#[derive(Serialize, Deserialize)]
pub struct JsonBody {
    service: Service,
    metadata: Metadata,
    data: Bare,
    tegami: Extras,
}

/// A body of `ProtobufBase`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ProtobufBody {
    #[prost(message, optional, tag = "1")]
    service: Option<Service>,
    #[prost(message, optional, tag = "2")]
    metadata: Option<ProtobufMetadata>,
    #[prost(message, optional, tag = "3")]
    data: Option<Bare>,
    #[prost(message, optional, tag = "7364")]
    tegami: Option<Extras>,
}

impl ProtobufBody {
    /// The body as it travels.
    pub fn to_text(&self) -> String {
        BASE64_STANDARD.encode(self.encode_to_vec())
    }

    /// The body that travelled as this text.
    ///
    /// # Panics
    /// It is none.
    pub fn of_text(text: &[u8]) -> Self {
        let bytes = BASE64_STANDARD.decode(text).expect("it is base64");
        Self::decode(&*bytes).expect("it is a body")
    }
}

/// A body of `CloudEvents`.
#[derive(Serialize, Deserialize)]
pub struct CloudEvent {
    specversion: String,
    id: String,
    source: String,
    #[serde(rename = "type")]
    event: String,
    time: String,
    subject: String,
    datacontenttype: String,
    tegamitopic: String,
    data: Bare,
}

#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
struct Service {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    uuid: String,
}

#[derive(Serialize, Deserialize)]
struct Metadata {
    message_uuid: String,
    protocol_version: String,
    compatible_protocol_versions: Vec<String>,
    timestamp: f64,
    topic: String,
    data_encoding: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct ProtobufMetadata {
    #[prost(string, tag = "1")]
    message_uuid: String,
    #[prost(string, tag = "2")]
    protocol_version: String,
    #[prost(double, tag = "3")]
    timestamp: f64,
    #[prost(string, tag = "4")]
    topic: String,
    #[prost(string, tag = "5")]
    data_encoding: String,
}

#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
struct Extras {
    #[prost(string, tag = "1")]
    event: String,
    #[prost(string, tag = "4")]
    key: String,
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use tegami::envelope::{CloudEvents, Envelope, JsonBase, ProtobufBase};

    use super::*;
    use crate::event::message;

    fn body(envelope: impl Envelope) -> Vec<u8> {
        envelope.encode(&message()).unwrap().body.into()
    }

    fn json(text: &[u8]) -> Value {
        serde_json::from_slice(text).unwrap()
    }

    #[test]
    fn bare_bodies_say_what_the_envelopes_say() {
        let text = body(JsonBase::default());
        let bare: JsonBody = serde_json::from_slice(&text).unwrap();
        assert_eq!(json(&serde_json::to_vec(&bare).unwrap()), json(&text));
        let text = body(CloudEvents::json());
        let bare: CloudEvent = serde_json::from_slice(&text).unwrap();
        assert_eq!(json(&serde_json::to_vec(&bare).unwrap()), json(&text));
        let text = body(ProtobufBase::default());
        assert_eq!(ProtobufBody::of_text(&text).to_text().into_bytes(), text);
    }
}
