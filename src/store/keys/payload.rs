//! An event's bytes with what is personal encrypted in them.
//!
//! They are still JSON, or protobuf: the event without its personal values, and one member or field before it that no contract
//! can declare. So whoever reads the payload without the keys finds the event as it is after its subject was forgotten.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::{BufMut, Bytes};
use prost::encoding::{decode_varint, encode_varint};

use super::{DataKey, ID, KeyId, seal};
use crate::{
    codec::Payload,
    event::Encoding,
    store::{StoreError, StoreErrorKind},
};

/// The version of the format, its first byte.
const VERSION: u8 = 1;
/// What the field in protobuf begins with: number 19920, one of those that contracts cannot use, for they are kept for
/// implementations, and that a length follows.
const KEY: &[u8] = &[0x82, 0xdd, 0x09];
/// The member in JSON, and what stands before its value.
const MEMBER: &[u8] = b"{\"x-tegami-sealed\":\"";

/// What a sealed payload belongs to: with anything else it is not opened.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Place<'a> {
    pub(in crate::store) id: &'a str,
    pub(in crate::store) event: &'a str,
    pub(in crate::store) subject: &'a str,
}

impl Place<'_> {
    fn bound(self, key: KeyId) -> Vec<u8> {
        let words = [self.id.as_bytes(), self.event.as_bytes(), self.subject.as_bytes()];
        seal::bound(&[&[b"tegami event", &[VERSION][..], key.as_bytes()][..], &words[..]].concat())
    }
}

/// A payload in which something is encrypted, taken apart.
pub(in crate::store) struct SealedPayload {
    pub(in crate::store) bare: Payload,
    pub(in crate::store) key: KeyId,
    sealed: Vec<u8>,
}

/// The payload with what is personal encrypted in it.
pub(in crate::store) fn seal(
    bare: &Payload,
    personal: &[u8],
    key: &DataKey,
    place: Place<'_>,
) -> Result<Payload, StoreError> {
    let sealed = seal::seal(key.reveal(), &place.bound(key.id()), personal)?;
    let sealed = [&[VERSION][..], key.id().as_bytes(), &sealed].concat();
    let bytes = match bare.encoding {
        Encoding::Json => in_json(&bare.bytes, &sealed),
        Encoding::Protobuf => in_protobuf(&bare.bytes, &sealed),
    };
    Ok(Payload { encoding: bare.encoding, bytes: bytes.into() })
}

fn in_json(bare: &[u8], sealed: &[u8]) -> Vec<u8> {
    let rest = bare.strip_prefix(b"{").unwrap_or(bare);
    let end: &[u8] = if rest == b"}" { b"\"" } else { b"\"," };
    [MEMBER, STANDARD.encode(sealed).as_bytes(), end, rest].concat()
}

fn in_protobuf(bare: &[u8], sealed: &[u8]) -> Vec<u8> {
    let mut bytes = KEY.to_vec();
    encode_varint(sealed.len() as u64, &mut bytes);
    bytes.put_slice(sealed);
    bytes.put_slice(bare);
    bytes
}

/// What is encrypted in the payload; `None`, if nothing is.
///
/// # Errors
/// `Damaged`: something is, and not as it was written. `Mismatch`: a later release has encrypted it.
pub(in crate::store) fn split(payload: &Payload) -> Result<Option<SealedPayload>, StoreError> {
    let found = match payload.encoding {
        Encoding::Json if payload.bytes.starts_with(MEMBER) => of_json(&payload.bytes),
        Encoding::Protobuf if payload.bytes.starts_with(KEY) => of_protobuf(&payload.bytes),
        Encoding::Json | Encoding::Protobuf => return Ok(None),
    };
    let damaged = || StoreError::new(StoreErrorKind::Damaged, "what is encrypted in it is not as it was written");
    let (sealed, bytes) = found.ok_or_else(damaged)?;
    let (version, rest) = sealed.split_first().ok_or_else(damaged)?;
    if *version != VERSION {
        let text = format!("it is encrypted in version {version}, this release knows version {VERSION}");
        return Err(StoreError::new(StoreErrorKind::Mismatch, text));
    }
    let (id, sealed) = rest.split_first_chunk::<ID>().ok_or_else(damaged)?;
    let bare = Payload { encoding: payload.encoding, bytes };
    Ok(Some(SealedPayload { bare, key: KeyId::new(*id), sealed: sealed.to_vec() }))
}

