//! Compressed shapes, each with what opening it comes to.

use tegami::envelope::DecodeErrorKind::{self, TooLarge, Undecodable};

use super::{
    MIB,
    bits::{AGAIN, Bits, DYNAMIC, END, FIXED, STORED, adler, length, stream, unused},
    blanks_and_zero, bomb, deflate, gzip, packed, stored,
};

pub(super) const INPUTS: usize = 138;

/// What becomes of a stream.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fate {
    /// It opens.
    Opens,
    /// It opens where a payload is any bytes; it is not JSON.
    IsNoJson,
    Refused(DecodeErrorKind),
}

use Fate::{IsNoJson, Opens, Refused};

type Shape = (String, Vec<u8>, Fate);

const GOOD: &[u8] = br#"{"a": 1}"#;
const BAD: Fate = Refused(Undecodable);
/// Lengths of codes that a head tells: none, one, two bits, and a run of none.
const PLAIN: [u32; 4] = [0, 1, 2, 18];
/// The same with a length that is told again, for that of two bits.
const REPEATING: [u32; 4] = [0, 1, 16, 18];

pub(super) fn all() -> Vec<Shape> {
    let (good, bad) = (good_blocks(), [bad_blocks(), bad_heads()].concat());
    let good = good.into_iter().map(|(name, blocks, content)| (name, stream(blocks, content.as_bytes()), Opens));
    let bad = bad.into_iter().map(|(name, blocks)| (name, stream(blocks, b"1"), BAD));
    let others = [whole(), sized(), cut(), around(), strange(), contents()].concat();
    let named = others.into_iter().chain(good).chain(bad).map(|(name, bytes, fate)| (name.to_owned(), bytes, fate));
    named.chain(heads()).chain(checksums()).collect()
}

fn whole() -> Vec<(&'static str, Vec<u8>, Fate)> {
    vec![
        ("good", packed(GOOD), Opens),
        ("stored, not compressed", stored(GOOD), Opens),
        ("nested: a bomb in a bomb's place", packed(&bomb(1024, 0)[..MIB / 2]), IsNoJson),
        ("nested: a compressed stream of streams", packed(&packed(&packed(GOOD))), IsNoJson),
    ]
}

/// Around the limit, and far beyond it.
fn sized() -> Vec<(&'static str, Vec<u8>, Fate)> {
    let most = packed(&blanks_and_zero(8 * MIB));
    let end = most.len() - 1;
    let changed = [&most[..end], &[most[end] ^ 1]].concat();
    let number = Bits::default().block(FIXED).text("1").symbol(END).block(STORED).stored(b"");
    let begins_well = [&[0x78, 0x9c][..], number.bytes.as_slice(), &bomb(1024, b' ')[2..]].concat();
    vec![
        ("exactly 8 MiB", most.clone(), Opens),
        ("exactly 8 MiB, without a checksum", most[..most.len() - 4].to_vec(), BAD),
        ("exactly 8 MiB, with a wrong checksum", changed, BAD),
        ("exactly 8 MiB, and a byte after the end", [most.as_slice(), &[0]].concat(), BAD),
        ("8 MiB and one byte", packed(&blanks_and_zero(8 * MIB + 1)), Refused(TooLarge)),
        ("16 MiB, whole", packed(&vec![0; 16 * MIB]), Refused(TooLarge)),
        ("a GiB of zeros", bomb(1024, 0), Refused(TooLarge)),
        ("a GiB of blanks", bomb(1024, b' '), Refused(TooLarge)),
        ("a GiB of opening brackets", bomb(1024, b'['), Refused(TooLarge)),
        ("a number, and a GiB of blanks after it", begins_well, Refused(TooLarge)),
        ("a bomb that ends before the limit", bomb(4, 0), BAD),
        ("a flushed stream that never ends", bomb(1, 0), BAD),
    ]
}

/// Streams that end too early.
fn cut() -> Vec<(&'static str, Vec<u8>, Fate)> {
    let good = packed(GOOD);
    let up_to = |length: usize| good[..length].to_vec();
    let end = good.len();
    vec![
        ("empty", vec![], BAD),
        ("half a header", up_to(1), BAD),
        ("header only", up_to(2), BAD),
        ("cut in the middle", up_to(end / 2), BAD),
        ("without its checksum", up_to(end - 4), BAD),
        ("with half of its checksum", up_to(end - 2), BAD),
        ("one byte short", up_to(end - 1), BAD),
    ]
}

