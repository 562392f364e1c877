//! Strings: borrowed as they stand, copied only where they are spelled with escapes.

use std::borrow::Cow;

use super::{Fault, Strict};

/// One bit in each byte of a word.
const LOW: u64 = u64::MAX / 255;
const HIGH: u64 = LOW << 7;

impl<'a> Strict<'a> {
    pub(super) fn string(&mut self) -> Result<Cow<'a, str>, Fault> {
        if self.here() != Some(b'"') {
            return Err(self.fault("not a string"));
        }
        self.at += 1;
        let begin = self.at;
        self.skip_plain();
        if self.here() == Some(b'"') {
            let text = &self.text[begin..self.at];
            self.at += 1;
            return Ok(Cow::Borrowed(text));
        }
        self.escaped(begin).map(Cow::Owned)
    }

    #[cold]
    fn escaped(&mut self, begin: usize) -> Result<String, Fault> {
        let mut text = self.text[begin..self.at].to_owned();
        loop {
            match self.here() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => text.push(self.escape()?),
                _ => return Err(self.fault("a string with a control character, or without an end")),
            }
            let plain = self.at;
            self.skip_plain();
            text.push_str(&self.text[plain..self.at]);
        }
    }

    fn escape(&mut self) -> Result<char, Fault> {
        self.at += 1;
        let kind = self.here();
        self.at += 1;
        match kind {
            Some(char @ (b'"' | b'\\' | b'/')) => Ok(char.into()),
            Some(b'b') => Ok('\u{8}'),
            Some(b'f') => Ok('\u{c}'),
            Some(b'n') => Ok('\n'),
            Some(b'r') => Ok('\r'),
            Some(b't') => Ok('\t'),
            Some(b'u') => self.unicode(),
            _ => Err(self.fault("no such escape")),
        }
    }

    /// One UTF-16 unit, or the two of a pair.
    fn unicode(&mut self) -> Result<char, Fault> {
        let mut units = [self.unit()?, 0];
        let mut count = 1;
        if matches!(units[0], 0xd800..0xdc00) && self.text.as_bytes()[self.at..].starts_with(b"\\u") {
            self.at += 2;
            units[1] = self.unit()?;
            count = 2;
        }
        let mut chars = char::decode_utf16(units.into_iter().take(count));
        match (chars.next(), chars.next()) {
            (Some(Ok(char)), None) => Ok(char),
            _ => Err(self.fault("half of a surrogate pair")),
        }
    }

    fn unit(&mut self) -> Result<u16, Fault> {
        let digits = self.text.as_bytes().get(self.at..self.at + 4);
        let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let Some(digits) = digits else { return Err(self.fault("no four hexadecimal digits")) };
        self.at += 4;
        let digit = |unit: u32, digit: &u8| unit * 16 + char::from(*digit).to_digit(16).unwrap_or_default();
        Ok(digits.iter().fold(0, digit) as u16)
    }

    /// Goes on to the next quote, backslash or control character, eight bytes at a time.
    fn skip_plain(&mut self) {
        let bytes = self.text.as_bytes();
        while let Some(eight) = bytes.get(self.at..).and_then(<[u8]>::first_chunk) {
            let found = special(u64::from_le_bytes(*eight));
            if found != 0 {
                self.at += found.trailing_zeros() as usize / 8;
                return;
            }
            self.at += 8;
        }
        while self.here().is_some_and(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
            self.at += 1;
        }
    }
}

/// The high bit of each special byte; the lowest set one is right, those above it may not be.
fn special(word: u64) -> u64 {
    let zero = |word: u64| word.wrapping_sub(LOW) & !word;
    let control = word.wrapping_sub(LOW * 0x20) & !word;
    (zero(word ^ (LOW * u64::from(b'"'))) | zero(word ^ (LOW * u64::from(b'\\'))) | control) & HIGH
}
