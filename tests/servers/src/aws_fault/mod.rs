//! A proxy before SNS and SQS that knows what it carries: it does to single calls whatever AWS and the way there do.
//!
//! [`Rule`]s say which calls are struck, how often, and with which [`Trouble`]; [`AwsFault::calls`] tells how many there
//! were and [`AwsFault::struck`] how many of them were, for a fault that hit nothing proves nothing. Before it stands
//! a [`Proxy`], the [door](AwsFault::door), for what happens to whole connections. URLs in answers lead back through it.

mod batch;
mod body;
mod call;
mod rules;
mod serve;
mod thread;
mod words;

use std::{collections::BTreeSet, io, net::SocketAddr, sync::Arc};

pub use rules::{Applied, Made, Rule, Trouble};
use serve::Server;
use thread::Thread;

use crate::Proxy;

/// A proxy before one emulator; when it is dropped, its connections end.
#[derive(Debug)]
pub struct AwsFault {
    door: Arc<Proxy>,
    server: Arc<Server>,
    _thread: Thread,
}

impl AwsFault {
    /// Listens on a free port of loopback, and hands on to this address; chance comes from the seed.
    ///
    /// # Errors
    /// There is no free port.
    pub async fn before(emulator: SocketAddr, seed: u64) -> io::Result<Self> {
        let (_thread, (door, server)) = Thread::running(async move || {
            let (listener, inside) = serve::listen().await?;
            let door = Arc::new(Proxy::to(inside, seed).await?);
            let server = Arc::new(Server::new(emulator, door.address(), seed));
            Ok(((door.clone(), server.clone()), serve::accept(listener, server)))
        })
        .await?;
        Ok(Self { door, server, _thread })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.door.address()
    }

    /// Where it listens, for a client.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address())
    }

    /// What stands before it, for faults of whole connections.
    pub fn door(&self) -> &Proxy {
        &self.door
    }

    /// Adds a rule; of all that strike a call, the first does.
    pub fn put(&self, rule: Rule) {
        self.server.book.put(rule);
    }

    /// Takes all rules away, and lets everyone in; calls that hang go on.
    pub fn lift(&self) {
        self.server.book.lift();
        self.door.lift();
    }

    /// Takes all rules away; calls that hang go on hanging.
    pub fn spare(&self) {
        self.server.book.spare();
    }

    /// Takes every connection away, and lets nobody in: for the client, nothing is there.
    pub fn close(&self) {
        self.door.refuse();
        self.door.reset();
    }

    /// How often this operation was called, or those that begin with what stands before a `*`.
    pub fn calls(&self, operation: &str) -> u64 {
        self.server.book.calls(operation)
    }

    /// How many calls of this operation something was done to.
    pub fn struck(&self, operation: &str) -> u64 {
        self.server.book.struck(operation)
    }

    /// Every call that was made, on what, and with which key; each once.
    pub fn made(&self) -> BTreeSet<Made> {
        self.server.book.made()
    }

    /// Every operation that was called, and how often.
    pub fn counts(&self) -> Vec<(String, u64)> {
        self.server.book.counts()
    }
}
