//! The socket: bound before the service starts, so that a wrong address is told at once; open when it has.
//!
//! In between, clients are refused: who can connect is served.

use std::{io, net::SocketAddr, time::Duration};

use axum::Router;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    net::{TcpListener, lookup_host},
    time::timeout,
};

use super::{
    options::{ADDRESS, HttpOptions, Share},
    server::{Parts, Server, Shared},
    tls::{self, Tls},
};

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1024;
/// How long a name is looked up.
const LOOKUP: Duration = Duration::from_secs(5);

/// Why there can be no server.
#[derive(Debug)]
pub(crate) enum Refused {
    /// What was asked for cannot be had.
    Setting(String),
    /// The system does not give the address.
    Address(String, io::Error),
}

/// A server with its address, which answers nobody yet.
pub(crate) struct Bound {
    socket: Socket,
    address: SocketAddr,
    tls: Option<Tls>,
    router: Router,
    options: HttpOptions,
}

impl Bound {
    /// Binds the address: that of the options, else the default.
    pub(crate) async fn new(router: Router, options: HttpOptions) -> Result<Self, Refused> {
        options.check().map_err(Refused::Setting)?;
        let tls = options.tls.read().map_err(Refused::Setting)?;
        let text = options.address.as_deref().unwrap_or(ADDRESS);
        let addresses = resolve(text).await?;
        let bound = bind_first(&addresses, options.share);
        let (socket, address) = bound.map_err(|error| Refused::Address(text.to_owned(), error))?;
        Ok(Self { socket, address, tls, router, options })
    }

    /// Where the server listens, or will.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How it is asked, or will be.
    pub(crate) fn scheme(&self) -> &'static str {
        tls::scheme(self.tls.as_ref())
    }

    /// Lets clients in.
    pub(crate) fn open(self, parts: Parts) -> Result<Server, Refused> {
        let Self { socket, address, tls, router, options } = self;
        let opened = socket.listen(BACKLOG).and_then(|()| TcpListener::from_std(socket.into()));
        let listener = opened.map_err(|error| Refused::Address(address.to_string(), error))?;
        Ok(Server::new(listener, Shared::new(tls, router, options, parts)))
    }
}

/// Does it read like an IP address or a host name, with a port?
pub(super) fn is_address(text: &str) -> bool {
    let name = text.rsplit_once(':').filter(|(name, port)| !name.is_empty() && port.parse::<u16>().is_ok());
    name.is_some_and(|(name, _)| !name.contains(':') || text.parse::<SocketAddr>().is_ok())
}

/// The addresses that a text means: an IP address is itself, a name is looked up.
async fn resolve(text: &str) -> Result<Vec<SocketAddr>, Refused> {
    if let Ok(address) = text.parse() {
        return Ok(vec![address]);
    }
    if !is_address(text) {
        let text = text.escape_debug();
        return Err(Refused::Setting(format!("HTTP address `{text}` is no IP address or host name with a port")));
    }
    let found = match timeout(LOOKUP, lookup_host(text)).await {
        Ok(found) => found,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    };
    found.map(Iterator::collect).map_err(|error| Refused::Address(text.to_owned(), error))
}

/// Binds the first address that this machine has. One that somebody else has is no reason to go on.
fn bind_first(addresses: &[SocketAddr], share: Share) -> io::Result<(Socket, SocketAddr)> {
    use io::ErrorKind::{AddrInUse, AddrNotAvailable, PermissionDenied};
    let mut last = io::Error::new(AddrNotAvailable, "the name has no address");
    for address in addresses {
        match bind(*address, share) {
            Ok(socket) => {
                let bound = socket.local_addr()?.as_socket();
                return Ok((socket, bound.unwrap_or(*address)));
            }
            Err(error) if matches!(error.kind(), AddrInUse | PermissionDenied) => return Err(error),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn bind(address: SocketAddr, share: Share) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    // A port that the last run has just left is free; on Windows this would mean to share it.
    socket.set_reuse_address(cfg!(unix))?;
    if share == Share::Port {
        reuse_port(&socket)?;
    }
    socket.bind(&address.into())?;
    Ok(socket)
}

#[cfg(unix)]
fn reuse_port(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_port(true)
}

#[cfg(not(unix))]
fn reuse_port(_: &Socket) -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "this system shares no ports"))
}
