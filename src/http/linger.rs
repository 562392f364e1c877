//! The end of a connection whose client still sends: what is closed with bytes unread takes the answer with it.

use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, ReadBuf},
    time::{Sleep, sleep},
};

/// How long a client that was answered early has to take the answer.
const LINGER: Duration = Duration::from_secs(1);

/// Reads on for a while, and throws away what comes.
#[derive(Default)]
pub(super) struct Linger(Option<Pin<Box<Sleep>>>);

impl Linger {
    pub(super) fn has_begun(&self) -> bool {
        self.0.is_some()
    }

    /// Ready at the client's end, or when it has had its time.
    pub(super) fn poll(&mut self, io: &mut (impl AsyncRead + Unpin), cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let end = self.0.get_or_insert_with(|| Box::pin(sleep(LINGER)));
        let mut space = [0; 4096];
        loop {
            if end.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Ok(()));
            }
            let mut bytes = ReadBuf::new(&mut space);
            if ready!(Pin::new(&mut *io).poll_read(cx, &mut bytes)).is_err() || bytes.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }
}
