//! An event as a store keeps it: its payload with the contract's name and version, and all that is known beside it.

use std::borrow::Cow;

use super::{Position, StoreError, StoreErrorKind, StreamId, Tag, Version};
use crate::{
    codec::{self, EncodeErrorKind, Hands, Payload},
    contract::Contract,
    envelope::{Head, Message},
    event::{Event, Format, RESERVED},
};

/// Attributes that tell a trace: nobody looks events up by them.
pub(super) const TRACE: [&str; 2] = ["traceparent", "tracestate"];

/// An event as a store keeps it.
///
/// It is a message like those on the bus, with the payload in the contract's own encoding: what a relay sends, and what a
/// dead letter holds, is the same.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Entry {
    /// The event's payload, and what is known beside it: id, time, service, correlation, key, attributes, trace.
    pub message: Message<Payload>,
    /// The major version of the event's contract.
    pub contract_version: u32,
    /// The field that the key is taken from.
    pub key_field: Option<Cow<'static, str>>,
    /// What takes its personal fields out before it is recorded.
    pub(super) hands: Option<Hands>,
}

/// Entries are equal if what is kept of them is.
impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        let kept = |entry: &Self| (entry.contract_version, entry.key_field.clone());
        self.message == other.message && kept(self) == kept(other)
    }
}

impl Entry {
    /// An entry of these bytes, for stores to give back what they were given. Nothing in it is encrypted on its way.
    pub fn new(message: Message<Payload>, contract_version: u32, key_field: Option<Cow<'static, str>>) -> Self {
        Self { message, contract_version, key_field, hands: None }
    }

    /// An entry for this event, in the encoding that its contract is written in; its id and time are still to come.
    ///
    /// # Errors
    /// `Invalid`: the event breaks its contract, or a value has no form in the encoding.
    pub fn of<E: Event>(event: &E) -> Result<Self, StoreError> {
        let encoding = <E::Format as Format<E>>::ENCODINGS[0];
        let payload = codec::encode(event, encoding).map_err(|error| match error.kind() {
            EncodeErrorKind::Invalid | EncodeErrorKind::Unencodable => error.of_kind(StoreErrorKind::Invalid),
            EncodeErrorKind::TooLarge => error.of_kind(StoreErrorKind::TooLarge),
        })?;
        let mut head = Head::new().event(E::CONTRACT.name).topic(E::CONTRACT.topic).attributes(event.attributes());
        head.key = event.key().map(Cow::into_owned);
        let key_field = E::CONTRACT.key.map(Cow::Borrowed);
        let hands = E::PERSONAL.map(|_| Hands::of::<E>());
        Ok(Self { hands, ..Self::new(Message::new(head, payload), E::CONTRACT.version, key_field) })
    }

    /// The event's name.
    pub fn name(&self) -> &str {
        self.message.head.event.as_deref().unwrap_or_default()
    }

    /// What it can be found by: its key and its attributes, each once.
    pub fn tags(&self) -> Vec<Tag> {
        self.marks().map(|(name, value)| Tag::new(name, value)).collect()
    }

    /// The names and values of its tags.
    pub(super) fn marks(&self) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        let head = &self.message.head;
        let key = self.key_field.as_deref().zip(head.key.as_deref()).map(|(name, value)| (name, Cow::Borrowed(value)));
        let found = |name: &&str| !name.starts_with(RESERVED) && !TRACE.contains(name);
        let attributes = head.attributes.iter().filter(move |(name, _)| found(name));
        let others = attributes.filter(|(name, _)| self.key_field.as_deref() != Some(*name));
        key.into_iter().chain(others.map(|(name, value)| (name, value.text())))
    }

    /// The entry as it would be, had its event been recorded under the newer contract. Its key stays.
    pub(super) fn lifted(&self, from: &Contract, to: &'static Contract, lifted: codec::Lifted) -> Self {
        let mut head = self.message.head.clone().event(to.name).topic(to.topic);
        for declared in from.attributes {
            head.attributes.remove(declared.name);
        }
        for (name, value) in lifted.attributes.iter() {
            head.attributes.set(name.to_owned(), value.clone());
        }
        Self::new(Message::new(head, lifted.payload), to.version, to.key.map(Cow::Borrowed))
    }

    /// How many bytes it has, about: payload, key, attributes, names.
    pub(crate) fn size(&self) -> usize {
        let head = &self.message.head;
        let attributes = head.attributes.iter().map(|(name, value)| name.len() + value.text().len());
        let key = head.key.as_ref().map_or(0, String::len);
        self.message.content.bytes.len() + self.name().len() + key + attributes.sum::<usize>()
    }
}

/// An event with its places.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Recorded {
    /// Its place in the whole store.
    pub position: Position,
    /// The stream it is in.
    pub stream: StreamId,
    /// Its place in the stream.
    pub version: Version,
    /// The event.
    pub entry: Entry,
}

impl Recorded {
    /// An event at these places.
    pub fn new(position: Position, stream: StreamId, version: Version, entry: Entry) -> Self {
        Self { position, stream, version, entry }
    }
}