fn of_json(bytes: &Bytes) -> Option<(Vec<u8>, Bytes)> {
    let rest = bytes.strip_prefix(MEMBER)?;
    let end = rest.iter().position(|byte| *byte == b'"')?;
    let bare = rest[end + 1..].strip_prefix(b",").unwrap_or(&rest[end + 1..]);
    Some((STANDARD.decode(&rest[..end]).ok()?, [b"{", bare].concat().into()))
}

fn of_protobuf(bytes: &Bytes) -> Option<(Vec<u8>, Bytes)> {
    let mut rest = bytes.slice(KEY.len()..);
    let length = usize::try_from(decode_varint(&mut rest).ok()?).ok()?;
    (length <= rest.len()).then(|| (rest.slice(..length).to_vec(), rest.slice(length..)))
}

impl SealedPayload {
    /// What is personal.
    ///
    /// # Errors
    /// `Damaged`: the key is not the one it was encrypted with, or it was changed, or belongs to another event.
    pub(in crate::store) fn open(&self, key: &DataKey, place: Place<'_>) -> Result<Vec<u8>, StoreError> {
        seal::open(key.reveal(), &place.bound(key.id()), &self.sealed).ok_or_else(|| {
            let text = format!(
                "what is personal in it does not open with key `{}`: it was changed, or taken from another event, or the \
                 key is not the one that it was encrypted with",
                key.id()
            );
            StoreError::new(StoreErrorKind::Damaged, text)
        })
    }
}

#[cfg(test)]
mod tests {
    use prost::encoding::{WireType, encode_key};

    use super::*;

    #[test]
    fn whatever_stands_in_the_event_comes_back() {
        let place = Place { id: "m-1", event: "shop.v1.E", subject: "s" };
        let key = DataKey::draw().expect("the system has random numbers");
        for (encoding, bytes) in [
            (Encoding::Json, &b"{}"[..]),
            (Encoding::Json, b"{\"a\":\"}\"}"),
            (Encoding::Protobuf, b""),
            (Encoding::Protobuf, b"\x0a\x01a"),
        ] {
            let bare = Payload { encoding, bytes: Bytes::from_static(bytes) };
            assert!(split(&bare).expect("nothing is in it").is_none());
            let sealed = seal(&bare, b"{\"/email\":1}", &key, place).expect("it is small");
            let found = split(&sealed).expect("it is well").expect("something is in it");
            assert_eq!((&found.bare, found.key), (&bare, key.id()));
            assert_eq!(found.open(&key, place).expect("it is the key"), b"{\"/email\":1}");
            for other in [Place { id: "m-2", ..place }, Place { event: "e", ..place }, Place { subject: "t", ..place }]
            {
                assert_eq!(found.open(&key, other).expect_err("it is another").kind(), StoreErrorKind::Damaged);
            }
        }
    }

    #[test]
    fn the_field_has_a_number_that_contracts_cannot_use() {
        let mut key = Vec::new();
        encode_key(19_920, WireType::LengthDelimited, &mut key);
        assert_eq!(KEY, key);
    }

    #[test]
    fn what_is_cut_or_later_is_told() {
        let kind = |encoding, bytes: Vec<u8>| {
            let payload = Payload { encoding, bytes: bytes.into() };
            split(&payload).err().map(|error| error.kind())
        };
        assert_eq!(kind(Encoding::Json, MEMBER.to_vec()), Some(StoreErrorKind::Damaged));
        assert_eq!(kind(Encoding::Json, in_json(b"{}", b"")), Some(StoreErrorKind::Damaged));
        assert_eq!(kind(Encoding::Protobuf, KEY.to_vec()), Some(StoreErrorKind::Damaged));
        assert_eq!(kind(Encoding::Protobuf, in_protobuf(b"", b"\x01short")), Some(StoreErrorKind::Damaged));
        assert_eq!(kind(Encoding::Protobuf, in_protobuf(b"", b"\x02")), Some(StoreErrorKind::Mismatch));
    }
}
