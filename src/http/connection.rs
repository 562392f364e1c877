//! One connection, from its first byte to its end.

use std::{net::SocketAddr, pin::pin, sync::Arc};

use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::Notify,
};
use tracing::Instrument;

use super::{front, gate::Gate, guests::Place, pulse::Pulse, server::Shared, span, stream::Stream};

/// What a request knows of its connection.
pub(super) struct Line {
    pub(super) peer: SocketAddr,
    pub(super) pulse: Arc<Pulse>,
    pub(super) gate: Gate,
    /// Told when it has answered all it may.
    pub(super) worn: Notify,
}

/// Serves until the client leaves, has had its time, or the service stops.
pub(super) async fn serve<T>(shared: Arc<Shared>, io: T, peer: SocketAddr, place: Place)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (clock, gate) = (shared.parts.clock, Gate::default());
    let pulse = Arc::new(Pulse::new(clock.instant()));
    let line = Arc::new(Line { peer, pulse: pulse.clone(), gate: gate.clone(), worn: Notify::new() });
    let io = TokioIo::new(Stream::new(io, pulse.clone(), clock, gate, place));
    let requests = service_fn(|request| {
        let span = span::of(&request);
        front::answer(shared.clone(), line.clone(), request).instrument(span)
    });
    let mut connection = pin!(shared.protocol.serve_connection_with_upgrades(io, requests));
    let (lifecycle, limits) = (&shared.parts.lifecycle, shared.limits());
    let mut old = pin!(tokio::time::sleep(shared.parts.dice.lengthen(limits.keep_alive_time)));
    let mut look = pin!(tokio::time::sleep(limits.shortest()));
    let mut closing = false;
    loop {
        let close = tokio::select! {
            biased;
            () = lifecycle.cut_off().cancelled() => return,
            _ = &mut connection => return,
            () = lifecycle.draining().cancelled(), if !closing => true,
            () = &mut old, if !closing => true,
            () = line.worn.notified(), if !closing => true,
            () = &mut look => false,
        };
        if close {
            closing = true;
            connection.as_mut().graceful_shutdown();
            continue;
        }
        let (now, deadline) = (clock.instant(), pulse.deadline(limits));
        if deadline.is_some_and(|deadline| deadline <= now) {
            return;
        }
        let next = now + limits.shortest();
        look.as_mut().reset(deadline.map_or(next, |deadline| deadline.min(next)));
    }
}
