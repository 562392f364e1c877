//! Arbitrary heads of messages, from a seed.

use std::time::{Duration, SystemTime};

use tegami::{
    envelope::{Head, MessageId},
    event::{Attributes, Value},
};

use crate::arbitrary::Arbitrary;

/// The years 1 to 9999, in seconds from 1970.
const YEARS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// A head in which each thing may be missing, and each text may be empty.
pub fn head(arbitrary: &mut Arbitrary) -> Head {
    let mut head = Head::new().attributes(attributes(arbitrary));
    head.id = maybe(arbitrary, id);
    head.event = maybe(arbitrary, Arbitrary::text).map(Into::into);
    head.time = maybe(arbitrary, time);
    head.source.service = maybe(arbitrary, Arbitrary::text).map(Into::into);
    head.source.instance = maybe(arbitrary, Arbitrary::text).map(Into::into);
    head.topic = maybe(arbitrary, Arbitrary::text).map(Into::into);
    head.correlation_id = maybe(arbitrary, id);
    head.causation_id = maybe(arbitrary, id);
    head.key = maybe(arbitrary, Arbitrary::text);
    head
}

/// Printable ASCII, as an id is.
pub fn id(arbitrary: &mut Arbitrary) -> MessageId {
    let length = [1, 36, 128][arbitrary.rng.usize(0..3)];
    let text: String = (0..length).map(|_| char::from(arbitrary.rng.u8(b'!'..=b'~'))).collect();
    MessageId::parse(text).expect("printable ASCII of at most 128 characters")
}

fn maybe<T>(arbitrary: &mut Arbitrary, draw: impl FnOnce(&mut Arbitrary) -> T) -> Option<T> {
    (arbitrary.rng.u8(0..5) > 0).then(|| draw(arbitrary))
}

fn time(arbitrary: &mut Arbitrary) -> SystemTime {
    let of_today = 1_795_224_550 + arbitrary.rng.i64(0..1_000_000_000);
    let seconds = [of_today, arbitrary.rng.i64(YEARS), 0, *YEARS.start(), *YEARS.end()][arbitrary.rng.usize(0..5)];
    let nanos = Duration::from_nanos([0, arbitrary.rng.u64(0..1_000_000_000)][arbitrary.rng.usize(0..2)]);
    let whole = Duration::from_secs(seconds.unsigned_abs());
    let epoch = SystemTime::UNIX_EPOCH;
    (if seconds < 0 { epoch - whole } else { epoch + whole }) + nanos
}

fn attributes(arbitrary: &mut Arbitrary) -> Attributes {
    (0..arbitrary.rng.usize(0..5)).fold(Attributes::new(), |all, n| {
        let value = match arbitrary.rng.u8(0..4) {
            0 => Value::from(arbitrary.text()),
            1 => Value::from(arbitrary.rng.i64(..)),
            2 => Value::from(arbitrary.rng.f64()),
            _ => Value::from(arbitrary.rng.bool()),
        };
        all.with(format!("{}{n}", arbitrary.text()), value)
    })
}
