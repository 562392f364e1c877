//! Content headers: the properties of a message, and what is made of them when the parser could not read them.

use super::{
    frame,
    table::{self, Fault},
};
use crate::transport::amqp::names::REFUSED;

/// Class, weight, size of the body and flags: what no content header is without.
pub(super) const SHORTEST: usize = FIXED + 2;

/// Class, weight and size of the body.
const FIXED: usize = 12;

/// A frame of this size fits whatever was agreed on.
const ALWAYS_FITS: usize = 4096;

/// Places of properties.
const HEADERS: usize = 2;
const MESSAGE_ID: usize = 8;

/// How each property is written, in the order of the flags.
const KINDS: [Kind; 14] = {
    use Kind::{Octet, Text, Time};
    [Text, Text, Kind::Table, Octet, Octet, Text, Text, Text, Text, Time, Text, Text, Text, Text]
};

const LOST: &str = "the properties cannot be read";
const NO_TEXT: &str = "a property is not text";

/// The size of the body that follows.
pub(super) fn body_size(payload: &[u8]) -> u64 {
    payload[4..].first_chunk().map_or(0, |size| u64::from_be_bytes(*size))
}

/// The message id, if there is one.
pub(super) fn message_id(payload: &[u8]) -> Option<&str> {
    let mut id = Properties::read(payload).values[MESSAGE_ID]?;
    table::short_text(&mut id)
}

/// The payload that the parser shall see instead of this one; `None` if it can read this one.
pub(super) fn replace(payload: &[u8]) -> Option<Vec<u8>> {
    let properties = Properties::read(payload);
    let reason = properties.fault?;
    Some(properties.refused(payload, reason))
}

/// The properties as they stand in a frame, as far as they can be read.
#[derive(Default)]
struct Properties<'a> {
    values: [Option<&'a [u8]>; KINDS.len()],
    /// What the parser would stumble over.
    fault: Option<&'static str>,
}

impl<'a> Properties<'a> {
    fn read(payload: &'a [u8]) -> Self {
        let mut properties = Self::default();
        let (flags, mut rest) = payload[FIXED..].split_at(2);
        for place in (0..KINDS.len()).filter(|place| is_set(flags, *place)) {
            let before = rest;
            let read = KINDS[place].read(&mut rest);
            let value = &before[..before.len() - rest.len()];
            properties.fault = properties.fault.or(read.err());
            // Of a header table, even a broken one says something.
            properties.values[place] = (read.is_ok() || place == HEADERS).then_some(value);
        }
        if !rest.is_empty() {
            properties.fault = properties.fault.or(Some(LOST));
        }
        properties
    }

    /// The payload anew, with the reason among the headers.
    fn refused(self, payload: &[u8], reason: &str) -> Vec<u8> {
        let mut values: [Option<&[u8]>; KINDS.len()] = self.values;
        let old = values[HEADERS].take().and_then(|mut table| table::long(&mut table)).unwrap_or_default();
        let others: usize = values.iter().flatten().map(|value| value.len()).sum();
        let room = ALWAYS_FITS.max(payload.len() + frame::AROUND) - frame::AROUND - SHORTEST - others;
        let headers = headers(old, reason, room);
        values[HEADERS] = Some(&headers);
        write(&payload[..FIXED], &values)
    }
}

fn write(fixed: &[u8], values: &[Option<&[u8]>]) -> Vec<u8> {
    let present = values.iter().enumerate().filter(|(_, value)| value.is_some());
    let flags: u16 = present.map(|(place, _)| 1 << (15 - place)).sum();
    let mut written = [fixed, &flags.to_be_bytes()].concat();
    written.extend(values.iter().copied().flatten().flatten());
    written
}

fn is_set(flags: &[u8], place: usize) -> bool {
    flags[place / 8] & (0x80 >> (place % 8)) != 0
}

/// A header table, its length before it: what is plain in the old one, if there is room for it, and the reason.
fn headers(old: &[u8], reason: &str, room: usize) -> Vec<u8> {
    let mut entries: Vec<u8> = table::scalars(old).flatten().copied().collect();
    let marker = marker(reason);
    if 4 + entries.len() + marker.len() > room {
        entries.clear();
    }
    entries.extend(marker);
    with_length(&entries)
}

fn marker(reason: &str) -> Vec<u8> {
    let name = [&[REFUSED.len() as u8], REFUSED.as_bytes()].concat();
    [name, b"S".to_vec(), with_length(reason.as_bytes())].concat()
}

fn with_length(bytes: &[u8]) -> Vec<u8> {
    let size = u32::try_from(bytes.len()).expect("it fits into a frame");
    [&size.to_be_bytes(), bytes].concat()
}

#[derive(Clone, Copy)]
enum Kind {
    Octet,
    Time,
    Text,
    Table,
}

impl Kind {
    /// Goes over one property.
    ///
    /// # Errors
    /// The parser could not read it. If its end is not to be found either, it takes all that is left.
    fn read(self, rest: &mut &[u8]) -> Result<(), &'static str> {
        match self {
            Self::Octet => table::take(rest, 1).map(drop).ok_or(LOST),
            Self::Time => table::take(rest, 8).map(drop).ok_or(LOST),
            Self::Text => text(rest),
            Self::Table => table(rest),
        }
    }
}

fn text(rest: &mut &[u8]) -> Result<(), &'static str> {
    let size = table::take(rest, 1).ok_or(LOST)?[0];
    let text = table::take(rest, size.into()).ok_or(LOST)?;
    std::str::from_utf8(text).map(drop).map_err(|_| NO_TEXT)
}

fn table(rest: &mut &[u8]) -> Result<(), &'static str> {
    const UNREADABLE: &str = "the header table cannot be read";
    let Some(inside) = table::long(rest) else {
        *rest = &[];
        return Err(UNREADABLE);
    };
    table::check(inside).map_err(|fault| match fault {
        Fault::TooDeep => "the header table is nested deeper than 32",
        Fault::Unreadable => UNREADABLE,
    })
}
