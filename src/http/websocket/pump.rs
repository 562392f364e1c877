//! What moves a WebSocket's frames, asks whether the client is there, and closes it in time.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout, timeout_at},
};

use super::{
    Limits,
    socket::{Frame, Queued},
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
    pub(super) incoming: mpsc::Sender<Frame>,
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
        let Self { incoming, outgoing, panicked, lifecycle, limits, clock } = self;
        let reading = Reading { incoming, limits: limits.clone(), clock };
        let end = tokio::select! {
            biased;
            () = lifecycle.draining().cancelled() => End::Told(close_code::AWAY),
            end = reading.run(&mut stream) => end,
            end = write(outgoing, &mut sink, &limits) => end.unwrap_or_else(|| ended(&panicked)),
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

/// Writes what the handler sends, and asks now and then whether the client is there; none once the handler has ended.
async fn write(
    mut outgoing: mpsc::Receiver<Queued>,
    sink: &mut SplitSink<WebSocket, Message>,
    limits: &Limits,
) -> Option<End> {
    loop {
        let (message, _room) = match timeout(limits.ping, outgoing.recv()).await {
            Ok(Some(Queued { message, _room })) => (message, Some(_room)),
            Ok(None) => return None,
            Err(_) => (Message::Ping(Vec::new().into()), None),
        };
        match timeout(limits.write, sink.send(message)).await {
            Ok(Ok(())) => {}
            _ => return Some(End::Gone),
        }
    }
}

/// The way in, with its limits.
struct Reading {
    incoming: mpsc::Sender<Frame>,
    limits: Arc<Limits>,
    clock: Clock,
}

impl Reading {
    async fn run(self, stream: &mut SplitStream<WebSocket>) -> End {
        let mut spoke = self.clock.instant();
        let mut rate = Rate { since: spoke, count: 0 };
        loop {
            let patience = self.clock.instant() + 2 * self.limits.ping;
            let idle = spoke + self.limits.socket_idle;
            let message = match timeout_at(patience.min(idle), stream.next()).await {
                Ok(Some(Ok(message))) => message,
                Ok(Some(Err(error))) => return refused(&error),
                Ok(None) => return End::Gone,
                Err(_) if idle <= patience => return End::Told(close_code::NORMAL),
                Err(_) => return End::Gone,
            };
            let now = self.clock.instant();
            if !rate.allows(now, self.limits.socket_rate) {
                return End::Told(close_code::POLICY);
            }
            let frame = match message {
                Message::Text(text) => Frame::Text(text.as_str().to_owned()),
                Message::Binary(bytes) => Frame::Binary(bytes),
                Message::Ping(_) | Message::Pong(_) | Message::Close(_) => continue,
            };
            spoke = now;
            if self.incoming.send(frame).await.is_err() {
                // The handler wants no more; what it still sends goes out.
                return std::future::pending().await;
            }
        }
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

/// Messages of the second at hand, pings and pongs too.
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
