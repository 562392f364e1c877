//! How requests are framed, read beside hyper's parser: what another parser could frame otherwise is refused.
//!
//! hyper reads a request with `Content-Length` and `Transfer-Encoding` as the standard allows, and shows the router
//! only one of them. A proxy in front may have believed the other. So the bytes are looked at as they pass, and each
//! head is clear or not, which the front asks for.

use memchr::memchr;

/// A line longer than this says nothing about framing that we would believe.
const LONGEST: usize = 256;

/// Looks at one connection's bytes.
#[derive(Default)]
pub(super) struct Gate {
    place: Place,
    /// What has come of a line whose end has not.
    line: Vec<u8>,
    head: Head,
    clear: u64,
}

/// Where in the bytes we are.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Place {
    #[default]
    RequestLine,
    Header,
    /// So many bytes of a body.
    Body(u64),
    ChunkSize,
    Chunk(u64),
    ChunkEnd,
    Trailer,
    /// No more to be said: HTTP/2, or a connection that will be closed.
    Off,
}

/// What a head has said so far.
#[derive(Default)]
struct Head {
    length: Option<u64>,
    chunked: bool,
    ambiguous: bool,
}

impl Gate {
    /// How many heads were clear so far. The one after them is not, for two readers could part the bytes differently, or
    /// was not seen to end.
    pub(super) fn clear(&self) -> u64 {
        self.clear
    }

    /// Looks at the next bytes.
    pub(super) fn look(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && self.place != Place::Off {
            let skipped = match self.place {
                Place::Body(left) | Place::Chunk(left) => self.skip(left, bytes.len()),
                _ => self.read_line(bytes),
            };
            bytes = &bytes[skipped..];
        }
    }

    fn skip(&mut self, left: u64, there: usize) -> usize {
        let skipped = left.min(there as u64);
        self.place = match (self.place, left - skipped) {
            (Place::Body(_), 0) => Place::RequestLine,
            (Place::Body(_), left) => Place::Body(left),
            (_, 0) => Place::ChunkEnd,
            (_, left) => Place::Chunk(left),
        };
        skipped as usize
    }

    /// Takes bytes up to a line's end; returns how many.
    fn read_line(&mut self, bytes: &[u8]) -> usize {
        let Some(end) = memchr(b'\n', bytes) else {
            self.keep(bytes);
            return bytes.len();
        };
        if self.line.is_empty() {
            let line = &bytes[..end];
            if self.place != Place::Header || !says_nothing(line) {
                self.place = self.next(line);
            }
        } else {
            self.keep(&bytes[..end]);
            let line = std::mem::take(&mut self.line);
            self.place = self.next(&line);
        }
        end + 1
    }

    /// Keeps a part of a line; of one that is too long, as much as shows that, and its end.
    fn keep(&mut self, part: &[u8]) {
        let room = LONGEST + 1 - self.line.len();
        self.line.extend(&part[..part.len().min(room)]);
        if let (true, Some(last)) = (part.len() > room, part.last()) {
            self.line[LONGEST] = *last;
        }
    }

    /// Where a line leads.
    fn next(&mut self, line: &[u8]) -> Place {
        let too_long = line.len() > LONGEST;
        let (line, bare) = line.strip_suffix(b"\r").map_or((line, true), |line| (line, false));
        match self.place {
            Place::RequestLine if line == b"PRI * HTTP/2.0" => Place::Off,
            Place::RequestLine if line.is_empty() && !bare => Place::RequestLine,
            Place::RequestLine => {
                self.head = Head { ambiguous: bare, ..Head::default() };
                Place::Header
            }
            Place::Header if line.is_empty() => self.judge(bare),
            Place::Header => {
                self.head.hear(line, bare, too_long);
                Place::Header
            }
            Place::ChunkSize => match chunk_size(line).filter(|_| !bare) {
                Some(0) => Place::Trailer,
                Some(size) => Place::Chunk(size),
                None => Place::Off,
            },
            Place::ChunkEnd if line.is_empty() && !bare => Place::ChunkSize,
            Place::Trailer if line.is_empty() && !bare => Place::RequestLine,
            Place::Trailer if !bare => Place::Trailer,
            _ => Place::Off,
        }
    }

