//! Field tables as AMQP writes them, walked without recursion. What a table means is the parser's business; here
//! stand the questions whether it can be read at all, and how deep it goes.

/// How deep tables and arrays may stand in each other; the outermost table is level one. The parser behind us
/// recurses, so what goes deeper would cost it its stack.
pub(super) const DEPTH: usize = 32;

/// Why a table is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nested deeper than [`DEPTH`].
    TooDeep,
    /// A length lies, a type is unknown, or a name is not UTF-8.
    Unreadable,
}

/// Walks a table (without its own length) to its end.
///
/// # Errors
/// The parser could not read it, or only with too much of its stack.
pub(super) fn check(table: &[u8]) -> Result<(), Fault> {
    let mut levels = [Level::Array(&[]); DEPTH];
    levels[0] = Level::Table(table);
    let mut open = 1;
    while open > 0 {
        let level = &mut levels[open - 1];
        if level.rest().is_empty() {
            open -= 1;
            continue;
        }
        let Some(inner) = level.step().ok_or(Fault::Unreadable)? else { continue };
        *levels.get_mut(open).ok_or(Fault::TooDeep)? = inner;
        open += 1;
    }
    Ok(())
}

/// The entries on the outermost level that are neither table nor array, as they stand, up to the first that cannot
/// be read.
pub(super) fn scalars(table: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut level = Level::Table(table);
    let entries = std::iter::from_fn(move || {
        let before = level.rest();
        let inner = level.step()?;
        Some((&before[..before.len() - level.rest().len()], inner))
    });
    entries.filter_map(|(entry, inner)| inner.is_none().then_some(entry))
}

/// What is left to read of a table or an array.
#[derive(Clone, Copy)]
enum Level<'a> {
    Table(&'a [u8]),
    Array(&'a [u8]),
}

impl<'a> Level<'a> {
    fn rest(&self) -> &'a [u8] {
        match self {
            Self::Table(rest) | Self::Array(rest) => rest,
        }
    }

    /// Goes over one entry; answers with its inside if it is a table or an array itself. `None`: it cannot be read.
    fn step(&mut self) -> Option<Option<Level<'a>>> {
        match self {
            Self::Table(rest) => {
                short_text(rest)?;
                value(rest)
            }
            Self::Array(rest) => value(rest),
        }
    }
}

/// The types are those of RabbitMQ, which differ from the specification's.
fn value<'a>(rest: &mut &'a [u8]) -> Option<Option<Level<'a>>> {
    let size = match take(rest, 1)?[0] {
        b'F' => return Some(Some(Level::Table(long(rest)?))),
        b'A' => return Some(Some(Level::Array(long(rest)?))),
        b'S' | b'x' => return long(rest).map(|_| None),
        b'V' => 0,
        b't' | b'b' | b'B' => 1,
        b's' | b'U' | b'u' => 2,
        b'I' | b'i' | b'f' => 4,
        b'D' => 5,
        b'L' | b'l' | b'd' | b'T' => 8,
        _ => return None,
    };
    take(rest, size).map(|_| None)
}

/// Takes so many bytes off the front.
pub(super) fn take<'a>(rest: &mut &'a [u8], size: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(size)?;
    *rest = left;
    Some(taken)
}

/// Takes bytes that a 32-bit length stands before.
pub(super) fn long<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let size = take(rest, 4)?.try_into().ok().map(u32::from_be_bytes)?;
    take(rest, usize::try_from(size).ok()?)
}

/// Takes text that an 8-bit length stands before.
pub(super) fn short_text<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let size = take(rest, 1)?[0];
    std::str::from_utf8(take(rest, size.into())?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::amqp::guard::tests::{nested_arrays, nested_tables, table};

    #[test]
    fn m1_thirty_two_levels_are_read_and_thirty_three_are_not() {
        for nested in [nested_arrays, nested_tables] {
            assert_eq!(check(&table(&[(b"x", &nested(DEPTH - 1))])), Ok(()));
            assert_eq!(check(&table(&[(b"x", &nested(DEPTH))])), Err(Fault::TooDeep));
        }
    }

    #[test]
    fn m1_twenty_six_thousand_levels_are_refused() {
        for nested in [nested_arrays, nested_tables] {
            assert_eq!(check(&table(&[(b"x", &nested(26_000))])), Err(Fault::TooDeep));
        }
    }

    #[test]
    fn m1_siblings_do_not_count_as_depth() {
        let one = nested_arrays(DEPTH - 1);
        let entries: Vec<(&[u8], &[u8])> = (0..100).map(|_| (&b"x"[..], &one[..])).collect();
        assert_eq!(check(&table(&entries)), Ok(()));
    }

    #[test]
    fn m1_every_type_of_the_parser_is_known() {
        let sizes = [(b't', 1), (b'b', 1), (b'B', 1), (b's', 2), (b'U', 2), (b'u', 2), (b'I', 4), (b'i', 4), (b'f', 4)];
        let sizes = sizes.into_iter().chain([(b'D', 5), (b'L', 8), (b'l', 8), (b'd', 8), (b'T', 8), (b'V', 0)]);
        let values = sizes.map(|(kind, size)| [vec![kind], vec![0; size]].concat());
        let values = values.chain([b"S\0\0\0\x02hi".to_vec(), b"x\0\0\0\x01\xFF".to_vec()]);
        for value in values {
            let whole = table(&[(b"a", &value), (b"b", b"t\x01")]);
            assert_eq!(check(&whole), Ok(()), "{value:?}");
            assert_eq!(scalars(&whole).count(), 2, "{value:?}");
            for short in 1..whole.len() {
                let read = check(&whole[..short]).is_ok();
                assert_eq!(read, short == whole.len() - 4, "{value:?} cut to {short}");
            }
        }
    }

    #[test]
    fn m1_what_the_parser_refuses_is_refused() {
        let names: &[&[u8]] = &[b"\xFF", b"a\xC3"];
        for name in names {
            assert_eq!(check(&table(&[(name, b"V")])), Err(Fault::Unreadable));
        }
        let lies: &[&[u8]] = &[b"z", b"S\0\0\0\x09", b"A\xFF\xFF\xFF\xFF", b"F\0\0\0\x02\x05a", b"A\0\0\0\x01?"];
        for lie in lies {
            assert_eq!(check(&table(&[(b"x", lie)])), Err(Fault::Unreadable), "{lie:?}");
        }
    }
}
