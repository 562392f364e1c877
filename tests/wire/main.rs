//! Envelopes on the wire: what tomodachi writes and reads, what other publishers get wrong, what an attacker sends.

mod archive;
mod bad_utf8;
mod base64;
mod cloud_events;
mod contracts;
mod events;
mod json_edges;
mod mutants;
mod own_envelope;
mod protobuf_edges;
mod readable;
mod round_trip;
mod thresholds;
mod tomodachi;
mod tomodachi_reads;
mod zlib;

use std::time::{Duration, SystemTime};

use tegami::{
    codec::Payload,
    envelope::{DecodeErrorKind, Envelope, Head, MessageId, Sealed},
    event::{Attributes, Encoding},
};

fn sealed(body: impl Into<bytes::Bytes>) -> Sealed {
    Sealed { body: body.into(), ..Sealed::default() }
}

fn json(text: impl Into<bytes::Bytes>) -> Payload {
    Payload { encoding: Encoding::Json, bytes: text.into() }
}

fn protobuf(bytes: impl Into<bytes::Bytes>) -> Payload {
    Payload { encoding: Encoding::Protobuf, bytes: bytes.into() }
}

fn id(text: &str) -> MessageId {
    MessageId::parse(text).unwrap()
}

/// A head with every field told.
fn full_head() -> Head {
    Head::new()
        .id(id("5d0b530f-5c44-4981-b01f-342801bd48f5.30e68af3-7b44-455b-a06b-4029581a2b62"))
        .event("shop.orders.v1.OrderPaid")
        .time(SystemTime::UNIX_EPOCH + Duration::from_secs_f64(1795224550.7684295))
        .service("svc")
        .instance("5d0b530f-5c44-4981-b01f-342801bd48f5")
        .topic("t.o")
        .correlation_id(id("c-1"))
        .causation_id(id("c-2"))
        .key("o-1 é")
        .attributes(Attributes::new().with("currency", "EUR").with("amount_minor", 990_i64))
}

/// What opening came to.
fn outcome(envelope: &impl Envelope, sealed: &Sealed) -> Result<Payload, DecodeErrorKind> {
    envelope.open(sealed).map(|message| message.content).map_err(|error| error.kind())
}
