//! The admin listener: probes from the first moment of a start to the last of a stop, and pages that tell no more than
//! they should.

mod misuse;
mod pages;
mod probes;

use std::net::SocketAddr;

use serde_json::Value;
use tegami::{Service, service::Running, transport::Memory};

use crate::client::{Answer, Client, get};

/// A service with an admin listener, on a port of its own.
fn service() -> Service {
    Service::new("billing").transport(Memory::new()).admin("127.0.0.1:0")
}

/// One answer of the admin listener, on a connection of its own.
async fn ask(running: &Running, request: impl AsRef<[u8]>) -> Answer {
    ask_at(running.admin_address().expect("it has one"), request).await
}

async fn ask_at(address: SocketAddr, request: impl AsRef<[u8]>) -> Answer {
    Client::at(address).await.ask(request).await
}

/// The answer to a probe: its status, and what it says.
async fn probe(address: SocketAddr, path: &str) -> (u16, Value) {
    let answer = ask_at(address, get(path)).await;
    (answer.status, serde_json::from_slice(&answer.body).expect("JSON"))
}
