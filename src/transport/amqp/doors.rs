//! Ways in for `fuzz/`: bytes from a broker, through the guard and the parser behind it, up to what a message says.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::SystemTime,
};

use amq_protocol::frame::{AMQPFrame, parse_frame};
use lapin::BasicProperties;
use tokio::io::{AsyncRead, ReadBuf};

use super::{
    dead,
    guard::{Guarded, Heard},
    properties::{self, Progress},
};
use crate::{envelope::MessageId, event::Attributes, transport::DeadLetter};

/// Bytes that come in pieces.
struct Pieces<'a> {
    left: &'a [u8],
    most: usize,
}

impl AsyncRead for Pieces<'_> {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let (piece, left) = self.left.split_at(self.left.len().min(self.most).min(out.remaining()));
        out.put_slice(piece);
        self.left = left;
        Poll::Ready(Ok(()))
    }
}

/// What the guard lets through of a stream that comes in pieces of this size, and how it ended.
pub fn guarded(bytes: &[u8], piece: usize) -> (Vec<u8>, io::Result<()>) {
    let mut stream = Guarded::new(Pieces { left: bytes, most: piece.max(1) }, Heard::default());
    let (mut read, mut out) = (Vec::new(), vec![0; 4096]);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        match futures_io::AsyncRead::poll_read(Pin::new(&mut stream), &mut context, &mut out) {
            Poll::Ready(Ok(0)) => return (read, Ok(())),
            Poll::Ready(Ok(size)) => read.extend_from_slice(&out[..size]),
            Poll::Ready(Err(error)) => return (read, Err(error)),
            Poll::Pending => unreachable!("the pieces are always there"),
        }
    }
}

/// What the properties of a message come to.
#[derive(Debug)]
pub struct Read {
    /// What handlers see.
    pub attributes: Attributes,
    /// Its id.
    pub id: Option<MessageId>,
    /// Number of the attempt.
    pub attempt: u32,
    /// When it was first handed out, and when it may be handled.
    pub moments: [Option<SystemTime>; 2],
    /// The names of the headers that a copy takes over.
    pub copied: Vec<String>,
    /// What it says as a dead letter.
    pub dead: DeadLetter,
}

/// What a frame comes to, if the parser reads it and it is a message's header.
pub fn read(frame: &[u8]) -> Option<Read> {
    let (_, parsed) = parse_frame(frame).ok()?;
    let AMQPFrame::Header(_, header) = parsed else { return None };
    Some(of(&header.properties))
}

fn of(properties: &BasicProperties) -> Read {
    let Progress { attempt, first, not_before } = Progress::of(properties);
    let (_, copied) = properties::copied(properties);
    Read {
        attributes: properties::attributes(properties),
        id: properties::id(properties),
        attempt,
        moments: [first, not_before],
        copied: copied.inner().keys().map(ToString::to_string).collect(),
        dead: dead::letter("queue", properties, b"body".as_slice().into()),
    }
}
