//! What is to be done to what passes, and what has been done: shared by the handle and all connections.

use std::{
    net::SocketAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::watch;

/// A way through the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the client to the server.
    Up,
    /// From the server to the client.
    Down,
}

/// What is done to the bytes of one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Every piece arrives so much later, more or less; the order stays.
    Delay {
        /// In the middle.
        by: Duration,
        /// At most so much earlier or later.
        jitter: Duration,
    },
    /// At most so many bytes a second.
    Rate(u32),
    /// Nothing is taken, so that the sender's buffers fill; all of it goes on when this is lifted.
    Stall,
    /// Everything is taken, and nothing arrives.
    Swallow,
    /// The way ends in good order, and the other one stays open.
    HalfClose,
    /// So many bytes pass, then the connection that carried the last one is reset; once.
    CutAfter(u64),
    /// So many bytes pass unharmed, then the lowest bit of the next is flipped; once.
    FlipAfter(u64),
}

/// What has happened so far.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Connections that were let through to the server.
    pub connections: u64,
    /// Connections that got no word.
    pub silenced: u64,
    /// Connections that the proxy reset.
    pub resets: u64,
    /// Bytes that arrived at the server.
    pub up: u64,
    /// Bytes that arrived at the client.
    pub down: u64,
    /// Bytes that were taken and arrived nowhere.
    pub swallowed: u64,
    /// Bytes that were changed.
    pub flipped: u64,
}

/// What becomes of new connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    Open,
    Closed,
    Silent,
}

/// What holds now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rules {
    pub(super) door: Door,
    pub(super) faults: [Option<Fault>; 2],
    /// How often all connections were reset.
    pub(super) resets: u64,
}

/// What all parts of one proxy share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) server: SocketAddr,
    pub(super) seed: u64,
    rules: watch::Sender<Rules>,
    /// Does it listen? The door is opened and closed a moment after it is said.
    pub(super) listens: watch::Sender<bool>,
    counts: Mutex<Counts>,
}

impl Shared {
    pub(super) fn new(server: SocketAddr, seed: u64) -> Self {
        let rules = Rules { door: Door::Open, faults: [None; 2], resets: 0 };
        let (rules, listens) = (watch::Sender::new(rules), watch::Sender::new(true));
        Self { server, seed, rules, listens, counts: Mutex::default() }
    }

    pub(super) fn rules(&self) -> watch::Receiver<Rules> {
        self.rules.subscribe()
    }

    pub(super) fn put(&self, way: Way, fault: Option<Fault>) {
        self.rules.send_modify(|rules| rules.faults[way as usize] = fault);
    }

    pub(super) fn door(&self, door: Door) {
        self.rules.send_modify(|rules| rules.door = door);
    }

    pub(super) fn reset(&self) {
        self.rules.send_modify(|rules| rules.resets += 1);
    }

    pub(super) fn counts(&self) -> Counts {
        *self.counting()
    }

    pub(super) fn count(&self, count: impl FnOnce(&mut Counts)) {
        count(&mut self.counting());
    }

    /// Does what counts bytes to this piece: how much of it passes, and whether the connection is cut behind that.
    pub(super) fn strike(&self, way: Way, piece: &mut [u8]) -> (usize, bool) {
        let (mut struck, length) = ((piece.len(), false), piece.len() as u64);
        self.rules.send_if_modified(|rules| {
            let fault = &mut rules.faults[way as usize];
            match fault {
                Some(Fault::CutAfter(left)) if *left <= length => struck = (*left as usize, true),
                Some(Fault::FlipAfter(left)) if *left < length => piece[*left as usize] ^= 1,
                Some(Fault::CutAfter(left) | Fault::FlipAfter(left)) => {
                    *left -= length;
                    return false;
                }
                _ => return false,
            }
            self.count(|counts| counts.flipped += u64::from(!struck.1));
            *fault = None;
            true
        });
        struck
    }

    fn counting(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