    fn judge(&mut self, bare: bool) -> Place {
        let Head { length, chunked, ambiguous } = self.head;
        if ambiguous || bare || (chunked && length.is_some()) {
            return Place::Off;
        }
        self.clear += 1;
        match (chunked, length) {
            (true, _) => Place::ChunkSize,
            (false, None | Some(0)) => Place::RequestLine,
            (false, Some(length)) => Place::Body(length),
        }
    }
}

impl Head {
    fn hear(&mut self, line: &[u8], bare: bool, too_long: bool) {
        // A name in a form that hyper takes for another name is another name here, too.
        let framing = if let Some(value) = value_of(line, b"content-length") {
            let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
            let length = std::str::from_utf8(value).ok().filter(|_| digits).and_then(|text| text.parse().ok());
            let known = self.length.replace(length.unwrap_or_default());
            length.is_some() && known.is_none_or(|known| Some(known) == length)
        } else if let Some(value) = value_of(line, b"transfer-encoding") {
            !std::mem::replace(&mut self.chunked, true) && value.eq_ignore_ascii_case(b"chunked")
        } else {
            self.ambiguous |= bare;
            return;
        };
        self.ambiguous |= bare || too_long || !framing;
    }
}

/// Is it a header line that is none of those that frame a request? Most are.
fn says_nothing(line: &[u8]) -> bool {
    matches!(line, [first, .., b'\r'] if !matches!(first, b'C' | b'c' | b'T' | b't'))
}

/// What a header line says, if it has this name.
fn value_of<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (told, value) = line.split_at_checked(name.len())?;
    let value = if value.is_empty() { value } else { value.strip_prefix(b":")? };
    told.eq_ignore_ascii_case(name).then(|| value.trim_ascii())
}

/// The size that a chunk's first line tells.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let size = line.split(|byte| *byte == b';').next()?.trim_ascii();
    let size = std::str::from_utf8(size).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    u64::from_str_radix(size, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many heads are clear in these bytes, which come whole, and byte by byte; and does it look on?
    fn clear(bytes: &str) -> (u64, bool) {
        let (mut whole, mut parts) = (Gate::default(), Gate::default());
        whole.look(bytes.as_bytes());
        bytes.as_bytes().chunks(1).for_each(|byte| parts.look(byte));
        let told = |gate: Gate| (gate.clear, gate.place != Place::Off);
        let (whole, parts) = (told(whole), told(parts));
        assert_eq!(whole, parts, "{bytes:?}");
        whole
    }

    #[test]
    fn w2_requests_that_follow_each_other_are_told_apart() {
        let sized = "POST / HTTP/1.1\r\nContent-Length: 22\r\n\r\nGET / HTTP/1.1\r\nA: b\r\n";
        let chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nGET /\r\n0\r\nX: y\r\n\r\n";
        let plain = "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
        assert_eq!(clear(&[sized, plain, chunked, plain, sized].concat()), (5, true));
    }

    #[test]
    fn w2_a_head_that_can_be_read_in_two_ways_is_the_last() {
        let long = format!("Content-Length: {}5", "0".repeat(300));
        for header in [
            "Content-Length: 5\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nContent-Length: 5",
            "Content-Length: 5\r\nContent-Length: 6",
            "Content-Length: +5",
            "Content-Length: 5, 5",
            "Content-Length:",
            "Transfer-Encoding: gzip, chunked",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            "Host: a\nX: y",
            &long,
        ] {
            let head = format!("POST / HTTP/1.1\r\n{header}\r\n\r\n");
            assert_eq!(clear(&(head + "GET / HTTP/1.1\r\n\r\n")), (0, false), "{header}");
        }
    }
}