/// Bytes before the start and after the end.
fn around() -> Vec<(&'static str, Vec<u8>, Fate)> {
    let good = packed(GOOD);
    let with = |tail: &[u8]| [good.as_slice(), tail].concat();
    vec![
        ("a byte before the start", [b"\n", good.as_slice()].concat(), BAD),
        ("a header before the header", [&good[..2], &good].concat(), BAD),
        ("a byte after the end", with(&[0]), BAD),
        ("a line feed after the end", with(b"\n"), BAD),
        ("zeros that fill up a block after the end", with(&[0; 512]), BAD),
        ("its checksum once more after the end", with(&good[good.len() - 4..]), BAD),
        ("an empty block after the end", with(&Bits::default().last(STORED).stored(b"").bytes), BAD),
        ("two streams", with(&good), BAD),
        ("a stream and half a stream", with(&good[..good.len() / 2]), BAD),
        ("a stream of another kind after the end", with(&gzip(GOOD)), BAD),
        ("a bomb after the end", with(&bomb(64, 0)), BAD),
        ("a MiB of zeros after the end", with(&vec![0; MIB]), BAD),
    ]
}

/// What others compress to, or what is not compressed.
fn strange() -> Vec<(&'static str, Vec<u8>, Fate)> {
    let hex = packed(GOOD).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let gzip_head = [&gzip(GOOD)[..10], &packed(GOOD)].concat();
    vec![
        ("gzip (RFC 1952)", gzip(b"{}"), BAD),
        ("the head of gzip, and a good stream", gzip_head, BAD),
        ("deflate without a header (RFC 1951)", deflate(b"{}"), BAD),
        ("not compressed", GOOD.to_vec(), BAD),
        ("hexadecimal", hex.into_bytes(), BAD),
        ("zip", b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0".to_vec(), BAD),
        ("bzip2", b"BZh91AY&SY\0\0\0\0".to_vec(), BAD),
        ("xz", b"\xfd7zXZ\0\0\x04\xe6\xd6\xb4\x46".to_vec(), BAD),
        ("zstd", b"\x28\xb5\x2f\xfd\x04\x00\x41\x00\x00{}".to_vec(), BAD),
        ("lz4", b"\x04\x22\x4d\x18\x64\x40\xa7\x02\0\0\x80{}\0\0\0\0".to_vec(), BAD),
        ("snappy", b"\xff\x06\0\0sNaPpY".to_vec(), BAD),
        ("compress", b"\x1f\x9d\x90{\xfa\x00".to_vec(), BAD),
        ("zeros", vec![0; 64], BAD),
        ("ones", vec![0xff; 64], BAD),
    ]
}

/// What comes out, whole, and is no payload of JSON.
fn contents() -> Vec<(&'static str, Vec<u8>, Fate)> {
    let table: [(&str, &[u8]); 9] = [
        ("nothing", b""),
        ("blanks", b"  \n"),
        ("a NUL after it", b"1\0"),
        ("two of them", b"{}{}"),
        ("half of it", br#"{"a":"#),
        ("a byte order mark", b"\xef\xbb\xbf1"),
        ("UTF-16", b"\xff\xfe1\0"),
        ("not UTF-8", b"\"\xff\""),
        ("NaN", b"NaN"),
    ];
    table.map(|(name, bytes)| (name, packed(bytes), IsNoJson)).into()
}

/// Headers by their windows, levels, methods and checks.
fn heads() -> Vec<Shape> {
    let rest = packed(GOOD)[2..].to_vec();
    let head = |first: u8, level: u8| {
        let told = u16::from_be_bytes([first, level << 6]);
        let check = (31 - told % 31) % 31;
        [&(told + check).to_be_bytes(), rest.as_slice()].concat()
    };
    let windows = (0..7).map(|size| (format!("a window of {} bytes", 256 << size), head(size << 4 | 8, 3), Opens));
    let levels = [0, 1, 2].map(|level| (format!("level {level}"), head(0x78, level), Opens));
    let large = [8, 15].map(|size| (format!("a window of 2^{} bytes", 8 + size), head(size << 4 | 8, 2), BAD));
    let methods = [0, 7, 9, 15].map(|method| (format!("method {method}"), head(7 << 4 | method, 2), BAD));
    let others: [(&str, &[u8]); 5] = [
        ("a header of zeros", &[0, 0]),
        ("a header the other way round", &[0x9c, 0x78]),
        ("a wrong check of the header", &[0x78, 0x9d]),
        ("a dictionary that is not told", &[0x78, 0xbb]),
        ("a dictionary that nobody has", &[0x78, 0xbb, 0, 0, 0, 1]),
    ];
    let others = others.map(|(name, head)| (name.to_owned(), [head, &rest].concat(), BAD));
    windows.chain(levels).chain(large).chain(methods).chain(others).collect()
}

/// Checksums that are not of what came out.
fn checksums() -> Vec<Shape> {
    let good = packed(GOOD);
    let blocks = &good[..good.len() - 4];
    let with = |sum: u32| [blocks, &sum.to_be_bytes()].concat();
    let (right, mut crc) = (adler(GOOD), flate2::Crc::new());
    crc.update(GOOD);
    let bytes =
        (0..4).map(|place| (format!("byte {place} of the checksum changed"), with(right ^ 0x80 << (8 * place)), BAD));
    let others = [
        ("a checksum of nothing", with(1)),
        ("a checksum of zeros", with(0)),
        ("a checksum the other way round", with(right.swap_bytes())),
        ("a checksum that began with 0", with(adler_from_zero(GOOD))),
        ("a checksum of gzip", with(crc.sum())),
        ("a checksum of something else", with(adler(b"{}"))),
    ];
    bytes.chain(others.map(|(name, bytes)| (name.to_owned(), bytes, BAD))).collect()
}

/// The checksum of RFC 1950 but for its beginning.
fn adler_from_zero(bytes: &[u8]) -> u32 {
    adler(bytes) - 1 - ((bytes.len() as u32) << 16)
}

/// Blocks that are right and rare, with what they become.
fn good_blocks() -> Vec<(&'static str, Bits, String)> {
    let one = String::from("1");
    let begin = Bits::default;
    let empties = |count: usize, kind: u32| {
        (0..count).fold(begin(), |bits, _| match kind {
            FIXED => bits.block(FIXED).symbol(END),
            _ => bits.block(STORED).stored(b""),
        })
    };
    let end = |bits: Bits| bits.last(FIXED).text("1").symbol(END);
    let blanks = " ".repeat(32_768);
    // Length code 257 is three bytes; the distances of code 29 begin at 24,577 and have 13 bits more.
    let far = begin().block(STORED).stored(blanks.as_bytes()).block(FIXED);
    let far = far.symbol(257).code(29, 5).put(8_191, 13).symbol(END);
    // Length code 285 is 258 bytes; distance code 0 is one byte.
    let run = begin().last(FIXED).text("1 ").symbol(285).code(0, 5).symbol(END);
    let copied = begin().last(FIXED).text(r#"["a","a"#).symbol(258).code(3, 5).text("\"]").symbol(END);
    let dynamic = |counts, alphabet, told: &[_]| begin().last(DYNAMIC).lengths(counts, alphabet, told).code(0b01, 2);
    let literals = [unused(49), length(1), unused(138), unused(68), length(1)];
    let with = |tail: &[_]| [&literals, tail].concat();
    vec![
        ("a fixed block", end(begin()), one.clone()),
        ("a fixed block with long codes", begin().last(FIXED).text("\"é\"").symbol(END), "\"é\"".into()),
        ("a stored block and a fixed one", end(begin().block(STORED).stored(b"1")), "11".into()),
        (
            "a fixed block and a stored one",
            begin().block(FIXED).text("1").symbol(END).last(STORED).stored(b"1"),
            "11".into(),
        ),
        ("a last block of nothing", begin().block(FIXED).text("1").symbol(END).last(STORED).stored(b""), one.clone()),
        ("an empty stored block first", end(empties(1, STORED)), one.clone()),
        ("10,000 empty stored blocks", end(empties(10_000, STORED)), one.clone()),
        ("100,000 empty fixed blocks", end(empties(100_000, FIXED)), one.clone()),
        ("a run of one byte", run, format!("1{}", " ".repeat(259))),
        ("a copy of what came just before", copied, r#"["a","a","a"]"#.into()),
        ("the longest distance", end(far), blanks + "   1"),
        (
            "bits that fill up a byte before a stored block",
            begin().last(STORED).put(0b11111, 5).stored(b"1"),
            one.clone(),
        ),
        ("bits that fill up a byte after the last block", end(begin()).put(0b111, 3), one.clone()),
        ("a dynamic block with one distance", dynamic((257, 1), PLAIN, &with(&[length(1)])), one.clone()),
        ("a dynamic block without a distance", dynamic((257, 1), PLAIN, &with(&[length(0)])), one.clone()),
        (
            "lengths that run on from literals into distances",
            dynamic((270, 20), PLAIN, &with(&[unused(32), length(1)])),
            one,
        ),
    ]
}

/// Blocks that are wrong in themselves.
fn bad_blocks() -> Vec<(&'static str, Bits)> {
    let begin = Bits::default;
    let one = || begin().last(FIXED).text("1");
    let copy = |bits: Bits, length: u32, distance: u32| bits.symbol(length).code(distance, 5).symbol(END);
    let stored = |length: u16, other: u16| {
        begin().last(STORED).bytes(&length.to_le_bytes()).bytes(&other.to_le_bytes()).bytes(b"1")
    };
    vec![
        ("a block of a kind that is none", begin().last(3).put(0, 5)),
        ("a block of a kind that is none, after a good one", begin().block(FIXED).text("1").symbol(END).last(3)),
        ("a stored block whose lengths differ", stored(1, 1)),
        ("a stored block of no length told twice", stored(0, 0)),
        ("a stored block that is longer than its stream", stored(5_000, !5_000)),
        ("a stored block of the greatest length, and nothing in it", stored(0xffff, 0)),
        ("a fixed block without its end", one()),
        ("blocks without a last one", begin().block(FIXED).text("1").symbol(END)),
        ("a length that is none", copy(one(), 286, 0)),
        ("another length that is none", copy(one(), 287, 0)),
        ("a distance that is none", copy(one(), 257, 30)),
        ("another distance that is none", copy(one(), 257, 31)),
        ("a distance before anything", copy(begin().last(FIXED), 257, 0)),
        ("a distance of one too many", copy(one(), 257, 1)),
        ("a distance as far as can be", one().symbol(257).code(29, 5).put(8_191, 13).symbol(END)),
        ("nothing but blocks of nothing", (0..1_000).fold(begin(), |bits, _| bits.block(STORED).stored(b""))),
    ]
}

/// Dynamic blocks whose head tells no code.
fn bad_heads() -> Vec<(&'static str, Bits)> {
    let begin = || Bits::default().last(DYNAMIC);
    let after = |bits: Bits| bits.code(0b01, 2);
    let told = |counts, alphabet, told: &[_]| after(begin().lengths(counts, alphabet, told));
    let coded = |lengths: &[u32]| {
        let head = begin().put(0, 5).put(0, 5).put(15, 4);
        (0..19_usize).fold(head, |bits, place| bits.put(lengths.get(place).copied().unwrap_or_default(), 3)).put(0, 32)
    };
    let first = |lengths: &[_]| [&[unused(49)], lengths].concat();
    let rest = [unused(138), unused(68), length(1), length(1)];
    let usual = first(&[&[length(1)], &rest[..]].concat());
    let with = |tail: &[_]| [&usual[..usual.len() - 1], tail].concat();
    let again = [&[AGAIN, unused(46), length(1)], &rest[..]].concat();
    let two = [length(2), unused(138), unused(68), length(2), length(1)];
    let three = [length(1), length(1), unused(138), unused(67), length(1), length(1)];
    let endless = [length(1), length(1), unused(138), unused(68), length(1)];
    let copied = [length(1), unused(138), unused(68), length(2), length(2), length(0)];
    vec![
        ("one literal too many", told((287, 1), PLAIN, &with(&[unused(30), length(1)]))),
        ("two literals too many", told((288, 1), PLAIN, &with(&[unused(31), length(1)]))),
        ("one distance too many", told((257, 31), PLAIN, &with(&[unused(30), length(1)]))),
        ("two distances too many", told((257, 32), PLAIN, &with(&[unused(31), length(1)]))),
        ("a length again, before any", told((257, 1), REPEATING, &again)),
        ("more lengths than there are codes", told((257, 1), PLAIN, &with(&[unused(11)]))),
        ("a length again, beyond the last", told((257, 2), REPEATING, &with(&[AGAIN]))),
        ("no code of code lengths", coded(&[])),
        ("a code of code lengths with a gap", coded(&[0, 0, 0, 2])),
        ("a code of code lengths that is too full", coded(&[1, 1, 1])),
        ("a code of literals with a gap", told((257, 1), PLAIN, &first(&two))),
        ("a code of literals that is too full", told((257, 1), PLAIN, &first(&three))),
        ("a code of literals without an end", told((257, 1), PLAIN, &first(&endless))),
        ("a code of distances with a gap", told((257, 2), PLAIN, &with(&[length(2), length(2)]))),
        ("a code of distances that is too full", told((257, 3), PLAIN, &with(&[length(1), length(1), length(1)]))),
        ("a copy where there is no distance", begin().lengths((258, 1), PLAIN, &first(&copied)).code(0b01_1010, 6)),
        ("a head cut short", begin().put(0, 5).put(0, 5)),
    ]
}
