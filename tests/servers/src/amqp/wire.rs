//! The bytes of AMQP 0-9-1 that a producer needs.

pub(super) const METHOD: u8 = 1;
pub(super) const HEADER: u8 = 2;
pub(super) const BODY: u8 = 3;
const END: u8 = 0xce;
/// Content type, headers, delivery mode and message id are there.
const FLAGS: u16 = 0x8000 | 0x2000 | 0x1000 | 0x0080;

/// A header with a value in a value in a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nest {
    /// So many lists.
    Lists(usize),
    /// So many tables.
    Tables(usize),
}

impl Nest {
    /// The most levels that RabbitMQ takes in one frame of headers.
    pub const MOST_LISTS: usize = 26_000;
    /// The same for tables, of which each takes two bytes more.
    pub const MOST_TABLES: usize = 18_000;

    /// The value with its type before it.
    fn value(self) -> Vec<u8> {
        let (levels, kind, name) = match self {
            Self::Lists(levels) => (levels, b'A', &b""[..]),
            Self::Tables(levels) => (levels, b'F', &b"\x01t"[..]),
        };
        let mut value = Vec::new();
        for level in (0..levels).rev() {
            // What is inside: a name, a type and a length for each.
            let inside = level * (name.len() + 5);
            let inside = u32::try_from(inside).expect("a frame is shorter");
            value.push(kind);
            value.extend(inside.to_be_bytes());
            value.extend(if level == 0 { b"" } else { name });
        }
        value
    }
}

pub(super) fn frame(kind: u8, channel: u16, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a frame is shorter");
    [&[kind][..], &channel.to_be_bytes(), &length.to_be_bytes(), payload, &[END]].concat()
}

/// The content header of a message with this id and one nested header.
pub(super) fn headers(id: &str, body: usize, nest: Nest) -> Vec<u8> {
    let table = long_text(&[short_text("bomb"), nest.value()].concat());
    let size = (body as u64).to_be_bytes();
    let parts: [&[u8]; 7] =
        [&60_u16.to_be_bytes(), &[0, 0], &size, &FLAGS.to_be_bytes(), &short_text("application/json"), &table, &[2]];
    [&parts.concat()[..], &short_text(id)].concat()
}

pub(super) fn short_text(text: impl AsRef<[u8]>) -> Vec<u8> {
    let text = text.as_ref();
    let length = u8::try_from(text.len()).expect("a short text is short");
    [&[length][..], text].concat()
}

pub(super) fn long_text(text: &[u8]) -> Vec<u8> {
    let length = u32::try_from(text.len()).expect("a frame is shorter");
    [&length.to_be_bytes()[..], text].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_in_a_list_has_their_lengths() {
        assert_eq!(Nest::Lists(2).value(), b"A\0\0\0\x05A\0\0\0\0");
        assert_eq!(Nest::Tables(2).value(), b"F\0\0\0\x07\x01tF\0\0\0\0");
    }

    #[test]
    fn the_deepest_nests_fit_into_a_frame() {
        for nest in [Nest::Lists(Nest::MOST_LISTS), Nest::Tables(Nest::MOST_TABLES)] {
            let length = frame(HEADER, 1, &headers(&"i".repeat(36), 0, nest)).len();
            assert!((125_000..=131_072).contains(&length), "{length} bytes");
        }
    }
}
