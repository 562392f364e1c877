//! How requests are framed, read beside hyper's parser: what another parser could frame otherwise is refused.
//!
//! hyper reads a request with `Content-Length` and `Transfer-Encoding` as the standard allows, and shows the router
//! only one of them. A proxy in front may have believed the other. So the bytes are looked at as they pass, and each
//! head gets a verdict, which the front asks for.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

/// A header line longer than this says nothing about framing that we would believe.
const LONGEST: usize = 256;

/// Looks at one connection's bytes. Clones look at the same.
#[derive(Clone, Default)]
pub(super) struct Gate(Arc<Mutex<Scan>>);

/// What a head says about the bytes after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Clear,
    /// Two readers could part the bytes differently.
    Ambiguous,
}

impl Gate {
    /// Looks at the next bytes.
    pub(super) fn look(&self, bytes: &[u8]) {
        self.0.lock().expect("no panic happens while bytes are looked at").look(bytes);
    }

    /// The verdict on the next head. One that was not seen to end is not clear.
    pub(super) fn verdict(&self) -> Verdict {
        let mut scan = self.0.lock().expect("no panic happens while bytes are looked at");
        scan.verdicts.pop_front().unwrap_or(Verdict::Ambiguous)
    }
}

#[derive(Default)]
struct Scan {
    place: Place,
    line: Vec<u8>,
    too_long: bool,
    head: Head,
    verdicts: VecDeque<Verdict>,
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

impl Scan {
    fn look(&mut self, mut bytes: &[u8]) {
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
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let part = &bytes[..end.unwrap_or(bytes.len())];
        let room = LONGEST.saturating_sub(self.line.len());
        self.too_long |= part.len() > room;
        self.line.extend(&part[..part.len().min(room)]);
        // Of a long line the end counts, too.
        if let (true, Some(last)) = (self.too_long, part.last()) {
            self.line.pop();
            self.line.push(*last);
        }
        let Some(end) = end else { return bytes.len() };
        let bare = self.line.pop_if(|last| *last == b'\r').is_none();
        let (line, too_long) = (std::mem::take(&mut self.line), std::mem::take(&mut self.too_long));
        self.place = self.next(&line, bare, too_long);
        end + 1
    }

    /// Where a line leads.
    fn next(&mut self, line: &[u8], bare: bool, too_long: bool) -> Place {
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
            self.verdicts.push_back(Verdict::Ambiguous);
            return Place::Off;
        }
        self.verdicts.push_back(Verdict::Clear);
        match (chunked, length) {
            (true, _) => Place::ChunkSize,
            (false, None | Some(0)) => Place::RequestLine,
            (false, Some(length)) => Place::Body(length),
        }
    }
}

impl Head {
    fn hear(&mut self, line: &[u8], bare: bool, too_long: bool) {
        let colon = line.iter().position(|byte| *byte == b':');
        let (name, value) = line.split_at(colon.unwrap_or(line.len()));
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        // A name in a form that hyper takes for another name is another name here, too.
        let framing = if name.eq_ignore_ascii_case(b"content-length") {
            let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
            let length = std::str::from_utf8(value).ok().filter(|_| digits).and_then(|text| text.parse().ok());
            let known = self.length.replace(length.unwrap_or_default());
            length.is_some() && known.is_none_or(|known| Some(known) == length)
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            !std::mem::replace(&mut self.chunked, true) && value.eq_ignore_ascii_case(b"chunked")
        } else {
            self.ambiguous |= bare;
            return;
        };
        self.ambiguous |= bare || too_long || !framing;
    }
}

/// The size that a chunk's first line tells.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let size = line.split(|byte| *byte == b';').next()?.trim_ascii();
    let size = std::str::from_utf8(size).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    u64::from_str_radix(size, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::{Verdict::*, *};

    /// The verdicts on these bytes, which come whole, and byte by byte.
    fn verdicts(bytes: &str) -> Vec<Verdict> {
        let (whole, parts) = (Gate::default(), Gate::default());
        whole.look(bytes.as_bytes());
        bytes.as_bytes().chunks(1).for_each(|byte| parts.look(byte));
        let told = |gate: Gate| gate.0.lock().expect("one thread").verdicts.iter().copied().collect::<Vec<_>>();
        let (whole, parts) = (told(whole), told(parts));
        assert_eq!(whole, parts, "{bytes:?}");
        whole
    }

    #[test]
    fn w2_requests_that_follow_each_other_are_told_apart() {
        let sized = "POST / HTTP/1.1\r\nContent-Length: 22\r\n\r\nGET / HTTP/1.1\r\nA: b\r\n";
        let chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nGET /\r\n0\r\nX: y\r\n\r\n";
        let plain = "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
        assert_eq!(verdicts(&[sized, plain, chunked, plain, sized].concat()), [Clear; 5]);
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
            assert_eq!(verdicts(&(head + "GET / HTTP/1.1\r\n\r\n")), [Ambiguous], "{header}");
        }
    }
}
