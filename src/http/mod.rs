//! The HTTP server: the user's axum router, behind limits that hold whatever a client does.
//!
//! [`Service::routes`](crate::Service::routes) takes the router. The way of a request is `listener` (the socket),
//! `server` (accepts), `connection` (one client), `front` (one request), the router, and `answer` (the body on its way
//! out). What a client may take is in [`Limits`]. Guide: [`docs::http`](crate::docs::http).

mod access;
pub(crate) mod admin;
mod answer;
mod body;
mod client;
mod connection;
#[cfg(feature = "testing")]
pub(crate) mod doors;
mod event;
mod exchange;
mod files;
mod front;
mod gate;
mod guests;
mod handling;
mod health;
#[cfg(feature = "testing")]
mod inside;
mod keys;
mod linger;
mod listener;
mod observed;
mod options;
mod page;
mod problem;
mod publisher;
mod pulse;
mod quiet;
mod server;
mod slots;
mod span;
mod stream;
mod tasks;
#[cfg(test)]
mod timed;
mod turns;
mod unobserved;

mod websocket;

#[cfg(not(feature = "http-tls"))]
mod plain;
#[cfg(feature = "http-tls")]
mod tls;

/// The axum that the server runs: depend on it through here, and the versions are the same.
pub use axum;
pub use client::ClientAddress;
pub use event::{Event, EventRejection};
pub use files::Files;
#[cfg(feature = "testing")]
pub(crate) use inside::Inside;
pub(crate) use keys::keys;
pub(crate) use listener::{Bound, Refused};
pub use options::{HttpOptions, Limits};
pub use page::Page;
#[cfg(not(feature = "http-tls"))]
use plain as tls;
pub use problem::Problem;
pub use quiet::{Quiet, quiet, quiet_on};
pub(crate) use server::{Parts, Server};
pub use websocket::{Frame, Socket, SocketError, SocketErrorKind, WebSocket};
