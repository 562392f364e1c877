//! One connection, from its first byte to its end.

use std::{
    future::{Future, poll_fn},
    net::SocketAddr,
    pin::pin,
    sync::Arc,
    task::{Poll, Waker, ready},
};

use axum::http::Extensions;
use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::Notify,
};

use super::{front, guests::Place, pulse::Pulse, server::Shared, stream::Stream, turns::Turns};

/// What a request knows of its connection.
pub(super) struct Line {
    pub(super) shared: Arc<Shared>,
    pub(super) peer: SocketAddr,
    pub(super) pulse: Pulse,
    /// What each of its requests has with it.
    pub(super) extensions: Extensions,
    /// Told when it has answered all it may.
    pub(super) worn: Notify,
}

impl Line {
    pub(super) fn new(shared: Arc<Shared>, peer: SocketAddr, pulse: Pulse) -> Arc<Self> {
        let extensions = front::extensions(peer, shared.limits());
        Arc::new(Self { shared, peer, pulse, extensions, worn: Notify::new() })
    }
}

/// The waker of the task that asks.
pub(super) async fn waker() -> Waker {
    poll_fn(|cx| Poll::Ready(cx.waker().clone())).await
}

/// Serves until the client leaves, has had its time, or the service stops.
pub(super) async fn serve<T>(shared: Arc<Shared>, io: T, peer: SocketAddr, place: Place)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let pulse = Pulse::new(shared.parts.clock);
    let line = Line::new(shared.clone(), peer, pulse);
    let io = TokioIo::new(Stream::new(io, line.clone(), place));
    let waker = waker().await;
    let requests = service_fn(|request| front::answer(line.clone(), request, &waker));
    let mut connection = pin!(shared.protocol.serve_connection_with_upgrades(io, requests));
    // Each has a waker of its own, so that the connection's bytes do not have them looked at.
    let mut ends = FuturesUnordered::from_iter([closing(&shared, &line).boxed(), over(&shared, &line).boxed()]);
    let mut turns = Turns::default();
    loop {
        let turn = poll_fn(|cx| {
            ready!(turns.poll(line.pulse.streams() > 0, cx));
            connection.as_mut().poll(cx).map(drop)
        });
        // They are first, for a client that always sends would leave them no turn.
        tokio::select! {
            biased;
            Some(end) = ends.next() => match end {
                End::Close => connection.as_mut().graceful_shutdown(),
                End::Now => return,
            },
            () = turn => return,
        }
    }
}

/// How a connection ends that would go on.
enum End {
    /// After the answers that are under way.
    Close,
    Now,
}

/// Waits until there should be no more requests.
async fn closing(shared: &Shared, line: &Line) -> End {
    tokio::select! {
        biased;
        () = shared.parts.lifecycle.draining().cancelled() => {}
        () = tokio::time::sleep(shared.parts.dice.lengthen(shared.limits().keep_alive_time)) => {}
        () = line.worn.notified() => {}
    }
    End::Close
}

/// Waits until the client has met a limit of time, or everything ends.
async fn over(shared: &Shared, line: &Line) -> End {
    tokio::select! {
        biased;
        () = shared.parts.lifecycle.cut_off().cancelled() => {}
        () = late(shared, line) => {}
    }
    End::Now
}

/// Looks now and then whether the client has met a limit of time.
async fn late(shared: &Shared, line: &Line) {
    let (clock, limits) = (shared.parts.clock, shared.limits());
    let mut look = clock.instant() + limits.shortest();
    loop {
        tokio::time::sleep_until(look).await;
        let (now, deadline) = (clock.instant(), line.pulse.deadline(limits));
        if deadline.is_some_and(|deadline| deadline <= now) {
            return;
        }
        let next = now + limits.shortest();
        look = deadline.map_or(next, |deadline| deadline.min(next));
    }
}
