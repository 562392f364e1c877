//! How deep JSON text nests: what is too deep for readers is not written (P7).

use std::fmt;

/// As deep as JSON may nest: as deep as the parser goes.
pub(super) const DEPTH: usize = 127;

/// How deep a text nests that nests too deep, and how deep it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooDeep {
    depth: usize,
    limit: usize,
}

impl fmt::Display for TooDeep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nested {} deep, the limit is {}", self.depth, self.limit)
    }
}

impl std::error::Error for TooDeep {}

/// Does the text nest no deeper than it may, with so many levels around it?
pub(crate) fn check(text: &[u8], around: usize) -> Result<(), TooDeep> {
    let limit = DEPTH - around;
    // Few texts are long enough, and have enough brackets, to need the careful look.
    if text.len() <= 2 * limit || brackets(text) <= limit {
        return Ok(());
    }
    match deepest(text) {
        depth if depth > limit => Err(TooDeep { depth, limit }),
        _ => Ok(()),
    }
}

/// How many of them open. (Bytes are summed in bytes: many fit into one register, and so many registers have no rest.)
fn brackets(text: &[u8]) -> usize {
    const SUMMED: usize = 192;
    let opening = |byte: &u8| u8::from(byte | 0x20 == b'{');
    text.chunks(SUMMED).map(|chunk| usize::from(chunk.iter().map(opening).sum::<u8>())).sum()
}

fn deepest(text: &[u8]) -> usize {
    let (mut depth, mut deepest, mut quoted) = (0_usize, 0, false);
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' if quoted => drop(bytes.next()),
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::{DEPTH, TooDeep, check};

    fn nested(depth: usize) -> String {
        format!(
            "{}{}",
            "[{\"a\":".repeat(depth / 2) + &"[".repeat(depth % 2),
            "]".repeat(depth % 2) + &"}]".repeat(depth / 2)
        )
    }

    #[test]
    fn what_stands_around_a_text_counts() {
        for around in [0, 1, 2] {
            let limit = DEPTH - around;
            assert_eq!(check(nested(limit).as_bytes(), around), Ok(()));
            for depth in [limit + 1, 300, 100_000] {
                assert_eq!(check(nested(depth).as_bytes(), around), Err(TooDeep { depth, limit }));
            }
        }
    }

    #[test]
    fn brackets_side_by_side_or_in_text_are_not_depth() {
        for text in [format!("[{}[]]", "[],".repeat(1_000)), format!("[\"\\\"{}\"]", "[".repeat(1_000))] {
            assert_eq!(check(text.as_bytes(), 0), Ok(()));
        }
    }
}
