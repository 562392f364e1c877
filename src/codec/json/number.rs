//! When a number, or text that spells one, is a whole number; nothing is ever rounded.

/// Beyond this a float no longer tells neighbouring whole numbers apart.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The whole number a float certainly is.
pub(super) fn whole(number: f64) -> Option<i64> {
    // The bound makes the cast exact.
    (number.fract() == 0.0 && number.abs() < EXACT).then_some(number as i64)
}

/// Does the text spell a number as JSON does: no spaces, no `+`, no leading zeros, no `inf`?
pub(super) fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let plain = match digits {
        [b'0', next, ..] => !next.is_ascii_digit(),
        [b'0'..=b'9', ..] => true,
        _ => false,
    };
    let known = digits.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    let dot = digits.iter().position(|byte| *byte == b'.');
    plain && known && dot.is_none_or(|dot| digits.get(dot + 1).is_some_and(u8::is_ascii_digit))
}

/// The nanoseconds of a fraction such as `.5`, and what follows it; no point, no fraction.
pub(super) fn fraction(text: &[u8]) -> Option<(u32, &[u8])> {
    let Some(text) = text.strip_prefix(b".") else { return Some((0, text)) };
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at(length);
    if !(1..=9).contains(&length) {
        return None;
    }
    let padded = digits.iter().chain([b'0'; 9].iter()).take(9);
    Some((padded.fold(0, |nanos, digit| nanos * 10 + u32::from(digit - b'0')), rest))
}

/// A short text made of digits, without allocation.
#[derive(Default)]
pub(super) struct Digits {
    text: [u8; 32],
    length: usize,
}

impl Digits {
    /// Appends one ASCII byte.
    pub fn byte(&mut self, byte: u8) -> &mut Self {
        if let Some(place) = self.text.get_mut(self.length) {
            *place = byte;
            self.length += 1;
        }
        self
    }

    /// Appends a number in so many digits.
    pub fn number(&mut self, number: u32, width: u32) -> &mut Self {
        for place in (0..width).rev() {
            self.byte(b'0' + (number / 10_u32.pow(place) % 10) as u8);
        }
        self
    }

    /// Appends a number in as many digits as it has.
    pub fn long(&mut self, number: u64) -> &mut Self {
        for byte in itoa::Buffer::new().format(number).bytes() {
            self.byte(byte);
        }
        self
    }

    /// Appends nanoseconds in 0, 3, 6 or 9 digits, as few as say it.
    pub fn fraction(&mut self, nanos: u32) -> &mut Self {
        match nanos {
            0 => self,
            _ if nanos.is_multiple_of(1_000_000) => self.byte(b'.').number(nanos / 1_000_000, 3),
            _ if nanos.is_multiple_of(1_000) => self.byte(b'.').number(nanos / 1_000, 6),
            _ => self.byte(b'.').number(nanos, 9),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text[..self.length]).unwrap_or_default()
    }
}
