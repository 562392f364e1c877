//! JSON read strictly, in one pass and without a copy: no name twice in one object, every number and every string is one,
//! the parts that are skipped included. Readers of JSON would otherwise disagree on what such a text says.
//!
//! Envelopes are read with it; the events inside are read by the codecs.

mod number;
mod string;
mod unique;

use std::{borrow::Cow, fmt};

use unique::Names;

use super::depth::DEPTH;

/// A place in a JSON text, and how the reading goes on from there.
pub(crate) struct Strict<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    names: Names<'a>,
}

/// Why a text is refused: a word on it, and where. It quotes nothing (X6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    what: &'static str,
    at: usize,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.what, self.at)
    }
}

impl std::error::Error for Fault {}

/// Is this JSON text, and nothing after it?
pub(crate) fn check(text: &[u8]) -> Result<&str, Fault> {
    let mut strict = Strict::of(text)?;
    strict.skip()?;
    strict.end()?;
    Ok(strict.text)
}

impl<'a> Strict<'a> {
    /// The beginning of a text.
    pub(crate) fn of(text: &'a [u8]) -> Result<Self, Fault> {
        let checked = std::str::from_utf8(text);
        let text = checked.map_err(|error| Fault { what: "not UTF-8", at: error.valid_up_to() })?;
        Ok(Self { text, at: 0, depth: 0, names: Names::default() })
    }

    /// Nothing follows.
    pub(crate) fn end(&mut self) -> Result<(), Fault> {
        if self.peek().is_none() { Ok(()) } else { Err(self.fault("something follows the end")) }
    }

    /// Reads an object: each member's value must be read, or skipped, by the closure.
    pub(crate) fn object(&mut self, mut member: impl FnMut(&str, &mut Self) -> Result<(), Fault>) -> Result<(), Fault> {
        self.enter(b'{', "not an object")?;
        let first = self.names.len();
        if self.peek() != Some(b'}') {
            loop {
                self.skip_space();
                let name = self.string()?;
                self.expect(b':', "no `:` after a name")?;
                member(&name, self)?;
                self.names.add(name);
                if self.peek() != Some(b',') {
                    break;
                }
                self.at += 1;
            }
        }
        self.leave(b'}', "no `,` or `}` after a member")?;
        if self.names.end(first) { Ok(()) } else { Err(self.fault("a name comes twice in one object")) }
    }

    /// Reads a string, or `null` for none.
    pub(crate) fn text(&mut self) -> Result<Option<Cow<'a, str>>, Fault> {
        match self.peek() {
            Some(b'n') => self.literal("null").map(|()| None),
            _ => self.string().map(Some),
        }
    }

    /// Reads a number, or `null` for none.
    pub(crate) fn float(&mut self) -> Result<Option<f64>, Fault> {
        match self.peek() {
            Some(b'n') => self.literal("null").map(|()| None),
            _ => self.number().map(Some),
        }
    }

    /// Skips a value; the answer is its text.
    pub(crate) fn skip(&mut self) -> Result<&'a str, Fault> {
        let first = self.peek();
        let begin = self.at;
        match first {
            Some(b'{') => self.object(|_, member| member.skip().map(drop))?,
            Some(b'[') => self.list()?,
            Some(b'"') => drop(self.string()?),
            Some(b't') => self.literal("true")?,
            Some(b'f') => self.literal("false")?,
            Some(b'n') => self.literal("null")?,
            _ => drop(self.number()?),
        }
        Ok(&self.text[begin..self.at])
    }

    fn list(&mut self) -> Result<(), Fault> {
        self.enter(b'[', "not a list")?;
        if self.peek() != Some(b']') {
            loop {
                self.skip()?;
                if self.peek() != Some(b',') {
                    break;
                }
                self.at += 1;
            }
        }
        self.leave(b']', "no `,` or `]` after an item")
    }

    fn literal(&mut self, word: &'static str) -> Result<(), Fault> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.fault("not a value"));
        }
        self.at += word.len();
        Ok(())
    }

    fn enter(&mut self, bracket: u8, otherwise: &'static str) -> Result<(), Fault> {
        self.expect(bracket, otherwise)?;
        self.depth += 1;
        if self.depth > DEPTH { Err(self.fault("nested more than 127 deep")) } else { Ok(()) }
    }

    fn leave(&mut self, bracket: u8, otherwise: &'static str) -> Result<(), Fault> {
        self.depth -= 1;
        self.expect(bracket, otherwise)
    }

    fn expect(&mut self, byte: u8, otherwise: &'static str) -> Result<(), Fault> {
        if self.peek() != Some(byte) {
            return Err(self.fault(otherwise));
        }
        self.at += 1;
        Ok(())
    }

    /// The next byte that is no space.
    fn peek(&mut self) -> Option<u8> {
        self.skip_space();
        self.here()
    }

    fn here(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.here(), Some(b' ' | b'\n' | b'\t' | b'\r')) {
            self.at += 1;
        }
    }

    /// A fault at this place.
    pub(crate) fn fault(&self, what: &'static str) -> Fault {
        Fault { what, at: self.at }
    }
}

