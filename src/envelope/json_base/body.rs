//! The JSON of the envelope, and what of a head stands where in it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    envelope::{DecodeError, Head, MessageId, Source, moment, protocol::Protocol, strict},
    event::Attributes,
};

const PROTOCOL: Protocol = Protocol { current: "tomodachi-json-base--1.0.0", older: Some("json_base-wip") };

/// The envelope's JSON; serde keeps the members in this order.
#[derive(Serialize, Deserialize)]
pub(super) struct Body<'a> {
    #[serde(default, deserialize_with = "strict::object")]
    service: Service,
    #[serde(deserialize_with = "strict::object")]
    pub(super) metadata: Metadata,
    #[serde(borrow)]
    pub(super) data: &'a RawValue,
    #[serde(default, deserialize_with = "strict::object", skip_serializing_if = "Extras::is_empty")]
    tegami: Extras,
}

#[derive(Default, Serialize, Deserialize)]
struct Service {
    name: Option<Cow<'static, str>>,
    uuid: Option<Cow<'static, str>>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Metadata {
    message_uuid: Option<String>,
    protocol_version: Option<Cow<'static, str>>,
    #[serde(skip_deserializing)]
    compatible_protocol_versions: [&'static str; 1],
    timestamp: Option<f64>,
    topic: Option<Cow<'static, str>>,
    pub(super) data_encoding: Cow<'static, str>,
}

#[derive(Default, PartialEq, Serialize, Deserialize)]
struct Extras {
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<Cow<'static, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    causation_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

impl<'a> Body<'a> {
    pub(super) fn of(head: Head, data: &'a RawValue, data_encoding: &'static str) -> Self {
        let service = Service { name: head.source.service, uuid: head.source.instance };
        let metadata = Metadata {
            message_uuid: head.id.map(|id| id.to_string()),
            protocol_version: Some(PROTOCOL.current.into()),
            compatible_protocol_versions: ["json_base-wip"],
            timestamp: head.time.map(moment::to_seconds),
            topic: Some(head.topic.unwrap_or_default()),
            data_encoding: data_encoding.into(),
        };
        let tegami = Extras {
            event: head.event,
            correlation_id: head.correlation_id.map(|id| id.to_string()),
            causation_id: head.causation_id.map(|id| id.to_string()),
            key: head.key,
        };
        Self { service, metadata, data, tegami }
    }

    pub(super) fn check_version(&self) -> Result<(), DecodeError> {
        PROTOCOL.check(self.metadata.protocol_version.as_deref())
    }

    pub(super) fn into_head(self, attributes: Attributes) -> Result<Head, DecodeError> {
        let Self { service, metadata, tegami, .. } = self;
        Ok(Head {
            id: MessageId::told("message", metadata.message_uuid)?,
            event: tegami.event,
            time: metadata.timestamp.map(moment::from_seconds).transpose()?,
            source: Source { service: service.name, instance: service.uuid },
            topic: metadata.topic.filter(|topic| !topic.is_empty()),
            correlation_id: MessageId::told("correlation", tegami.correlation_id)?,
            causation_id: MessageId::told("causation", tegami.causation_id)?,
            key: tegami.key,
            attributes,
        })
    }
}

impl Extras {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
