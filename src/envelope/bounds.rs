//! How much a body may grow while it is opened: base64 and zlib, both strict, both measured before or while they
//! grow. Every built-in envelope unpacks through here. What would not be unpacked is not sealed, either (P7).

use std::io::{self, Read, Write};

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::{Compression, bufread::ZlibDecoder, write::ZlibEncoder};

use super::{DecodeError, DecodeErrorKind, EncodeError, EncodeErrorKind};

/// The most bytes a payload may have, unless set.
const DEFAULT: usize = 8 * 1024 * 1024;

/// The most characters of foreign text that an error shows.
const LONGEST_SHOWN: usize = 64;

/// Where decoding stops.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    limit: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { limit: DEFAULT }
    }
}

impl Bounds {
    /// At most this many bytes.
    pub(super) const fn of(limit: usize) -> Self {
        Self { limit }
    }

    /// The same bounds with room for what stands around a payload.
    pub(super) const fn with_room(self, bytes: usize) -> Self {
        Self { limit: self.limit.saturating_add(bytes) }
    }

    /// Are these so many bytes that they stop here?
    pub(super) fn check(self, length: usize) -> Result<(), DecodeError> {
        if length > self.limit {
            let text = format!("the payload has more than {} bytes", self.limit);
            return Err(DecodeError::new(DecodeErrorKind::TooLarge, text));
        }
        Ok(())
    }

    /// Do readers take so many bytes of this?
    pub(super) fn admit(self, what: &str, length: usize) -> Result<(), EncodeError> {
        if length > self.limit { Err(self.refusal(what, length)) } else { Ok(()) }
    }

    #[cold]
    fn refusal(self, what: &str, length: usize) -> EncodeError {
        let text = format!(
            "{what} has {length} bytes, readers take {}: keep it elsewhere and publish where it is, or raise the limit of \
             the envelope here and of every reader's",
            self.limit
        );
        EncodeError::new(EncodeErrorKind::TooLarge, text)
    }

    /// Standard base64 with padding and without a stray character.
    pub(super) fn decode_base64(self, text: impl AsRef<[u8]>) -> Result<Vec<u8>, DecodeError> {
        let text = text.as_ref();
        let padding = text.iter().rev().take(2).filter(|byte| **byte == b'=').count();
        self.check((text.len() / 4 * 3).saturating_sub(padding))?;
        STANDARD.decode(text).map_err(|error| undecodable("not standard base64").caused_by(error))
    }

    /// One whole zlib stream and nothing after it.
    pub(super) fn decompress(self, packed: &[u8]) -> Result<Vec<u8>, DecodeError> {
        let mut stream = ZlibDecoder::new(packed);
        let bytes = read_all(stream.by_ref().take(self.limit as u64)).map_err(no_stream)?;
        let beyond = stream.read(&mut [0]).map_err(no_stream)?;
        self.check(bytes.len().saturating_add(beyond))?;
        match stream.into_inner() {
            [] => Ok(bytes),
            _ => Err(undecodable("bytes follow the zlib stream")),
        }
    }
}

/// Reads to the end. (`read_to_end` fills as much again with zeros as it has read, and what is touched is taken.)
fn read_all(mut from: impl Read) -> io::Result<Vec<u8>> {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 8 * 1024]);
    loop {
        match from.read(&mut chunk)? {
            0 => return Ok(bytes),
            read => bytes.extend_from_slice(&chunk[..read]),
        }
    }
}

fn no_stream(error: io::Error) -> DecodeError {
    undecodable("not a zlib stream").caused_by(error)
}

/// Bytes as standard base64.
pub(super) fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Bytes as one zlib stream (RFC 1950).
pub(super) fn compress(bytes: &[u8]) -> Vec<u8> {
    let mut stream = ZlibEncoder::new(Vec::new(), Compression::default());
    let written = stream.write_all(bytes).and_then(|()| stream.finish());
    written.expect("writing to memory does not fail")
}

/// The body is not what the envelope says it is.
pub(super) fn undecodable(text: impl Into<String>) -> DecodeError {
    DecodeError::new(DecodeErrorKind::Undecodable, text)
}

/// Text from outside as an error may show it: escaped, and no longer than a line.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(LONGEST_SHOWN).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(opened: Result<Vec<u8>, DecodeError>) -> DecodeErrorKind {
        opened.unwrap_err().kind()
    }

    #[test]
    fn decompressed_size_is_allowed_at_the_limit_and_refused_one_beyond() {
        let packed = compress(&[7; 1000]);
        assert_eq!(Bounds::of(1000).decompress(&packed).unwrap(), [7; 1000]);
        assert_eq!(kind(Bounds::of(999).decompress(&packed)), DecodeErrorKind::TooLarge);
    }

    #[test]
    fn p7_what_is_sealed_is_as_large_as_what_is_opened() {
        assert!(Bounds::of(1000).admit("it", 1000).is_ok() && Bounds::of(1000).check(1000).is_ok());
        let error = Bounds::of(1000).admit("it", 1001).unwrap_err();
        assert_eq!(error.kind(), EncodeErrorKind::TooLarge);
        assert!(error.to_string().contains("it has 1001 bytes, readers take 1000"), "{error}");
    }

    #[test]
    fn base64_is_measured_before_it_is_decoded() {
        for length in 1..10 {
            let text = to_base64(&vec![7; length]);
            assert_eq!(Bounds::of(length).decode_base64(&text).unwrap().len(), length);
            assert_eq!(kind(Bounds::of(length - 1).decode_base64(&text)), DecodeErrorKind::TooLarge);
        }
    }

    #[test]
    fn every_cut_of_a_stream_and_every_byte_after_it_is_refused() {
        let packed = compress(b"hello, hello, hello");
        for cut in 0..packed.len() {
            assert_eq!(kind(Bounds::default().decompress(&packed[..cut])), DecodeErrorKind::Undecodable, "at {cut}");
        }
        let longer = [packed.as_slice(), &packed].concat();
        assert_eq!(kind(Bounds::default().decompress(&longer)), DecodeErrorKind::Undecodable);
    }

    #[test]
    fn foreign_text_is_shown_escaped_and_cut() {
        assert_eq!(shown("a\n`é"), "a\\n`é");
        assert_eq!(shown(&"x".repeat(1_000_000)).len(), LONGEST_SHOWN);
    }

    #[test]
    fn streams_begin_as_pythons_do() {
        assert_eq!(compress(b"hello")[..2], [0x78, 0x9c]);
    }
}
