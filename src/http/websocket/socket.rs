//! One WebSocket, as its handler sees it: what comes, what goes, and both within bounds.

use std::sync::Arc;

use axum::{body::Bytes, extract::ws};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::{
    codec::{self, DecodeError, EncodeError, Payload},
    error::{Failure, Kind},
    event::{Encoding, Event},
};

/// What travels on a WebSocket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// Text.
    Text(String),
    /// Bytes.
    Binary(Bytes),
}

impl Frame {
    pub(super) fn len(&self) -> usize {
        match self {
            Frame::Text(text) => text.len(),
            Frame::Binary(bytes) => bytes.len(),
        }
    }
}

/// An open WebSocket. Dropped, it is closed.
pub struct Socket {
    pub(super) incoming: mpsc::Receiver<Waiting>,
    pub(super) outgoing: mpsc::Sender<Queued>,
    pub(super) room: Arc<Semaphore>,
    pub(super) most: usize,
}

/// A frame that waits for the handler, with its share of the room for such.
pub(super) struct Waiting {
    pub(super) frame: Frame,
    pub(super) _room: OwnedSemaphorePermit,
}

/// A frame that waits to be written, with its share of the buffer.
pub(super) struct Queued {
    pub(super) message: ws::Message,
    pub(super) _room: OwnedSemaphorePermit,
}

impl Socket {
    /// The next frame; none once the socket is closed, by the client, a limit, or the service's stop.
    pub async fn next(&mut self) -> Option<Frame> {
        self.incoming.recv().await.map(|waiting| waiting.frame)
    }

    /// The next frame as an event: text is JSON, bytes are protobuf.
    ///
    /// # Errors
    /// The frame is not the event, or breaks its contract.
    pub async fn next_event<E: Event>(&mut self) -> Option<Result<E, DecodeError>> {
        let payload = match self.next().await? {
            Frame::Text(text) => Payload { encoding: Encoding::Json, bytes: text.into() },
            Frame::Binary(bytes) => Payload { encoding: Encoding::Protobuf, bytes },
        };
        Some(codec::decode(&payload))
    }

    /// Sends a frame, once there is room for it.
    ///
    /// # Errors
    /// The socket is closed, or the frame is larger than all that may wait.
    pub async fn send(&self, frame: Frame) -> Result<(), SocketError> {
        let length = frame.len();
        let message = match frame {
            Frame::Text(text) => ws::Message::Text(text.into()),
            Frame::Binary(bytes) => ws::Message::Binary(bytes),
        };
        let share = u32::try_from(length.max(1)).ok().filter(|_| length <= self.most);
        let share =
            share.ok_or_else(|| SocketError::new(SocketErrorKind::TooLarge, "the frame is larger than the buffer"))?;
        let room = self.room.clone().acquire_many_owned(share).await.map_err(|_| closed())?;
        self.outgoing.send(Queued { message, _room: room }).await.map_err(|_| closed())
    }

    /// Sends an event as JSON text.
    ///
    /// # Errors
    /// As [`send`](Self::send), and when the event breaks its contract.
    pub async fn send_event<E: Event>(&self, event: &E) -> Result<(), SocketError> {
        let wrong = |error: EncodeError| error.of_kind(SocketErrorKind::Invalid);
        let payload = codec::encode(event, Encoding::Json).map_err(wrong)?;
        let text = String::from_utf8(payload.bytes.into()).expect("JSON is text");
        self.send(Frame::Text(text)).await
    }
}

fn closed() -> SocketError {
    SocketError::new(SocketErrorKind::Closed, "the WebSocket is closed")
}

/// Why a frame was not sent.
pub type SocketError = Failure<SocketErrorKind>;

/// The causes of a [`SocketError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SocketErrorKind {
    /// The socket is closed.
    Closed,
    /// The frame is larger than all that may wait to be written.
    TooLarge,
    /// The event breaks its contract.
    Invalid,
}

impl Kind for SocketErrorKind {
    fn is_transient(self) -> bool {
        false
    }
}
