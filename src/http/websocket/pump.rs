//! What moves a WebSocket's frames, asks whether the client is there, and closes it in time.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::{
    body::Bytes,
    extract::ws::{CloseFrame, Message, WebSocket, close_code},
};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use tokio::{
    sync::{Semaphore, mpsc},
    time::{Instant, timeout, timeout_at},
};

use super::{
    Limits,
    socket::{Frame, Queued, Waiting},
    words::Words,
};
use crate::{lifecycle::Lifecycle, time::Clock};

/// How long the client's last word is waited for.
const GOODBYE: Duration = Duration::from_secs(1);

/// Why a socket ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The client left, or cannot be reached.
    Gone,
    /// Told with this code.
    Told(u16),
}

impl End {
    /// What the client is told.
    pub(super) fn code(self) -> Option<u16> {
        match self {
            End::Gone => None,
            End::Told(code) => Some(code),
        }
    }
}

/// The far side of a [`Socket`](super::Socket).
pub(super) struct Pump {
    pub(super) incoming: mpsc::Sender<Waiting>,
    /// Bytes that may wait for the handler.
    pub(super) room: Arc<Semaphore>,
    pub(super) outgoing: mpsc::Receiver<Queued>,
    /// Did the handler end with a panic?
    pub(super) panicked: Arc<AtomicBool>,
    pub(super) lifecycle: Lifecycle,
    pub(super) limits: Arc<Limits>,
    pub(super) clock: Clock,
}

impl Pump {
    /// Moves frames until an end is reached, and tells it.
    pub(super) async fn run(self, socket: WebSocket) -> End {
        let (mut sink, mut stream) = socket.split();
        let Self { incoming, room, outgoing, panicked, lifecycle, limits, clock } = self;
        let words = Words::new(&limits, clock);
        let reading = Reading { incoming, room, limits: &limits, words: &words };
        let writing = Writing { sink: &mut sink, limit: limits.write, words: &words };
        // What is written is first: a client that always sends would leave it no turn, and never be asked.
        let end = tokio::select! {
            biased;
            () = lifecycle.draining().cancelled() => End::Told(close_code::AWAY),
            end = writing.run(outgoing) => end.unwrap_or_else(|| ended(&panicked)),
            end = reading.run(&mut stream) => end,
        };
        if let End::Told(code) = end {
            let goodbye = pin!(say_goodbye(&mut sink, &mut stream, code));
            let _ = timeout(GOODBYE, goodbye).await;
        }
        end
    }
}

async fn say_goodbye(sink: &mut SplitSink<WebSocket, Message>, stream: &mut SplitStream<WebSocket>, code: u16) {
    let frame = CloseFrame { code, reason: "".into() };
    if sink.send(Message::Close(Some(frame))).await.is_ok() {
        while let Some(Ok(_)) = stream.next().await {}
    }
}

/// What the client is told of the handler's end.
fn ended(panicked: &AtomicBool) -> End {
    End::Told(if panicked.load(Relaxed) { close_code::ERROR } else { close_code::NORMAL })
}

/// The way out.
struct Writing<'a> {
    sink: &'a mut SplitSink<WebSocket, Message>,
    limit: Duration,
    words: &'a Words,
}

impl Writing<'_> {
    /// Writes what the handler sends, and asks a silent client whether it is there; none once the handler has ended.
    async fn run(mut self, mut outgoing: mpsc::Receiver<Queued>) -> Option<End> {
        loop {
            let left = self.words.until_asked();
            let went = if left.is_zero() {
                self.ask().await
            } else {
                match timeout(left, outgoing.recv()).await {
                    Ok(queued) => self.tell(queued?).await,
                    Err(_) => continue,
                }
            };
            if !went {
                return Some(End::Gone);
            }
        }
    }

    async fn ask(&mut self) -> bool {
        let went = self.send(Message::Ping(Bytes::new())).await;
        self.words.asked();
        went
    }

    async fn tell(&mut self, Queued { message, _room }: Queued) -> bool {
        self.words.spoke();
        let went = self.send(message).await;
        self.words.spoke();
        went
    }

    /// Did the client take it in time?
    async fn send(&mut self, message: Message) -> bool {
        matches!(timeout(self.limit, self.sink.send(message)).await, Ok(Ok(())))
    }
}

/// The way in, with its limits.
struct Reading<'a> {
    incoming: mpsc::Sender<Waiting>,
    room: Arc<Semaphore>,
    limits: &'a Limits,
    words: &'a Words,
}

impl Reading<'_> {
    async fn run(self, stream: &mut SplitStream<WebSocket>) -> End {
        let mut rate = Rate { since: self.words.heard(), count: 0 };
        loop {
            let message = match timeout_at(self.words.look(), stream.next()).await {
                Ok(Some(Ok(message))) => message,
                Ok(Some(Err(error))) => return refused(&error),
                Ok(None) => return End::Gone,
                Err(_) => match self.words.end() {
                    Some(end) => return end,
                    None => continue,
                },
            };
            let now = self.words.heard();
            let was_asked = matches!(message, Message::Pong(_)) && self.words.answered();
            if !was_asked && !rate.allows(now, self.limits.socket_rate) {
                return End::Told(close_code::POLICY);
            }
            let frame = match message {
                Message::Text(text) => Frame::Text(text.as_str().to_owned()),
                Message::Binary(bytes) => Frame::Binary(bytes),
                Message::Ping(_) | Message::Pong(_) | Message::Close(_) => continue,
            };
            if self.hand_over(frame).await.is_none() {
                // The handler wants no more; what it still sends goes out.
                return std::future::pending().await;
            }
        }
    }

    /// Gives the handler a frame, once there is room for it. One that is larger than all the room takes it alone.
    async fn hand_over(&self, frame: Frame) -> Option<()> {
        self.words.wait();
        let share = frame.len().clamp(1, self.limits.socket_buffer);
        let room = self.room.clone().acquire_many_owned(share.try_into().unwrap_or(u32::MAX)).await.ok()?;
        self.incoming.send(Waiting { frame, _room: room }).await.ok()?;
        self.words.listen();
        Some(())
    }
}

/// What the client did that cannot be read: too much, no text, or no WebSocket.
fn refused(error: &axum::Error) -> End {
    // The library under axum has kinds for these, which axum does not show.
    let text = error.to_string();
    End::Told(match text.split(':').next() {
        Some("Space limit exceeded") => close_code::SIZE,
        Some("UTF-8 encoding error") => close_code::INVALID,
        _ => close_code::PROTOCOL,
    })
}

/// Messages of the second at hand, pings too, and pongs that nobody asked for.
struct Rate {
    since: Instant,
    count: u32,
}

impl Rate {
    fn allows(&mut self, now: Instant, most: u32) -> bool {
        if now.saturating_duration_since(self.since) >= Duration::from_secs(1) {
            *self = Self { since: now, count: 0 };
        }
        self.count += 1;
        self.count <= most
    }
}
