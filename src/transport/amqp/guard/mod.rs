//! The guard between the socket and the parser. The parser recurses into header tables, so a deep one would end the
//! process, and it matches returned publishes by their order, which is not theirs. Here such tables are replaced
//! and returned publishes are taken out of the stream, before the parser sees a byte of them. Channels that the broker ends
//! are told of here, too.

mod ended;
mod filter;
mod frame;
mod header;
mod returned;
mod table;
#[cfg(test)]
mod tests;

pub(super) use ended::Ended;
pub(super) use returned::Returned;

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use self::filter::{Filter, Verdict};

/// How much is read at once, unless one frame that must be held whole is longer.
const BUFFER: usize = 64 * 1024;

/// What the guard tells of what it reads.
#[derive(Debug, Clone, Default)]
pub(super) struct Heard {
    /// Publishes that came back.
    pub(super) returned: Arc<Returned>,
    /// Channels that are no more.
    pub(super) ended: Arc<Ended>,
}

/// The stream between the socket and the parser.
pub(super) struct Guarded<S> {
    stream: S,
    filter: Filter,
    input: Vec<u8>,
    /// What of the input is read and not yet handed over.
    start: usize,
    end: usize,
    /// So much of it was judged, and passes.
    passing: usize,
    /// What passes before that.
    made: io::Cursor<Vec<u8>>,
}

impl<S> Guarded<S> {
    pub(super) fn new(stream: S, heard: Heard) -> Self {
        Self {
            stream,
            filter: Filter::new(heard),
            input: vec![0; BUFFER],
            start: 0,
            end: 0,
            passing: 0,
            made: io::Cursor::default(),
        }
    }

    /// Hands over as much as is there; nothing, if more must be read first.
    fn hand_over(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut copied = 0;
        loop {
            copied += self.copy(&mut out[copied..])?;
            if copied == out.len() {
                return Ok(copied);
            }
            match self.judge() {
                Ok(true) => {}
                Ok(false) => return Ok(copied),
                // What came before is still good; asked again, the answer is the same.
                Err(_) if copied > 0 => return Ok(copied),
                Err(error) => return Err(error),
            }
        }
    }

    fn copy(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let made = io::Read::read(&mut self.made, out)?;
        let size = self.passing.min(out.len() - made);
        out[made..made + size].copy_from_slice(&self.input[self.start..self.start + size]);
        self.start += size;
        self.passing -= size;
        Ok(made + size)
    }

    /// Judges the next piece; `false` if more must be read first.
    fn judge(&mut self) -> io::Result<bool> {
        match self.filter.judge(&self.input[self.start..self.end])? {
            Verdict::Need(size) => {
                self.make_room(size);
                return Ok(false);
            }
            Verdict::Pass(size) => self.passing = size,
            Verdict::Drop(size) => self.start += size,
            Verdict::Replace(size, made) => {
                self.start += size;
                self.made = io::Cursor::new(made);
            }
        }
        Ok(true)
    }

    /// Moves what is left to the front, so that a piece of this size has room.
    fn make_room(&mut self, size: usize) {
        self.input.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if size > self.input.len() {
            self.input.resize(size, 0);
        }
    }
}

impl<S: AsyncRead + Unpin> Guarded<S> {
    /// Reads from the socket; `false` if it has ended.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let mut room = ReadBuf::new(&mut self.input[self.end..]);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut room))?;
        let read = room.filled().len();
        self.end += read;
        let inside = self.end > self.start || !self.filter.is_between_frames();
        if read == 0 && inside {
            return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
        }
        Poll::Ready(Ok(read > 0))
    }
}

impl<S: AsyncRead + Unpin> futures_io::AsyncRead for Guarded<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            let copied = self.hand_over(out)?;
            if copied > 0 || out.is_empty() || !ready!(self.poll_fill(cx))? {
                return Poll::Ready(Ok(copied));
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> futures_io::AsyncWrite for Guarded<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
