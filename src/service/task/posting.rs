//! An event that is given as JSON, published as the service would.

use std::io::{self, Read};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Error, ErrorKind, Open, dead::raw};
use crate::{
    codec::{self, Payload},
    contract::Contract,
    envelope::MessageId,
    event::{Encoding, Event},
    middleware::BoxFuture,
    publisher::Publisher,
    service::running,
    time::Dice,
    transport::Provision,
};

/// The most of standard input that is read, in bytes: more than any broker takes.
const MOST: u64 = 16 * 1024 * 1024;

/// Publishes the event of one contract that this JSON is, over the transport of this name.
pub(crate) type Post = fn(Publisher, String, Option<String>) -> BoxFuture<Result<MessageId, Error>>;

/// An event that was published.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Posted {
    /// Its name.
    pub event: String,
    /// The message's id.
    pub id: String,
    /// What its contract took of the JSON, in canonical JSON: fields that it does not have are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Box<RawValue>>,
}

/// How events of type `E` are published.
pub(in crate::service) fn post<E: Event>(
    publisher: Publisher,
    json: String,
    via: Option<String>,
) -> BoxFuture<Result<MessageId, Error>> {
    Box::pin(async move {
        let payload = Payload { encoding: Encoding::Json, bytes: Bytes::from(json) };
        let event: E = codec::decode(&payload).map_err(|error| {
            let text = format!("this is no `{}`{}", E::CONTRACT.name, place::<E>(&payload.bytes));
            Error::new(ErrorKind::Publish, text).caused_by(error)
        })?;
        let choose = |options: crate::publisher::PublishOptions| match via {
            Some(via) => options.via(via),
            None => options,
        };
        publisher.publish_with(&event, choose).await.map_err(|error| {
            Error::new(ErrorKind::Publish, format!("`{}` was not published", E::CONTRACT.name)).caused_by(error)
        })
    })
}

/// Where it is wrong, if that is within.
fn place<E: Event>(json: &[u8]) -> String {
    match serde_path_to_error::deserialize::<_, E>(&mut serde_json::Deserializer::from_slice(json)) {
        Err(error) if error.path().iter().next().is_some() => {
            format!(", at `{}`", error.path().to_string().escape_debug())
        }
        _ => String::new(),
    }
}

impl Open {
    /// Publishes the event that stands on standard input.
    pub(super) async fn publish(&mut self, event: &str) -> Result<Posted, Error> {
        let contract = self.event(event)?;
        let via = self.station_of(contract).and_then(|station| station.via.clone());
        let mut json = String::new();
        let read = io::stdin().lock().take(MOST).read_to_string(&mut json);
        read.map_err(|error| Error::new(ErrorKind::Publish, "standard input cannot be read").caused_by(error))?;
        // Nothing is made for it, and nothing compared.
        self.transports.differences(&[], Provision::Assume).await?;
        // What it handles and does not publish may be published by hand.
        self.parts.publishes.clear();
        let publisher = self.publisher();
        let post = self.parts.posts[contract.name];
        let given = Payload { encoding: Encoding::Json, bytes: Bytes::from(json.clone()) };
        let id = post(publisher, json, via).await?;
        let shown = self.parts.contracts[contract.name].1.shown;
        let payload = shown(&given, self.persons).and_then(|taken| raw(&taken)).ok();
        Ok(Posted { event: contract.name.to_owned(), id: id.to_string(), payload })
    }

    fn publisher(&mut self) -> Publisher {
        let dice = self.parts.dice.clone().unwrap_or_else(Dice::system);
        running::open_line(&mut self.parts, self.names.clone(), dice, &self.transports)
    }

    /// The contract of the event of this name, or of the only one whose name ends so.
    pub(super) fn event(&self, name: &str) -> Result<&'static Contract, Error> {
        let contracts = || self.parts.contracts.values().map(|(contract, _)| *contract);
        let ends = |contract: &&Contract| {
            contract.name == name || contract.name.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'))
        };
        let exact = contracts().find(|contract| contract.name == name);
        match (exact, &contracts().filter(ends).collect::<Vec<_>>()[..]) {
            (Some(contract), _) => Ok(contract),
            (None, [contract]) if !name.is_empty() => Ok(contract),
            _ => {
                let known: Vec<_> = contracts().map(|contract| format!("`{}`", contract.name)).collect();
                let (name, known) = (name.escape_debug(), known.join(", "));
                let text = format!("`{}` knows no one event `{name}`; it knows {known}", self.parts.name);
                Err(Error::new(ErrorKind::Setting, text))
            }
        }
    }
}