#[cfg(test)]
mod tests {
    use super::{Strict, check};

    fn takes(text: &str) -> bool {
        check(text.as_bytes()).is_ok()
    }

    #[test]
    fn a_name_twice_is_refused_at_every_level_however_it_is_spelled() {
        let many = |last: &str| {
            let names: String = (0..100).map(|n| format!("\"{n}\":{n},")).collect();
            format!("{{{names}{last}:0}}")
        };
        for text in [r#"{"a":1,"a":1}"#, r#"[{"b":{"a":1,"\u0061":2}}]"#, r#"{"":0,"":0}"#, &many("\"7\"")] {
            assert!(!takes(text), "{text}");
        }
        for text in [r#"{"a":1,"A":1}"#, r#"[{"a":{"a":{"a":1}}},{"a":null}]"#, &many("\"x\"")] {
            assert!(takes(text), "{text}");
        }
    }

    #[test]
    fn what_is_not_strict_json_is_refused() {
        let bad: [&[u8]; 30] = [
            b"",
            b" ",
            b"1 2",
            b"{} x",
            b"{\"a\":1,}",
            b"{,}",
            b"{\"a\" 1}",
            b"{\"a\":}",
            b"{a:1}",
            b"[1,]",
            b"[,]",
            b"[1 2]",
            b"[",
            b"{\"a\":1",
            b"]",
            b"NaN",
            b"nul",
            b"1e400",
            b"-1e400",
            b"01",
            b"-",
            b"1.",
            b".5",
            b"1e",
            b"+1",
            b"'a'",
            b"\"\\ud834\"",
            b"\"\\udd1e\\ud834\"",
            b"\"\xff\"",
            b"\xef\xbb\xbf1",
        ];
        for text in bad {
            assert!(check(text).is_err(), "{} was taken", text.escape_ascii());
        }
    }

    #[test]
    fn strict_json_is_taken_with_its_spaces() {
        let good = ["1e5", "-0", "0.5", "-1.5E-7", "1e-400", "null", "true", "false", "\"\\ud83d\\ude00\\n\\/\"", "{}"];
        for text in good.into_iter().chain([" [ 1 , [ ] , { } ] ", "\t{ \"a\" :\r\n1 }", "12345678901234567890123"]) {
            assert!(takes(text), "{text}");
        }
    }

    #[test]
    fn nesting_is_taken_to_its_limit_and_not_one_beyond() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(takes(&nested(127)) && !takes(&nested(128)) && !takes(&nested(100_000)));
        assert!(takes(&format!("[{}[]]", "[],".repeat(1_000))));
    }

    #[test]
    fn members_are_read_as_they_stand() {
        let text = r#"{"a": "x\u0041", "b": null, "c": [1, {"d": 2}], "e": 1.5}"#;
        let (mut texts, mut raw, mut float) = (Vec::new(), "", None);
        let mut strict = Strict::of(text.as_bytes()).unwrap();
        let read = strict.object(|name, member| match name {
            "a" | "b" => member.text().map(|text| texts.push(text)),
            "c" => member.skip().map(|text| raw = text),
            _ => member.float().map(|number| float = number),
        });
        assert_eq!((read, strict.end()), (Ok(()), Ok(())));
        assert_eq!(texts, [Some("xA".into()), None]);
        assert_eq!((raw, float), (r#"[1, {"d": 2}]"#, Some(1.5)));
    }

    #[test]
    fn every_text_is_judged_as_serde_json_judges_it() {
        // Cuts and changed bytes of one text with everything in it; it has no name that a change could double.
        let text = br#"{"list": [1, -2.5e3, "a\"\\\u00e9\ud83d\ude00", {"l": null}, true, false, []], "m": {"n": ""}}"#;
        let judged = |text: &[u8]| {
            let theirs = serde_json::from_slice::<serde_json::Value>(text).is_ok();
            assert_eq!(check(text).is_ok(), theirs, "{}", text.escape_ascii());
        };
        for place in 0..text.len() {
            judged(&text[..place]);
            for byte in 0..=u8::MAX {
                let mut changed = text.to_vec();
                changed[place] = byte;
                judged(&changed);
            }
        }
    }
}
