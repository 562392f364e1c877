//! The JSON of the envelope: what of a head stands where in it, to the byte.

use std::borrow::Cow;

use crate::{
    codec::json::{
        line::{put_float, put_some, put_text},
        strict::{Fault, Strict},
    },
    envelope::{DecodeError, Head, MessageId, Source, moment, protocol::Protocol},
    event::Attributes,
};

const PROTOCOL: Protocol = Protocol { current: "tomodachi-json-base--1.0.0", older: Some("json_base-wip") };
/// The bytes around a payload, usually.
const AROUND: usize = 640;

/// Writes the body; `data` is JSON already.
pub(super) fn write(head: &Head, data: &str, data_encoding: &str) -> Vec<u8> {
    let mut body = Vec::with_capacity(data.len() + AROUND);
    let out = &mut body;
    put_some(out, r#"{"service": {"name": "#, head.source.service.as_deref());
    put_some(out, r#", "uuid": "#, head.source.instance.as_deref());
    put_some(out, r#"}, "metadata": {"message_uuid": "#, head.id.as_ref().map(MessageId::as_str));
    put_some(out, r#", "protocol_version": "#, Some(PROTOCOL.current));
    out.extend_from_slice(br#", "compatible_protocol_versions": ["json_base-wip"], "timestamp": "#);
    match head.time {
        Some(time) => put_float(out, moment::to_seconds(time)),
        None => out.extend_from_slice(b"null"),
    }
    put_some(out, r#", "topic": "#, Some(head.topic.as_deref().unwrap_or_default()));
    put_some(out, r#", "data_encoding": "#, Some(data_encoding));
    out.extend_from_slice(br#"}, "data": "#);
    out.extend_from_slice(data.as_bytes());
    write_extras(out, head);
    out.push(b'}');
    body
}

/// What tomodachi does not know, in a member it ignores.
fn write_extras(out: &mut Vec<u8>, head: &Head) {
    let extras = [
        ("event", head.event.as_deref()),
        ("correlation_id", head.correlation_id.as_ref().map(MessageId::as_str)),
        ("causation_id", head.causation_id.as_ref().map(MessageId::as_str)),
        ("key", head.key.as_deref()),
    ];
    let mut before = r#", "tegami": {"#;
    for (name, text) in extras.into_iter().filter_map(|(name, text)| Some((name, text?))) {
        out.extend_from_slice(before.as_bytes());
        put_text(out, name);
        put_some(out, ": ", Some(text));
        before = ", ";
    }
    if before == ", " {
        out.push(b'}');
    }
}

/// What a body tells.
#[derive(Default)]
pub(super) struct Body<'a> {
    pub(super) data: &'a str,
    pub(super) data_encoding: Cow<'a, str>,
    name: Option<Cow<'a, str>>,
    uuid: Option<Cow<'a, str>>,
    message_uuid: Option<Cow<'a, str>>,
    protocol_version: Option<Cow<'a, str>>,
    timestamp: Option<f64>,
    topic: Option<Cow<'a, str>>,
    event: Option<Cow<'a, str>>,
    correlation_id: Option<Cow<'a, str>>,
    causation_id: Option<Cow<'a, str>>,
    key: Option<Cow<'a, str>>,
}

impl<'a> Body<'a> {
    pub(super) fn read(text: &'a [u8]) -> Result<Self, Fault> {
        let mut body = Self::default();
        let mut text = Strict::of(text)?;
        let (mut has_encoding, mut has_data) = (false, false);
        text.object(|name, value| match name {
            "service" => body.read_service(value),
            "metadata" => body.read_metadata(value).map(|has| has_encoding = has),
            "data" => value.skip().map(|data| (body.data, has_data) = (data, true)),
            "tegami" => body.read_extras(value),
            _ => value.skip().map(drop),
        })?;
        text.end()?;
        match (has_encoding, has_data) {
            (true, true) => Ok(body),
            (false, _) => Err(text.fault("no `metadata` with a `data_encoding`")),
            (_, false) => Err(text.fault("no `data`")),
        }
    }

    fn read_service(&mut self, text: &mut Strict<'a>) -> Result<(), Fault> {
        text.object(|name, value| {
            match name {
                "name" => self.name = value.text()?,
                "uuid" => self.uuid = value.text()?,
                _ => drop(value.skip()?),
            }
            Ok(())
        })
    }

    /// Is a data encoding told?
    fn read_metadata(&mut self, text: &mut Strict<'a>) -> Result<bool, Fault> {
        let mut encoding = None;
        text.object(|name, value| {
            match name {
                "message_uuid" => self.message_uuid = value.text()?,
                "protocol_version" => self.protocol_version = value.text()?,
                "timestamp" => self.timestamp = value.float()?,
                "topic" => self.topic = value.text()?,
                "data_encoding" => encoding = value.text()?,
                _ => drop(value.skip()?),
            }
            Ok(())
        })?;
        let is_told = encoding.is_some();
        self.data_encoding = encoding.unwrap_or_default();
        Ok(is_told)
    }

    fn read_extras(&mut self, text: &mut Strict<'a>) -> Result<(), Fault> {
        text.object(|name, value| {
            match name {
                "event" => self.event = value.text()?,
                "correlation_id" => self.correlation_id = value.text()?,
                "causation_id" => self.causation_id = value.text()?,
                "key" => self.key = value.text()?,
                _ => drop(value.skip()?),
            }
            Ok(())
        })
    }

    pub(super) fn check_version(&self) -> Result<(), DecodeError> {
        PROTOCOL.check(self.protocol_version.as_deref())
    }

    pub(super) fn into_head(self, attributes: Attributes) -> Result<Head, DecodeError> {
        let owned = |text: Option<Cow<'_, str>>| text.map(|text| Cow::Owned(text.into_owned()));
        Ok(Head {
            id: MessageId::told("message", self.message_uuid)?,
            event: owned(self.event),
            time: self.timestamp.map(moment::from_seconds).transpose()?,
            source: Source { service: owned(self.name), instance: owned(self.uuid) },
            topic: owned(self.topic.filter(|topic| !topic.is_empty())),
            correlation_id: MessageId::told("correlation", self.correlation_id)?,
            causation_id: MessageId::told("causation", self.causation_id)?,
            key: self.key.map(Cow::into_owned),
            attributes,
        })
    }
}
