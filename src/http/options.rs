//! What can be chosen about the server, and what it allows a client.

use std::{collections::BTreeMap, fmt, future::Future, sync::Arc, time::Duration};

use axum::{
    http::{HeaderName, HeaderValue, StatusCode},
    response::IntoResponse,
};
use ipnet::IpNet;
use tokio::sync::Semaphore;

use super::{
    client::X_FORWARDED_FOR,
    page::{Page, Pages},
    unobserved::Unobserved,
};
use crate::time::NEVER;

/// Where the server listens unless somebody says otherwise: nobody outside the machine is asked in unseen.
pub(super) const ADDRESS: &str = "127.0.0.1:8080";

/// As many headers as a map of them has room for.
const MOST_HEADERS: usize = 24 * 1024;

/// Choices about the server, made in the closure of [`Service::http`](crate::Service::http).
#[derive(Clone)]
#[must_use]
pub struct HttpOptions {
    pub(super) address: Option<String>,
    pub(super) share: Share,
    pub(super) server: Option<HeaderValue>,
    pub(super) trusted: Vec<IpNet>,
    pub(super) proxy_header: HeaderName,
    pub(super) origins: Vec<String>,
    pub(super) unobserved: Unobserved,
    pub(super) pages: Pages,
    pub(super) limits: Limits,
    pub(super) tls: super::tls::Wanted,
    /// What was asked for and cannot be had; told at the start.
    pub(super) wrong: Vec<String>,
}

/// May other sockets have the same port?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Share {
    Alone,
    Port,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            address: None,
            share: Share::Alone,
            server: Some(HeaderValue::from_static("tegami")),
            trusted: Vec::new(),
            proxy_header: X_FORWARDED_FOR,
            origins: Vec::new(),
            unobserved: Unobserved::default(),
            pages: BTreeMap::new(),
            limits: Limits::default(),
            tls: Default::default(),
            wrong: Vec::new(),
        }
    }
}

impl HttpOptions {
    /// Listens on this IP address, or host name, and port; port 0 is any free one. Default: `127.0.0.1:8080`. A name
    /// stands for the first of its addresses that this machine has.
    pub fn address(mut self, address: impl Into<String>) -> Self {
        self.address = Some(address.into());
        self
    }

    /// Shares the port with other processes that do the same (`SO_REUSEPORT`). Without it, a second one is refused.
    pub fn reuse_port(mut self) -> Self {
        self.share = Share::Port;
        self
    }

    /// What the `Server` header says. Default: `tegami`.
    pub fn server_header(mut self, name: &str) -> Self {
        match HeaderValue::from_str(name) {
            Ok(value) => self.server = Some(value),
            Err(_) => self.wrong.push(format!("`{}` cannot stand in the Server header", name.escape_debug())),
        }
        self
    }

    /// Sends no `Server` header.
    pub fn no_server_header(mut self) -> Self {
        self.server = None;
        self
    }

    /// Believes proxies in these networks (`10.0.0.0/8`, `::1/128`) when they say whom a request is from; see
    /// [`ClientAddress`](super::ClientAddress). Their connections do not count towards
    /// [`Limits::connections_per_address`].
    pub fn trust_proxies<N: AsRef<str>>(mut self, networks: impl IntoIterator<Item = N>) -> Self {
        for network in networks {
            let network = network.as_ref();
            match network.parse() {
                Ok(network) => self.trusted.push(network),
                Err(_) => self.wrong.push(format!("`{}` is no network of proxies", network.escape_debug())),
            }
        }
        self
    }

    /// Where those proxies say it: in `Forwarded` (RFC 7239), or in a header of plain addresses such as `X-Real-IP`.
    /// Default: `X-Forwarded-For`. It must be one that every proxy writes or takes away: a header that they pass on as
    /// it came is the client's own word.
    pub fn proxy_header(mut self, name: &str) -> Self {
        match name.parse() {
            Ok(name) => self.proxy_header = name,
            Err(_) => self.wrong.push(format!("`{}` is no header of proxies", name.escape_debug())),
        }
        self
    }

    /// Lets pages of these origins (`https://shop.example`) open WebSockets, beside those of the host that is asked.
    pub fn allow_origins<O: Into<String>>(mut self, origins: impl IntoIterator<Item = O>) -> Self {
        self.origins.extend(origins.into_iter().map(Into::into));
        self
    }

