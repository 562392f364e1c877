//! HTTP over real sockets on loopback, promise by promise.
//!
//! Limits are short here, and waits are on what happens: nothing asserts that something was quick.

mod contracts {
    tegami::include_contracts!();
}
mod address;
mod admin;
mod attacks;
mod bodies;
mod client;
mod drain;
mod events;
mod files;
mod frames;
mod framing;
mod headers;
mod inside;
mod limits;
mod log;
mod observed;
mod pages;
#[cfg(feature = "http-tls")]
mod papers;
mod requests;
mod sends;
mod slow;
mod sockets;

use std::time::Duration;

use tegami::{
    Error, Service,
    http::{HttpOptions, axum::Router},
    service::Running,
    transport::Memory,
};

/// A limit that a test waits for.
const SHORT: Duration = Duration::from_millis(200);
/// A wait for what must happen; longer is a failure.
const LONG: Duration = Duration::from_secs(60);

/// A service with these routes, on a port of its own.
async fn serve(
    router: Router,
    choose: impl FnOnce(HttpOptions) -> HttpOptions + Send + 'static,
) -> Result<Running, Error> {
    let service = Service::new("billing").transport(Memory::new()).routes(router);
    service.http(|http| choose(http.address("127.0.0.1:0"))).start().await
}
