//! One open connection, and the means to be done with it at once.

use std::{
    io,
    ops::Deref,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use futures_util::FutureExt;
use lapin::{
    Channel, Connection, ConnectionProperties,
    auth::AuthProvider,
    types::{LongString, ShortString},
    uri::{AMQPAuthority, AMQPQueryString, AMQPUri, AMQPUserInfo},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};
use tokio_util::sync::{CancellationToken, DropGuard, WaitForCancellationFutureOwned};

use super::{
    address::Address,
    dial::{Dialer, Stream},
    fault::{answer, turned_away},
    guard::Heard,
    runtime::{self, Place},
};
use crate::{
    lifecycle::Quarters,
    secret::Secret,
    time::Clock,
    transport::{TransportError, TransportErrorKind},
};

/// How long the broker has from the first byte to an open connection.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// How long the broker has to say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);

/// An open connection.
pub(super) struct Wire {
    /// No other connection has it.
    pub(super) id: String,
    connection: Connection,
    /// What came back from it as unroutable, and which of its channels are no more.
    pub(super) heard: Heard,
    cut: CancellationToken,
    gone: CancellationToken,
    _quarters: Arc<Quarters>,
}

impl Wire {
    /// Connects; `name` is what the broker's tools call the connection.
    pub(super) async fn open(
        broker: &Arc<(Address, Dialer)>,
        quarters: Arc<Quarters>,
        (name, id): (&str, String),
    ) -> Result<Self, TransportError> {
        let (address, there) = (&broker.0, broker.clone());
        // Two heartbeats without a byte, and nobody is there any more (N3). lapin looks only now and then.
        let silence = 2 * address.parameters().heartbeat;
        let dialing = async move { there.1.dial().await.map(|stream| Alert::new(stream, silence)) };
        let dialed = quarters.run(dialing).await.unwrap_or_else(|error| {
            let text = "the thread of the connection ended";
            Err(TransportError::new(TransportErrorKind::Unreachable, text).caused_by(error))
        })?;
        let cut = CancellationToken::new();
        let (guard, gone) = (cut.clone().drop_guard(), CancellationToken::new());
        let stream = Severable::new(dialed, &cut, &gone);
        // lapin asks for it once: it is not to connect again by itself.
        let stream = Mutex::new(Some(Box::new(stream) as Stream));
        let hand_over = async move || {
            let stream = stream.lock().unwrap_or_else(PoisonError::into_inner).take();
            stream.ok_or_else(|| io::ErrorKind::ConnectionAborted.into())
        };
        let heard = Heard::default();
        let properties = ConnectionProperties::default()
            .with_connection_name(name.into())
            .with_auth_provider(Plain { user: address.user().to_owned(), password: address.password().clone() });
        let opening = runtime::open(
            uri(address),
            hand_over,
            (heard.clone(), Place { quarters: quarters.handle().clone(), gone: gone.clone() }),
            properties,
        );
        let connection = match tokio::time::timeout(HANDSHAKE, opening).await {
            Ok(opened) => opened.map_err(|error| turned_away(address, error))?,
            Err(_) => {
                let text = format!("{address} took the connection and does not answer within {HANDSHAKE:?}");
                return Err(TransportError::new(TransportErrorKind::Unreachable, text));
            }
        };
        guard.disarm();
        Ok(Self { id, connection, heard, cut, gone, _quarters: quarters })
    }

    /// Is it still open? What lapin knows of a stream that has ended may come later.
    pub(super) fn is_up(&self) -> bool {
        self.connection.status().connected() && !self.gone.is_cancelled()
    }

    /// Has the broker asked us to publish nothing for now (an alarm)?
    pub(super) fn is_blocked(&self) -> bool {
        self.connection.status().blocked()
    }

    /// Set once nothing more comes from the broker to the consumer of this channel, though nobody asks for it (L2).
    pub(super) fn end_of(&self, channel: &Channel) -> CancellationToken {
        let end = self.gone.child_token();
        self.heard.ended.watch(channel.id(), end.clone());
        end
    }

    /// Opens a channel.
    pub(super) async fn channel(&self) -> Result<Channel, TransportError> {
        answer("open a channel", self.connection.create_channel()).await
    }

    /// Ends it at once: whoever waits for an answer learns that there will be none.
    pub(super) fn cut(&self) {
        self.cut.cancel();
    }

    /// Says goodbye, and does not wait for long.
    pub(super) async fn close(&self) {
        if self.is_up() {
            let _ = tokio::time::timeout(GOODBYE, self.connection.close(200, "goodbye".into())).await;
        }
        self.cut();
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.cut.cancel();
    }
}

/// Closes a channel, and does not wait for long.
pub(super) async fn close(channel: &Channel) {
    if channel.status().connected() {
        let _ = answer("close a channel", channel.close(200, "done".into())).await;
    }
}

/// A channel that is closed when this is dropped, unless it is kept.
///
/// Where a consumer was asked for, lapin holds a channel open that nobody else has any more. Its consumer would go on
/// to get messages, and be the one active consumer of a queue in order, for as long as the connection lives.
pub(super) struct Lent(Option<Channel>);

impl Lent {
    pub(super) fn of(channel: Channel) -> Self {
        Self(Some(channel))
    }

    pub(super) fn keep(mut self) -> Channel {
        self.0.take().expect("it is kept once")
    }
}

impl Deref for Lent {
    type Target = Channel;

    fn deref(&self) -> &Channel {
        self.0.as_ref().expect("it is there until it is kept")
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(channel) = self.0.take().filter(|channel| channel.status().connected()) {
            // The frame is in the queue of the connection then; nobody waits for the answer.
            let _ = channel.close(200, "given up".into()).now_or_never();
        }
    }
}

fn uri(address: &Address) -> AMQPUri {
    // Without the password: the client keeps and prints what it is given here.
    let heartbeat = u16::try_from(address.parameters().heartbeat.as_secs()).unwrap_or(u16::MAX);
    let userinfo = AMQPUserInfo { username: address.user().to_owned(), password: String::new() };
    AMQPUri {
        authority: AMQPAuthority { userinfo, host: address.host().to_owned(), port: address.port() },
        vhost: address.virtual_host().to_owned(),
        query: AMQPQueryString { heartbeat: Some(heartbeat), ..AMQPQueryString::default() },
        ..AMQPUri::default()
    }
}

/// SASL PLAIN (RFC 4616).
struct Plain {
    user: String,
    password: Secret,
}

impl AuthProvider for Plain {
    fn mechanism(&self) -> ShortString {
        "PLAIN".into()
    }

    fn auth_starter(&self) -> Result<LongString, String> {
        Ok(format!("\0{}\0{}", self.user, self.password.reveal()).into())
    }
}

/// A stream that ends when nothing has come for too long.
struct Alert {
    stream: Stream,
    silence: Duration,
    clock: Clock,
    heard: Instant,
    alarm: Pin<Box<Sleep>>,
}

impl Alert {
    /// Its alarm is of the runtime that this is called on.
    fn new(stream: Stream, silence: Duration) -> Self {
        let clock = Clock::system();
        Self { stream, silence, clock, heard: clock.instant(), alarm: Box::pin(sleep(silence)) }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        if read.is_ready() {
            self.heard = self.clock.instant();
            return read;
        }
        while self.alarm.as_mut().poll(cx).is_ready() {
            let end = self.heard + self.silence;
            if end <= self.clock.instant() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            self.alarm.as_mut().reset(end);
        }
        Poll::Pending
    }
}

/// A stream that can be ended from outside.
struct Severable {
    stream: Alert,
    token: CancellationToken,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
    /// Told when it has ended, from whichever side.
    _gone: DropGuard,
}

impl Severable {
    fn new(stream: Alert, cut: &CancellationToken, gone: &CancellationToken) -> Self {
        let (token, ended) = (cut.clone(), Box::pin(cut.clone().cancelled_owned()));
        Self { stream, token, cut: ended, _gone: gone.clone().drop_guard() }
    }

    fn is_cut(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.cut.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::ErrorKind::ConnectionAborted.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl AsyncRead for Severable {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.is_cut(cx)?;
        self.stream.poll_read(cx, buf)
    }
}

impl AsyncWrite for Severable {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        // The one who reads is woken by the cut; here it only must not write on.
        if self.token.is_cancelled() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut self.stream.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n3_signs_of_life_are_asked_for_as_often_as_the_url_says() {
        for (parameters, seconds) in [("", 10), ("?heartbeat=7", 7)] {
            let address = Address::parse(&format!("amqp://guest:guest@localhost/{parameters}")).unwrap();
            assert_eq!(uri(&address).query.heartbeat, Some(seconds));
        }
    }
}
