//! A TCP proxy that does to what passes whatever a bad network does.
//!
//! One listener, one server behind it. Faults are put and lifted while connections are open, by way; [`Counts`] tell
//! whether they happened, for a fault that hit nothing proves nothing.

mod pump;
mod relay;
mod rules;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

pub use rules::{Counts, Fault, Way};
use rules::{Door, Shared};

/// A proxy in front of one server; when it is dropped, its connections end.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    _task: AbortOnDropHandle<()>,
}

impl Proxy {
    /// Listens on a free port of loopback, and hands on to this address; chance comes from the seed.
    ///
    /// # Errors
    /// There is no free port.
    pub async fn to(server: SocketAddr, seed: u64) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let (address, shared) = (listener.local_addr()?, Arc::new(Shared::new(server, seed)));
        let task = tokio::spawn(relay::accept(listener, address, shared.clone()));
        Ok(Self { address, shared, _task: AbortOnDropHandle::new(task) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Does this to what passes this way, in place of what was done before.
    pub fn put(&self, way: Way, fault: Fault) {
        self.shared.put(way, Some(fault));
    }

    /// Does this to what passes either way.
    pub fn put_both(&self, fault: Fault) {
        [Way::Up, Way::Down].into_iter().for_each(|way| self.put(way, fault));
    }

    /// Lets everything pass again, and everyone in.
    pub fn lift(&self) {
        [Way::Up, Way::Down].into_iter().for_each(|way| self.shared.put(way, None));
        self.shared.door(Door::Open);
    }

    /// Waits until it lets somebody in, after it was told to.
    pub async fn opened(&self) {
        let _ = self.shared.listens.subscribe().wait_for(|listens| *listens).await;
    }

    /// Refuses new connections; those that are open stay.
    pub fn refuse(&self) {
        self.shared.door(Door::Closed);
    }

    /// Accepts new connections, and says nothing on them.
    pub fn silence(&self) {
        self.shared.door(Door::Silent);
    }

    /// Resets every connection, at once and on both sides.
    pub fn reset(&self) {
        self.shared.reset();
    }

    /// What has happened so far.
    pub fn counts(&self) -> Counts {
        self.shared.counts()
    }
}

#[cfg(test)]
mod tests;
