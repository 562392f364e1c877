//! Samples of a service's events, as its build writes them.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

#[cfg(feature = "testing")]
use crate::codec::Payload;
use crate::{
    codec::{Sample, Told},
    contract::Contract,
    event::Encoding,
    service::Parts,
};

/// Samples of every event that a service handles or says it publishes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Samples {
    /// The service's name.
    pub service: String,
    /// The release, if the service tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// Its events, by name.
    pub events: Vec<EventSamples>,
}

/// Samples of one event.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EventSamples {
    /// The event's name.
    pub event: String,
    /// The contract's major version.
    pub version: u32,
    /// The contract's fingerprint.
    pub fingerprint: String,
    /// The samples; none, where none could be made up that the contract takes.
    pub samples: Vec<EventSample>,
}

/// One event, in every encoding that its contract has.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EventSample {
    /// Which of the samples it is.
    pub name: String,
    /// Its canonical JSON.
    pub json: Box<RawValue>,
    /// Its protobuf form, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protobuf: Option<String>,
}

impl Samples {
    pub(in crate::service) fn of(parts: &Parts) -> Self {
        let events = parts.contracts.values().map(|(contract, told)| EventSamples::of(contract, told)).collect();
        Self { service: parts.name.clone(), release: parts.version.clone(), events }
    }
}

impl EventSamples {
    fn of(contract: &Contract, told: &Told) -> Self {
        let samples = told.samples().iter().filter_map(EventSample::of).collect();
        let Contract { name, version, fingerprint, .. } = *contract;
        Self { event: name.to_owned(), version, fingerprint: fingerprint.to_owned(), samples }
    }
}

impl EventSample {
    fn of(sample: &Sample) -> Option<Self> {
        let find = |encoding| sample.payloads.iter().find(|payload| payload.encoding == encoding);
        let json = String::from_utf8(find(Encoding::Json)?.bytes.to_vec()).ok()?;
        let protobuf = find(Encoding::Protobuf).map(|payload| BASE64_STANDARD.encode(&payload.bytes));
        Some(Self { name: sample.name.clone(), json: RawValue::from_string(json).ok()?, protobuf })
    }

    /// The event's bytes, in each encoding.
    #[cfg(feature = "testing")]
    pub(crate) fn payloads(&self) -> Result<Vec<Payload>, base64::DecodeError> {
        let json = Payload { encoding: Encoding::Json, bytes: self.json.get().to_owned().into() };
        let protobuf = self.protobuf.as_ref().map(|text| BASE64_STANDARD.decode(text)).transpose()?;
        let protobuf = protobuf.map(|bytes| Payload { encoding: Encoding::Protobuf, bytes: bytes.into() });
        Ok([json].into_iter().chain(protobuf).collect())
    }
}
