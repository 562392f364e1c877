//! The protobuf messages of the envelope, and what of a head stands where in them.

use bytes::Bytes;

use crate::{
    envelope::{
        DecodeError, Head, MessageId, Source,
        bounds::{shown, undecodable},
        moment,
        protocol::Protocol,
    },
    event::{Attributes, Encoding},
};

// `protobuf_base-wip` had other fields and cannot be read.
const PROTOCOL: Protocol = Protocol { current: "tomodachi-protobuf-base--1.0.0", older: None };

/// The mark of a payload that is JSON text.
const JSON: &str = "json";

/// tomodachi's `proto.SNSSQSMessage`, and one field more.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct SnsSqsMessage {
    #[prost(message, optional, tag = "1")]
    service: Option<Service>,
    #[prost(message, optional, tag = "2")]
    metadata: Option<Metadata>,
    #[prost(bytes = "bytes", tag = "3")]
    data: Bytes,
    #[prost(message, optional, tag = "7364")]
    tegami: Option<Extras>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Service {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    uuid: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Metadata {
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

#[derive(Clone, PartialEq, prost::Message)]
struct Extras {
    #[prost(string, optional, tag = "1")]
    event: Option<String>,
    #[prost(string, optional, tag = "2")]
    correlation_id: Option<String>,
    #[prost(string, optional, tag = "3")]
    causation_id: Option<String>,
    #[prost(string, optional, tag = "4")]
    key: Option<String>,
    /// What the payload is, where it is not protobuf.
    #[prost(string, optional, tag = "5")]
    encoding: Option<String>,
}

/// A payload as the envelope carries it.
pub(super) struct Packed {
    pub(super) data: Bytes,
    pub(super) data_encoding: String,
}

impl SnsSqsMessage {
    /// The message of this head and payload.
    pub(super) fn of(mut head: Head, encoding: Encoding, payload: Packed) -> Self {
        let tegami = Extras::of(&mut head, encoding);
        let service = Service {
            name: head.source.service.unwrap_or_default().into(),
            uuid: head.source.instance.unwrap_or_default().into(),
        };
        let metadata = Metadata {
            message_uuid: head.id.map(|id| id.to_string()).unwrap_or_default(),
            protocol_version: PROTOCOL.current.into(),
            timestamp: head.time.map(moment::to_seconds).unwrap_or_default(),
            topic: head.topic.unwrap_or_default().into(),
            data_encoding: payload.data_encoding,
        };
        Self { service: Some(service), metadata: Some(metadata), data: payload.data, tegami }
    }

    /// The head, what the payload is, and the payload still packed.
    pub(super) fn into_parts(self, attributes: Attributes) -> Result<(Head, Encoding, Packed), DecodeError> {
        let service = self.service.unwrap_or_default();
        let metadata = self.metadata.unwrap_or_default();
        let tegami = self.tegami.unwrap_or_default();
        PROTOCOL.check(Some(&metadata.protocol_version))?;
        let encoding = tegami.payload_encoding(&metadata.data_encoding)?;
        let time = Some(metadata.timestamp).filter(|seconds| *seconds != 0.0);
        let head = Head {
            id: MessageId::told("message", Some(metadata.message_uuid))?,
            event: tegami.event.map(Into::into),
            time: time.map(moment::from_seconds).transpose()?,
            source: Source {
                service: told(service.name).map(Into::into),
                instance: told(service.uuid).map(Into::into),
            },
            topic: told(metadata.topic).map(Into::into),
            correlation_id: MessageId::told("correlation", tegami.correlation_id)?,
            causation_id: MessageId::told("causation", tegami.causation_id)?,
            key: tegami.key,
            attributes,
        };
        Ok((head, encoding, Packed { data: self.data, data_encoding: metadata.data_encoding }))
    }
}

impl Extras {
    /// Takes out of a head what tomodachi does not know; `None` where that is nothing.
    fn of(head: &mut Head, encoding: Encoding) -> Option<Self> {
        let extras = Self {
            event: head.event.take().map(Into::into),
            correlation_id: head.correlation_id.take().map(|id| id.to_string()),
            causation_id: head.causation_id.take().map(|id| id.to_string()),
            key: head.key.take(),
            encoding: (encoding == Encoding::Json).then(|| JSON.to_owned()),
        };
        (extras != Self::default()).then_some(extras)
    }

    fn payload_encoding(&self, data_encoding: &str) -> Result<Encoding, DecodeError> {
        match (self.encoding.as_deref(), data_encoding) {
            (None, _) => Ok(Encoding::Protobuf),
            (Some(JSON), "raw") => Ok(Encoding::Json),
            (Some(mark), _) => {
                let mark = shown(mark);
                Err(undecodable(format!("payload encoding `{mark}` cannot travel as `{}`", shown(data_encoding))))
            }
        }
    }
}

/// An empty string tells nothing: proto3 cannot say "absent".
fn told(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}