    /// Leaves requests of these paths, and of what is below them, out of traces and figures: `/health` is also
    /// `/health/live`, and not `/healthy`. They stay in the access log; other lines within them have no span.
    pub fn unobserved<P: AsRef<str>>(mut self, paths: impl IntoIterator<Item = P>) -> Self {
        for path in paths {
            if let Err(wrong) = self.unobserved.add(path.as_ref()) {
                self.wrong.push(wrong);
            }
        }
        self
    }

    /// Answers this status, which is an error (400 to 599), with a page of your own, wherever the answer would have been
    /// empty: no such route, a limit that was met, a handler that panicked, overload, the stop.
    ///
    /// The page's body and headers are put on the answer, and its status unless it is 200. It is made while the client
    /// waits, beside the requests that [`Limits::requests`] counts, within the time of a handler; one that panics or
    /// takes longer is logged, and the answer stays empty. What is no request that can be read is answered before
    /// anything of the service is asked, and has no page: see the guide.
    pub fn page<F, Fut, R>(mut self, status: StatusCode, page: F) -> Self
    where
        F: Fn(Page) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = R> + Send + 'static,
        R: IntoResponse,
    {
        if !status.is_client_error() && !status.is_server_error() {
            let status = status.as_u16();
            self.wrong
                .push(format!("a page was given for status {status}, which is no error; pages are for 400 to 599"));
        }
        let page = move |about| {
            let making = page(about);
            Box::pin(async move { making.await.into_response() }) as super::page::Making
        };
        self.pages.insert(status.as_u16(), Arc::new(page));
        self
    }

    /// Can all that was asked for be had?
    pub(super) fn check(&self) -> Result<(), String> {
        let zero = self.limits.zero().next().map(|limit| format!("the limit `{limit}` of HTTP is 0"));
        self.wrong.first().cloned().or(zero).map_or(Ok(()), Err)
    }

    /// Changes what a client may take.
    pub fn limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.limits);
        self
    }
}

impl fmt::Debug for HttpOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpOptions")
            .field("address", &self.address)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// What a client may take: of time, of memory, of places.
///
/// `Duration::MAX` is a time that never ends, and the highest number a count that is never reached.
///
/// # Examples
/// ```
/// use tegami::{Service, http::axum::Router};
///
/// let service = Service::new("billing").routes(Router::new()).http(|http| http.limits(|limits| limits.body = 64 * 1024));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// From the connection to its first byte. 10 s.
    pub first_byte: Duration,
    /// From a request's first byte to the end of its head. 10 s.
    pub head: Duration,
    /// From an answer to the next request's first byte. 60 s.
    pub idle: Duration,
    /// Without room for another byte of what is written to the client. The system keeps room for some megabytes, so
    /// that a client which reads at all is seen to do so only now and then. 30 s.
    pub write: Duration,
    /// The TLS handshake. 5 s.
    pub handshake: Duration,
    /// Bytes of a request's target. 8 KiB; else 414.
    pub uri: usize,
    /// Headers of a request, 24,576 at most. 100; else 431.
    pub headers: usize,
    /// Bytes of all headers of a request, names and values. 32 KiB (16 KiB with HTTP/2); else 431.
    pub header_bytes: usize,
    /// Bytes of a request's body, however it is read. 2 MiB; else 413.
    pub body: u64,
    /// Bytes of a request's body as an extractor has it whole, where a layer of yours has decompressed it; never less than
    /// [`body`](Self::body). 8 MiB; else 413. Who reads such a body bit by bit counts it himself.
    pub decoded_body: usize,
    /// How long a body is waited for in all. 30 s; else 408.
    pub body_time: Duration,
    /// Bytes a second that a body has to come with, after [`body_grace`](Self::body_grace). 1 KiB; else 408.
    pub body_rate: u32,
    /// How long a body may come more slowly. 5 s.
    pub body_grace: Duration,
    /// From a request's head to its answer. 30 s; else 503.
    pub handler: Duration,
    /// Requests that are handled at once. 512; else 503 with `Retry-After`.
    pub requests: usize,
    /// Connections at once; more wait in the system's queue. 1,024.
    pub connections: usize,
    /// Connections of one address at once, those of trusted proxies aside; more are closed. 128.
    pub connections_per_address: usize,
    /// Requests of one connection; the last one's answer closes it. 10,000.
    pub keep_alive_requests: u64,
    /// Age at which a connection is closed after its next answer, so that load balancers spread anew; lengthened by up
    /// to a quarter by chance. 1 h.
    pub keep_alive_time: Duration,
    /// HTTP/2 requests at once on a connection. 100.
    pub streams: u32,
    /// HTTP/2 resets of streams that were not yet looked at. 20; else the connection is closed.
    pub pending_resets: usize,
    /// HTTP/2 streams reset for a client's mistakes. 128; else the connection is closed.
    pub error_resets: usize,
    /// How often a client of HTTP/2 or a WebSocket is asked whether it is there, and how long it has to answer. 20 s each.
    pub ping: Duration,
    /// Bytes of a WebSocket's message. 1 MiB; else closed with 1009.
    pub socket_message: usize,
    /// Bytes of a WebSocket's frame. 256 KiB; else closed with 1009.
    pub socket_frame: usize,
    /// Bytes that wait to be written to a WebSocket; a send waits for room. As many may wait for its handler, and one message
    /// more; then nothing more is read. 1 MiB.
    pub socket_buffer: usize,
    /// Messages that a WebSocket takes in a second, pings and pongs too. 100; else closed with 1008.
    pub socket_rate: u32,
    /// From a WebSocket's last message, whoever sent it, to its end. 5 min.
    pub socket_idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            first_byte: seconds(10),
            head: seconds(10),
            idle: seconds(60),
            write: seconds(30),
            handshake: seconds(5),
            uri: 8 * 1024,
            headers: 100,
            header_bytes: 32 * 1024,
            body: 2 * 1024 * 1024,
            decoded_body: 8 * 1024 * 1024,
            body_time: seconds(30),
            body_rate: 1024,
            body_grace: seconds(5),
            handler: seconds(30),
            requests: 512,
            connections: 1024,
            connections_per_address: 128,
            keep_alive_requests: 10_000,
            keep_alive_time: seconds(60 * 60),
            streams: 100,
            pending_resets: 20,
            error_resets: 128,
            ping: seconds(20),
            socket_message: 1024 * 1024,
            socket_frame: 256 * 1024,
            socket_buffer: 1024 * 1024,
            socket_rate: 100,
            socket_idle: seconds(5 * 60),
        }
    }
}

