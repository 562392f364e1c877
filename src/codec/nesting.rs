//! How deep messages nest in protobuf bytes: what is too deep for readers is not written (P7).

use prost::Message;

use super::{EncodeError, EncodeErrorKind};

/// So many messages readers follow into one another: prost's limit, which it keeps to itself.
const DEPTH: usize = 100;

/// What stands behind a tag, by its last three bits.
const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const DELIMITED: u64 = 2;
const FIXED32: u64 = 5;

/// Do these bytes of an event nest no deeper than readers go?
pub(super) fn check<E: Message + Default>(bytes: &[u8]) -> Result<(), EncodeError> {
    // Few events have bytes that could be messages so deep in one another. Of those a reader is asked.
    if !may_nest(bytes, DEPTH + 1) {
        return Ok(());
    }
    E::decode(bytes).map(drop).map_err(|error| {
        let text = format!(
            "messages are nested more than {DEPTH} deep, which is the limit: flatten the event, or have its inner part \
             as bytes"
        );
        EncodeError::new(EncodeErrorKind::Unencodable, text).caused_by(error)
    })
}

/// Could these bytes have so many messages inside one another? Around each are a tag and a length, of a byte at least.
fn may_nest(mut bytes: &[u8], levels: usize) -> bool {
    if levels == 0 {
        return true;
    }
    while bytes.len() >= 2 * levels {
        match field(&mut bytes) {
            Some(Some(value)) if may_nest(value, levels - 1) => return true,
            Some(_) => {}
            None => return false,
        }
    }
    false
}

/// Takes the next field off a message, and answers with its value if that could be a message. `None`: this is no message.
fn field<'a>(bytes: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    let kind = varint(bytes)? % 8;
    let length = match kind {
        VARINT => {
            varint(bytes)?;
            0
        }
        FIXED64 => 8,
        DELIMITED => varint(bytes)?,
        FIXED32 => 4,
        // Groups are not written.
        _ => return None,
    };
    let (value, rest) = bytes.split_at_checked(length.try_into().ok()?)?;
    *bytes = rest;
    Some((kind == DELIMITED).then_some(value))
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use prost::Message;
    use prost_types::{ListValue, Value, value::Kind};

    use super::{check, may_nest};

    /// A field of every kind, and in it, or beside it, one more of the same.
    #[derive(Clone, PartialEq, Message)]
    struct Node {
        #[prost(uint64, tag = "1")]
        number: u64,
        #[prost(fixed64, tag = "2")]
        fixed: u64,
        #[prost(fixed32, tag = "3")]
        short: u32,
        #[prost(string, tag = "4")]
        text: String,
        #[prost(message, repeated, tag = "5000")]
        nodes: Vec<Node>,
    }

    fn node(text: &str, nodes: Vec<Node>) -> Node {
        Node { number: u64::MAX, fixed: 1, short: 1, text: text.to_owned(), nodes }
    }

    /// So many of them, in one another.
    fn nested(levels: usize) -> Vec<u8> {
        let beside = || node(&"text ".repeat(100), Vec::new());
        (0..levels).fold(beside(), |inside, _| node("", vec![beside(), inside, beside()])).encode_to_vec()
    }

    #[test]
    fn p7_messages_nest_as_deep_as_readers_go() {
        for levels in [0, 1, 99, 100] {
            assert!(check::<Node>(&nested(levels)).is_ok() && Node::decode(&*nested(levels)).is_ok(), "{levels}");
        }
        for levels in [101, 150] {
            let error = check::<Node>(&nested(levels)).expect_err("it is too deep").to_string();
            assert!(
                error.contains("more than 100 deep") && Node::decode(&*nested(levels)).is_err(),
                "{levels}: {error}"
            );
        }
    }

    #[test]
    fn p7_values_of_any_shape_nest_as_deep_as_readers_go() {
        let nested = |levels: usize| {
            let list = |values| Value { kind: Some(Kind::ListValue(ListValue { values })) };
            (1..levels).fold(list(Vec::new()), |inside, _| list(vec![inside])).encode_to_vec()
        };
        // A value and its list are a level each.
        assert!(check::<Value>(&nested(50)).is_ok());
        assert!(check::<Value>(&nested(51)).is_err());
        assert!(Value::decode(&*nested(50)).is_ok() && Value::decode(&*nested(51)).is_err());
    }

    #[test]
    fn the_first_look_never_sees_less_than_there_is_and_lets_what_is_flat_pass() {
        for levels in [0, 1, 2, 50, 100, 101, 102] {
            let bytes = nested(levels);
            assert!((1..=levels).all(|fewer| may_nest(&bytes, fewer)), "{levels}");
        }
        for flat in [nested(0), nested(50), vec![b'x'; 1_000_000], "é [] {} 1".repeat(1_000).into(), vec![0xff; 1_000]]
        {
            let flat = node(&String::from_utf8_lossy(&flat), Vec::new()).encode_to_vec();
            assert!(!may_nest(&flat, super::DEPTH + 1), "{}", flat.len());
        }
    }
}
