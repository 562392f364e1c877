//! Values of one scalar type as they are read by another: in protobuf's binary form, and in JSON.

use super::Encoding;
use crate::lock::Kind;

/// What becomes of values of another type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// The same value, where the type can hold it.
    Same,
    /// An error, or another value.
    Wrong,
}

/// What becomes of a value of the one type, read by the other.
pub(super) fn fit(from: Kind, into: Kind, encoding: Encoding) -> Fit {
    let fits = from == into
        || match encoding {
            Encoding::Protobuf => binary(from, into),
            Encoding::Json => json(from, into),
        };
    if fits { Fit::Same } else { Fit::Wrong }
}

/// Numbers of one way of writing them; and text, which is bytes too.
fn binary(from: Kind, into: Kind) -> bool {
    let group = |kind| match kind {
        Kind::Bool | Kind::Int32 | Kind::Int64 | Kind::Uint32 | Kind::Uint64 => Some(0),
        Kind::Sint32 | Kind::Sint64 => Some(1),
        Kind::Fixed32 | Kind::Sfixed32 => Some(2),
        Kind::Fixed64 | Kind::Sfixed64 => Some(3),
        _ => None,
    };
    (from, into) == (Kind::Text, Kind::Bytes) || group(from).is_some_and(|from| group(into) == Some(from))
}

fn json(from: Kind, into: Kind) -> bool {
    let is_whole = |kind| super::values::whole(kind).is_some() && kind != Kind::Bool;
    match (from, into) {
        // Beyond 2^53 a float is another number; the range is looked at elsewhere.
        (Kind::Integer, Kind::Number) => true,
        (Kind::Uuid | Kind::DateTime, Kind::Text) => true,
        (Kind::Integer, _) | (_, Kind::Integer) => false,
        _ => is_whole(from) && is_whole(into),
    }
}
