//! The socket: bound before the service starts, so that a wrong address is told at once; open when it has.
//!
//! In between, clients are refused: who can connect is served.

use std::{io, net::SocketAddr};

use axum::Router;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

use super::{
    options::{ADDRESS, HttpOptions, Share},
    server::{Parts, Server},
    tls::Tls,
};

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1024;

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
    pub(crate) fn new(router: Router, options: HttpOptions) -> Result<Self, Refused> {
        let wrong = options.wrong.first().cloned();
        let zero = options.limits.zero().next().map(|limit| format!("the limit `{limit}` of HTTP is 0"));
        if let Some(wrong) = wrong.or(zero) {
            return Err(Refused::Setting(wrong));
        }
        let tls = options.tls.read().map_err(Refused::Setting)?;
        let text = options.address.as_deref().unwrap_or(ADDRESS);
        let address = text.parse().map_err(|_| {
            Refused::Setting(format!("HTTP address `{}` is no IP address with a port", text.escape_debug()))
        })?;
        let bound = bind(address, options.share).and_then(|socket| {
            let address = socket.local_addr()?.as_socket().unwrap_or(address);
            Ok((socket, address))
        });
        let (socket, address) = bound.map_err(|error| Refused::Address(text.to_owned(), error))?;
        Ok(Self { socket, address, tls, router, options })
    }

    /// Where the server listens, or will.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets clients in.
    pub(crate) fn open(self, parts: Parts) -> Result<Server, Refused> {
        let Self { socket, address, tls, router, options } = self;
        let opened = socket.listen(BACKLOG).and_then(|()| TcpListener::from_std(socket.into()));
        let listener = opened.map_err(|error| Refused::Address(address.to_string(), error))?;
        Ok(Server::new(listener, tls, router, options, parts))
    }
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
