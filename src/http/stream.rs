//! The bytes of one connection, noted as they pass.

use std::{
    io,
    mem::MaybeUninit,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{connection::Line, gate::Gate, guests::Place, linger::Linger};

/// A connection's stream. It holds the connection's place, wherever it goes after an upgrade.
pub(super) struct Stream<T> {
    io: T,
    line: Arc<Line>,
    gate: Gate,
    linger: Linger,
    /// Was there no room for the last bytes?
    is_stuck: bool,
    _place: Place,
}

/// So many bytes of several parts are sent as one: to copy them takes less than the system takes for the parts.
const SMALL: usize = 1024;

impl<T> Stream<T> {
    pub(super) fn new(io: T, line: Arc<Line>, place: Place) -> Self {
        Self { io, line, gate: Gate::default(), linger: Linger::default(), is_stuck: false, _place: place }
    }

    fn note(&mut self, wrote: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        let was_stuck = std::mem::replace(&mut self.is_stuck, wrote.is_pending());
        match &wrote {
            Poll::Ready(Ok(0)) if !was_stuck => {}
            Poll::Ready(wrote) => self.line.pulse.wrote(*wrote.as_ref().unwrap_or(&0)),
            Poll::Pending => self.line.pulse.stuck(),
        }
        wrote
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Stream<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = into.filled().len();
        ready!(Pin::new(&mut this.io).poll_read(cx, into))?;
        let came = &into.filled()[before..];
        if !came.is_empty() {
            this.line.pulse.read(&mut this.gate, came);
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Stream<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.note(wrote)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut space = [MaybeUninit::uninit(); SMALL];
        let wrote = match joined(slices, &mut ReadBuf::uninit(&mut space)) {
            Some(bytes) => Pin::new(&mut self.io).poll_write(cx, bytes),
            None => Pin::new(&mut self.io).poll_write_vectored(cx, slices),
        };
        self.note(wrote)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.io).poll_flush(cx);
        self.note(flushed.map_ok(|()| 0)).map_ok(drop)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.linger.has_begun() {
            ready!(Pin::new(&mut this.io).poll_shutdown(cx))?;
        }
        if !this.line.pulse.has_unread() {
            return Poll::Ready(Ok(()));
        }
        this.linger.poll(&mut this.io, cx)
    }
}

/// The parts as one, if they fit.
fn joined<'a>(slices: &[io::IoSlice<'_>], space: &'a mut ReadBuf<'_>) -> Option<&'a [u8]> {
    for slice in slices {
        if slice.len() > space.remaining() {
            return None;
        }
        space.put_slice(slice);
    }
    Some(space.filled())
}
