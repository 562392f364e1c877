//! The accept loop, and what all its connections share.

use std::{io, net::SocketAddr, sync::Arc};

use axum::Router;
use hyper_util::{
    rt::TokioTimer,
    server::conn::auto::{self, Builder},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::OwnedSemaphorePermit,
};

use super::{
    client::Proxies,
    connection,
    guests::{Guests, Place},
    observed::NoteRoute,
    options::{HttpOptions, Limits},
    slots::Slots,
    tasks::Tasks,
    tls::{Tls, scheme},
};
use crate::{
    health::{Board, Light, Status},
    lifecycle::Lifecycle,
    publisher::Publisher,
    telemetry::{Observers, spans},
    time::{Clock, Dice, backoff},
};

/// Headers that hyper takes unless it is told.
const HYPER_HEADERS: usize = 100;

/// What the server has of its service.
pub(crate) struct Parts {
    pub(crate) lifecycle: Lifecycle,
    pub(crate) publisher: Publisher,
    pub(crate) clock: Clock,
    pub(crate) dice: Dice,
    pub(crate) observers: Observers,
    /// What all parts of the service say, and what this server does.
    pub(crate) board: Board,
    pub(crate) light: Light,
}

/// Takes connections.
pub(crate) struct Server {
    listener: TcpListener,
    shared: Arc<Shared>,
}

/// What every connection knows.
pub(super) struct Shared {
    pub(super) parts: Parts,
    pub(super) router: Router,
    pub(super) options: HttpOptions,
    pub(super) proxies: Proxies,
    pub(super) protocol: Builder<Tasks>,
    pub(super) slots: Slots,
    guests: Guests,
    tls: Option<Tls>,
}

impl Shared {
    pub(super) fn new(tls: Option<Tls>, router: Router, mut options: HttpOptions, parts: Parts) -> Self {
        options.limits = options.limits.within_reach();
        let limits = &options.limits;
        let router = if parts.observers.any() || spans::LISTENS { router.layer(NoteRoute) } else { router };
        Self {
            protocol: protocol(limits, Tasks(parts.lifecycle.clone())),
            slots: Slots::new(limits.requests),
            guests: Guests::new(limits.connections, limits.connections_per_address),
            proxies: Proxies::new(options.trusted.clone(), options.proxy_header.clone()),
            router,
            options,
            parts,
            tls,
        }
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.options.limits
    }

    /// How it is asked.
    pub(super) fn scheme(&self) -> &'static str {
        scheme(self.tls.as_ref())
    }

    /// Has the service begun to stop?
    pub(super) fn is_draining(&self) -> bool {
        self.parts.lifecycle.is_draining()
    }
}

impl Server {
    pub(super) fn new(listener: TcpListener, shared: Shared) -> Self {
        shared.parts.light.up();
        Self { listener, shared: Arc::new(shared) }
    }

    /// Takes connections until the service stops; those that are open end by themselves.
    pub(crate) async fn run(self) {
        let (mut failures, light) = (0, &self.shared.parts.light);
        loop {
            let accepted = tokio::select! {
                biased;
                () = self.shared.parts.lifecycle.draining().cancelled() => return,
                accepted = self.accept() => accepted,
            };
            match accepted {
                Ok((seat, tcp, peer)) => {
                    if failures > 0 {
                        light.up();
                    }
                    failures = 0;
                    self.welcome(seat, tcp, peer);
                }
                Err(error) => {
                    failures += 1;
                    self.rest(failures, &error).await;
                }
            }
        }
    }

    async fn accept(&self) -> io::Result<(OwnedSemaphorePermit, TcpStream, SocketAddr)> {
        let seat = self.shared.guests.seat().await;
        let (tcp, peer) = self.listener.accept().await?;
        Ok((seat, tcp, peer))
    }

    /// Starts the connection's task, if its address has not got all it may have.
    fn welcome(&self, seat: OwnedSemaphorePermit, tcp: TcpStream, peer: SocketAddr) {
        let address = peer.ip().to_canonical();
        let is_proxy = self.shared.proxies.trusts(address);
        let place = if is_proxy { Some(Guests::proxy(seat)) } else { self.shared.guests.place(seat, address) };
        match place {
            Some(place) => self.shared.parts.lifecycle.spawn(serve(self.shared.clone(), tcp, peer, place)),
            None => tracing::debug!(target: "tegami::http", %address, "one address has too many connections"),
        }
    }

    /// A client that left before it was let in is nothing; out of file handles, it takes time.
    async fn rest(&self, failures: u32, error: &io::Error) {
        use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
        if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
            return;
        }
        tracing::warn!(target: "tegami::http", %error, "cannot accept connections");
        self.shared.parts.light.set(Status::degraded(format!("cannot accept connections: {error}")));
        tokio::select! {
            biased;
            () = self.shared.parts.lifecycle.draining().cancelled() => {}
            () = tokio::time::sleep(backoff(failures, &self.shared.parts.dice)) => {}
        }
    }
}

async fn serve(shared: Arc<Shared>, tcp: TcpStream, peer: SocketAddr, place: Place) {
    let _ = tcp.set_nodelay(true);
    greet(shared, tcp, peer, place).await;
}

/// One connection, from the handshake on.
pub(super) async fn greet<T>(shared: Arc<Shared>, io: T, peer: SocketAddr, place: Place)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Some(tls) = &shared.tls else { return connection::serve(shared.clone(), io, peer, place).await };
    let handshake = tokio::time::timeout(shared.limits().handshake, tls.handshake(io));
    let shaken = tokio::select! {
        biased;
        () = shared.parts.lifecycle.draining().cancelled() => return,
        shaken = handshake => shaken,
    };
    if let Ok(Ok(stream)) = shaken {
        connection::serve(shared.clone(), stream, peer, place).await;
    }
}

/// Both versions of HTTP, within their limits.
fn protocol(limits: &Limits, tasks: Tasks) -> Builder<Tasks> {
    let mut builder = auto::Builder::new(tasks);
    // The front tells exactly; this is so that it gets to see what is a little beyond.
    let head = limits.uri.saturating_add(limits.header_bytes).saturating_mul(2).max(64 * 1024);
    builder.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(head).half_close(false);
    // So many it takes by itself, and then it makes no room for each request anew.
    if limits.headers != HYPER_HEADERS {
        builder.http1().max_headers(limits.headers);
    }
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(limits.header_bytes.min(16 * 1024) as u32)
        .max_pending_accept_reset_streams(limits.pending_resets)
        .max_local_error_reset_streams(limits.error_resets)
        .keep_alive_interval(limits.ping)
        .keep_alive_timeout(limits.ping);
    builder
}