impl Limits {
    /// The limits that would let nobody in.
    pub(super) fn zero(&self) -> impl Iterator<Item = &'static str> {
        let times = [
            ("first_byte", self.first_byte),
            ("head", self.head),
            ("idle", self.idle),
            ("write", self.write),
            ("handshake", self.handshake),
            ("body_time", self.body_time),
            ("handler", self.handler),
            ("keep_alive_time", self.keep_alive_time),
            ("ping", self.ping),
            ("socket_idle", self.socket_idle),
        ];
        let counts = [
            ("uri", self.uri),
            ("headers", self.headers),
            ("header_bytes", self.header_bytes),
            ("body_rate", self.body_rate as usize),
            ("requests", self.requests),
            ("connections", self.connections),
            ("connections_per_address", self.connections_per_address),
            ("keep_alive_requests", usize::from(self.keep_alive_requests > 0)),
            ("streams", self.streams as usize),
            ("socket_message", self.socket_message),
            ("socket_frame", self.socket_frame),
            ("socket_buffer", self.socket_buffer),
            ("socket_rate", self.socket_rate as usize),
        ];
        let times = times.into_iter().filter(|(_, time)| time.is_zero()).map(|(name, _)| name);
        times.chain(counts.into_iter().filter(|(_, count)| *count == 0).map(|(name, _)| name))
    }

    /// The same, as far as clocks and counters go.
    pub(super) fn within_reach(mut self) -> Self {
        let times = [
            &mut self.first_byte,
            &mut self.head,
            &mut self.idle,
            &mut self.write,
            &mut self.handshake,
            &mut self.body_time,
            &mut self.body_grace,
            &mut self.handler,
            &mut self.keep_alive_time,
            &mut self.ping,
            &mut self.socket_idle,
        ];
        for time in times {
            *time = NEVER.min(*time);
        }
        self.headers = self.headers.min(MOST_HEADERS);
        for places in [&mut self.connections, &mut self.socket_buffer] {
            *places = Semaphore::MAX_PERMITS.min(*places);
        }
        self
    }

    /// The shortest time that a connection's watch looks at: to look that often is to be late for none.
    pub(super) fn shortest(&self) -> Duration {
        self.first_byte.min(self.head).min(self.idle).min(self.write)
    }
}
