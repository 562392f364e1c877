//! Streams written by hand, bit by bit, as no compressor writes them (RFC 1950 and 1951).

/// The kinds of blocks.
pub(super) const STORED: u32 = 0;
pub(super) const FIXED: u32 = 1;
pub(super) const DYNAMIC: u32 = 2;
/// What ends a block.
pub(super) const END: u32 = 256;
/// The order in which lengths of the code of code lengths stand.
const ORDER: [u32; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// The checksum of RFC 1950.
pub(super) fn adler(bytes: &[u8]) -> u32 {
    let (low, high) = bytes.iter().fold((1, 0), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % 65_521;
        (low, (high + low) % 65_521)
    });
    high << 16 | low
}

/// A whole stream: these blocks, which become this.
pub(super) fn stream(blocks: Bits, content: &[u8]) -> Vec<u8> {
    [&[0x78, 0x9c][..], blocks.bytes.as_slice(), &adler(content).to_be_bytes()].concat()
}

/// Bits, the lowest of a byte first.
#[derive(Clone, Default)]
pub(super) struct Bits {
    pub(super) bytes: Vec<u8>,
    used: usize,
}

impl Bits {
    fn bit(&mut self, bit: u32) {
        if self.used.is_multiple_of(8) {
            self.bytes.push(0);
        }
        *self.bytes.last_mut().expect("there is one") |= ((bit & 1) as u8) << (self.used % 8);
        self.used += 1;
    }

    /// A number, its lowest bit first.
    pub(super) fn put(mut self, number: u32, count: u32) -> Self {
        (0..count).for_each(|place| self.bit(number >> place));
        self
    }

    /// A code, its highest bit first.
    pub(super) fn code(mut self, code: u32, count: u32) -> Self {
        (0..count).rev().for_each(|place| self.bit(code >> place));
        self
    }

    /// Whole bytes; the bits before them are filled up.
    pub(super) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend_from_slice(bytes);
        self.used = self.bytes.len() * 8;
        self
    }

    /// The beginning of a block that is followed by others.
    pub(super) fn block(self, kind: u32) -> Self {
        self.put(0, 1).put(kind, 2)
    }

    /// The beginning of the last block.
    pub(super) fn last(self, kind: u32) -> Self {
        self.put(1, 1).put(kind, 2)
    }

    /// What a stored block holds.
    pub(super) fn stored(self, bytes: &[u8]) -> Self {
        let length = u16::try_from(bytes.len()).expect("it is no longer");
        self.bytes(&length.to_le_bytes()).bytes(&(!length).to_le_bytes()).bytes(bytes)
    }

    /// A literal, a length or an end, in the fixed code.
    pub(super) fn symbol(self, symbol: u32) -> Self {
        match symbol {
            0..144 => self.code(0x30 + symbol, 8),
            144..256 => self.code(0x190 + symbol - 144, 9),
            256..280 => self.code(symbol - 256, 7),
            _ => self.code(0xc0 + symbol - 280, 8),
        }
    }

    /// Literals in the fixed code.
    pub(super) fn text(self, text: &str) -> Self {
        text.bytes().fold(self, |bits, byte| bits.symbol(byte.into()))
    }

    /// The head of a dynamic block: so many literals and distances, and the lengths of their codes, each a symbol of the
    /// alphabet (four of them, in order, two bits each) with what it says beside.
    pub(super) fn lengths(self, counts: (u32, u32), alphabet: [u32; 4], told: &[(u32, u32, u32)]) -> Self {
        let (literals, distances) = counts;
        let head = self.put(literals - 257, 5).put(distances - 1, 5).put(15, 4);
        let head = ORDER.iter().fold(head, |bits, symbol| bits.put(if alphabet.contains(symbol) { 2 } else { 0 }, 3));
        told.iter().fold(head, |bits, (symbol, beside, count)| {
            let code = alphabet.iter().position(|known| known == symbol).expect("it is in the alphabet");
            bits.code(code as u32, 2).put(*beside, *count)
        })
    }
}

/// A length of a code.
pub(super) fn length(bits: u32) -> (u32, u32, u32) {
    (bits, 0, 0)
}

/// So many symbols, 11 to 138, without a code.
pub(super) fn unused(count: u32) -> (u32, u32, u32) {
    (18, count - 11, 7)
}

/// The length before it, three times more.
pub(super) const AGAIN: (u32, u32, u32) = (16, 0, 2);
