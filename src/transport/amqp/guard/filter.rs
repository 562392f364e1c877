//! What happens to each piece of what the broker sends. Knows bytes, not sockets.

use std::{collections::HashMap, io};

use super::{
    Heard,
    frame::{self, Head, invalid},
    header,
    returned::Return,
    table::{self, Fault},
};

/// Class and method of the methods that are looked at.
const START: [u8; 4] = [0, 10, 0, 10];
const RETURN: [u8; 4] = [0, 60, 0, 50];
/// With these the broker ends a channel, or the consumer of one.
const ENDS: [[u8; 4]; 2] = [[0, 20, 0, 40], [0, 60, 0, 30]];

/// A broker that speaks another version of AMQP says which, in as many bytes, and closes.
const PROTOCOL: &[u8; 8] = b"AMQP\0\0\x09\x01";

/// What is to be done with the bytes that come next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// There must be so many to judge them.
    Need(usize),
    /// So many pass as they are.
    Pass(usize),
    /// So many are taken out.
    Drop(usize),
    /// In place of so many, others pass.
    Replace(usize, Vec<u8>),
}

/// Goes through a stream of frames, piece by piece.
pub(super) struct Filter {
    heard: Heard,
    /// Channels on which a returned publish is coming in.
    coming: HashMap<u16, Coming>,
    /// The body frame we are inside of.
    body: Option<Body>,
}

/// What still comes of a returned publish.
enum Coming {
    Header(Return),
    Body(u64),
}

struct Body {
    /// With the frame's end.
    left: usize,
    verdict: fn(usize) -> Verdict,
}

impl Filter {
    pub(super) fn new(heard: Heard) -> Self {
        Self { heard, coming: HashMap::new(), body: None }
    }

    /// May the stream end here?
    pub(super) fn is_between_frames(&self) -> bool {
        self.body.is_none()
    }

    /// Judges the next piece. All but `Need` count as done.
    ///
    /// # Errors
    /// What the broker sent is no AMQP, or could not be parsed safely.
    pub(super) fn judge(&mut self, input: &[u8]) -> io::Result<Verdict> {
        if let Some(body) = &mut self.body {
            let verdict = body.go_on(input)?;
            self.body.take_if(|body| body.left == 0);
            return Ok(verdict);
        }
        if input.first() == PROTOCOL.first() {
            let whole = input.len() >= PROTOCOL.len();
            return Ok(if whole { Verdict::Pass(PROTOCOL.len()) } else { Verdict::Need(PROTOCOL.len()) });
        }
        let Some(head) = Head::read(input)? else { return Ok(Verdict::Need(frame::HEAD)) };
        if head.kind == frame::BODY {
            return self.body(&head);
        }
        let Some(payload) = head.payload(input)? else { return Ok(Verdict::Need(head.length())) };
        match head.kind {
            frame::METHOD => self.method(&head, payload),
            frame::HEADER => self.header(&head, payload),
            _ => Ok(Verdict::Pass(head.length())),
        }
    }

    fn method(&mut self, head: &Head, payload: &[u8]) -> io::Result<Verdict> {
        // Any method ends a content that stopped halfway.
        self.coming.remove(&head.channel);
        if payload.starts_with(&START) {
            check_start(payload)?;
        }
        if ENDS.iter().any(|end| payload.starts_with(end)) {
            self.heard.ended.tell(head.channel);
        }
        if !payload.starts_with(&RETURN) {
            return Ok(Verdict::Pass(head.length()));
        }
        let back = read_return(&payload[RETURN.len()..]).ok_or_else(|| invalid("the broker sent a broken return"))?;
        self.coming.insert(head.channel, Coming::Header(back));
        Ok(Verdict::Drop(head.length()))
    }

    fn header(&mut self, head: &Head, payload: &[u8]) -> io::Result<Verdict> {
        if payload.len() < header::SHORTEST {
            return Err(invalid("the broker sent a content header that is too short"));
        }
        if let Some(Coming::Header(back)) = self.coming.remove(&head.channel) {
            return Ok(self.returned_header(head, payload, back));
        }
        Ok(match header::replace(payload) {
            None => Verdict::Pass(head.length()),
            Some(other) => Verdict::Replace(head.length(), frame::write(frame::HEADER, head.channel, &other)),
        })
    }

    fn returned_header(&mut self, head: &Head, payload: &[u8], back: Return) -> Verdict {
        self.heard.returned.record(header::message_id(payload), back);
        let size = header::body_size(payload);
        if size > 0 {
            self.coming.insert(head.channel, Coming::Body(size));
        }
        Verdict::Drop(head.length())
    }

    fn body(&mut self, head: &Head) -> io::Result<Verdict> {
        let verdict = match self.coming.get_mut(&head.channel) {
            None => Verdict::Pass,
            Some(Coming::Header(_)) => return Err(invalid("the broker sent a body without its header")),
            Some(Coming::Body(left)) => {
                *left = left.saturating_sub(head.size as u64);
                if *left == 0 {
                    self.coming.remove(&head.channel);
                }
                Verdict::Drop
            }
        };
        self.body = Some(Body { left: head.size + 1, verdict });
        Ok(verdict(frame::HEAD))
    }
}

impl Body {
    fn go_on(&mut self, input: &[u8]) -> io::Result<Verdict> {
        let size = self.left.min(input.len());
        if size == 0 {
            return Ok(Verdict::Need(1));
        }
        if size == self.left {
            frame::check_end(&input[..size])?;
        }
        self.left -= size;
        Ok((self.verdict)(size))
    }
}

/// # Errors
/// What the broker says of itself cannot be parsed safely.
fn check_start(payload: &[u8]) -> io::Result<()> {
    let mut rest = payload.get(START.len() + 2..).unwrap_or_default();
    let checked = table::long(&mut rest).ok_or(Fault::Unreadable).and_then(table::check);
    checked.map_err(|fault| match fault {
        Fault::TooDeep => invalid("the broker's properties are nested deeper than 32"),
        Fault::Unreadable => invalid("the broker's properties cannot be read"),
    })
}

/// What is not UTF-8 in it is none of ours, and so matches nothing.
fn read_return(mut payload: &[u8]) -> Option<Return> {
    let code = table::take(&mut payload, 2)?.try_into().ok().map(u16::from_be_bytes)?;
    let mut text = || {
        let size = table::take(&mut payload, 1)?[0];
        Some(String::from_utf8_lossy(table::take(&mut payload, size.into())?).into_owned())
    };
    Some(Return { code, text: text()?, exchange: text()?, routing_key: text()? })
}
