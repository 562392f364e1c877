//! The bytes of one connection, noted as they pass.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{
    gate::Gate,
    guests::Place,
    linger::Linger,
    pulse::{Kind, Pulse},
};

/// A connection's stream. It holds the connection's place, wherever it goes after an upgrade.
pub(super) struct Stream<T> {
    io: T,
    pulse: Arc<Pulse>,
    gate: Gate,
    linger: Linger,
    _place: Place,
}

impl<T> Stream<T> {
    pub(super) fn new(io: T, pulse: Arc<Pulse>, gate: Gate, place: Place) -> Self {
        Self { io, pulse, gate, linger: Linger::default(), _place: place }
    }

    fn note(&self, wrote: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &wrote {
            Poll::Ready(wrote) => self.pulse.wrote(*wrote.as_ref().unwrap_or(&0)),
            Poll::Pending => self.pulse.stuck(),
        }
        wrote
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Stream<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = into.filled().len();
        ready!(Pin::new(&mut this.io).poll_read(cx, into))?;
        if into.filled().len() > before && this.pulse.read() != Kind::Upgraded {
            this.gate.look(&into.filled()[before..]);
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
        let wrote = Pin::new(&mut self.io).poll_write_vectored(cx, slices);
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
        if !this.pulse.has_unread() {
            return Poll::Ready(Ok(()));
        }
        this.linger.poll(&mut this.io, cx)
    }
}
