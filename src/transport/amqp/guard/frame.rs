//! Frames: where one begins and ends in a stream of bytes.

use std::io;

pub(super) const METHOD: u8 = 1;
pub(super) const HEADER: u8 = 2;
pub(super) const BODY: u8 = 3;
const HEARTBEAT: u8 = 8;

/// What every frame ends with.
pub(super) const END: u8 = 0xCE;

/// Kind, channel and size.
pub(super) const HEAD: usize = 7;

/// What a frame has around its payload.
pub(super) const AROUND: usize = HEAD + 1;

/// The longest frame that is held back to be looked at.
const LONGEST: usize = 1024 * 1024;

/// The beginning of a frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub(super) kind: u8,
    pub(super) channel: u16,
    /// Of the payload.
    pub(super) size: usize,
}

impl Head {
    /// Reads a head; `None` if there are too few bytes.
    ///
    /// # Errors
    /// This is no frame, or one too long to be held.
    pub(super) fn read(input: &[u8]) -> io::Result<Option<Self>> {
        if input.first().is_some_and(|kind| ![METHOD, HEADER, BODY, HEARTBEAT].contains(kind)) {
            return Err(invalid("what the broker sent is not AMQP 0-9-1"));
        }
        let Some(&[kind, c0, c1, s0, s1, s2, s3]) = input.first_chunk::<HEAD>() else { return Ok(None) };
        let size = u32::from_be_bytes([s0, s1, s2, s3]) as usize;
        if kind != BODY && size > LONGEST {
            return Err(invalid("the broker sent a frame that is too long"));
        }
        Ok(Some(Self { kind, channel: u16::from_be_bytes([c0, c1]), size }))
    }

    /// The whole frame's length.
    pub(super) fn length(&self) -> usize {
        self.size + AROUND
    }

    /// The payload; `None` if the frame is not there to its end.
    ///
    /// # Errors
    /// It does not end as frames do.
    pub(super) fn payload<'a>(&self, input: &'a [u8]) -> io::Result<Option<&'a [u8]>> {
        let Some(frame) = input.get(..self.length()) else { return Ok(None) };
        check_end(frame)?;
        Ok(Some(&frame[HEAD..HEAD + self.size]))
    }
}

/// # Errors
/// These bytes do not end as frames do.
pub(super) fn check_end(frame: &[u8]) -> io::Result<()> {
    if frame.last() == Some(&END) { Ok(()) } else { Err(invalid("the broker sent a frame without its end")) }
}

/// A frame with this payload.
pub(super) fn write(kind: u8, channel: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(payload.len() + AROUND);
    frame.push(kind);
    frame.extend(channel.to_be_bytes());
    frame.extend(u32::try_from(payload.len()).expect("no payload is that long").to_be_bytes());
    frame.extend(payload);
    frame.push(END);
    frame
}

pub(super) fn invalid(text: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}
