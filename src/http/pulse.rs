//! What one connection is doing, and since when: the base of every limit on its time.
//!
//! The stream notes bytes, the front notes requests; the connection asks for the next deadline. hyper's own timer
//! would count idle time as the time of a head, and does not run before the first byte.

use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicU32, Ordering::Relaxed},
};

use tokio::time::Instant;

use super::{gate::Gate, options::Limits};
use crate::time::Clock;

/// The doings of one connection.
pub(super) struct Pulse {
    beat: Mutex<Beat>,
    /// Requests of HTTP/2 under way, for whoever asks at each byte.
    streams: AtomicU32,
    clock: Clock,
}

#[derive(Clone, Copy)]
struct Beat {
    phase: Phase,
    /// Since when the client has taken nothing of what is written to it.
    stuck: Option<Instant>,
    /// Parts of answers for which the client has yet to make room, and since when none was taken.
    handed: u32,
    handed_since: Option<Instant>,
    /// Bytes of answers that are yet to be written.
    owed: u64,
    active: u32,
    served: u64,
    /// Requests whose framing is clear, up to the one of this number; none, if they come as no bytes.
    clear: Option<u64>,
    kind: Kind,
    /// A request was answered before all of its body was read.
    unread: bool,
}

#[derive(Clone, Copy)]
enum Phase {
    /// Not a byte yet.
    Silent(Instant),
    /// Some of a request's head.
    Head(Instant),
    /// At least one request.
    Busy,
    /// None any more.
    Idle(Instant),
}

/// How requests follow each other.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// One after the other.
    Http1,
    /// Many at once, and bytes between them that mean nothing.
    Http2,
    /// No longer: the connection speaks something else.
    Upgraded,
}

/// A request, as its connection sees it.
#[derive(Clone, Copy)]
pub(super) struct Begun {
    /// Which one it is, from 1.
    pub(super) number: u64,
    pub(super) framing: Framing,
}

/// How a request's bytes say where it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    Clear,
    /// Two readers could part the bytes differently.
    Ambiguous,
    /// They need not: HTTP/2, or no bytes at all.
    None,
}

impl Pulse {
    pub(super) fn new(clock: Clock) -> Self {
        let phase = Phase::Silent(clock.instant());
        let beat = Beat {
            phase,
            stuck: None,
            handed: 0,
            handed_since: None,
            owed: 0,
            active: 0,
            served: 0,
            clear: Some(0),
            kind: Kind::Http1,
            unread: false,
        };
        Self { beat: Mutex::new(beat), streams: AtomicU32::new(0), clock }
    }

    /// That of requests which come as no bytes.
    #[cfg(feature = "testing")]
    pub(crate) fn without_bytes(clock: Clock) -> Self {
        let pulse = Self::new(clock);
        pulse.beat().clear = None;
        pulse
    }

    /// Bytes came; the gate looks at them while they are HTTP.
    pub(super) fn read(&self, gate: &mut Gate, bytes: &[u8]) {
        let mut beat = self.beat();
        if beat.kind == Kind::Upgraded {
            return;
        }
        gate.look(bytes);
        // A head that is whole is a request at once.
        let is_whole = beat.clear.replace(gate.clear()) < Some(gate.clear());
        match (beat.phase, beat.kind) {
            (Phase::Silent(_), _) | (Phase::Idle(_), Kind::Http1) if !is_whole => {
                beat.phase = Phase::Head(self.clock.instant());
            }
            _ => {}
        }
    }

    /// So many bytes went; none, if there are none to write.
    ///
    /// A large answer is the connection's long before the client has it all, so what goes out of it is no idle time. What
    /// HTTP/2 says beside answers is: a client could ask for it for ever.
    pub(super) fn wrote(&self, bytes: usize) {
        let mut beat = self.beat();
        // With HTTP/1 the answer has just ended whose bytes all go out at once: the clock need not be asked again.
        let at_once = beat.stuck.take().is_none() && beat.kind == Kind::Http1 && beat.owed <= bytes as u64;
        if let (Phase::Idle(_), true) = (beat.phase, bytes > 0 && beat.owed > 0 && !at_once) {
            beat.phase = Phase::Idle(self.clock.instant());
        }
        beat.owed = beat.owed.saturating_sub(bytes as u64);
    }

    /// A part of an answer, of so many bytes, waits for the client to have room.
    pub(super) fn hand(&self, bytes: usize) {
        let mut beat = self.beat();
        beat.owed += bytes as u64;
        beat.handed += 1;
        beat.handed_since.get_or_insert_with(|| self.clock.instant());
    }

    /// Such a part was taken, or its answer is over.
    pub(super) fn take(&self) {
        let mut beat = self.beat();
        beat.handed -= 1;
        beat.handed_since = (beat.handed > 0).then(|| self.clock.instant());
    }

    /// The client takes no more bytes for now.
    pub(super) fn stuck(&self) {
        self.beat().stuck.get_or_insert_with(|| self.clock.instant());
    }

    /// A request's head is there.
    pub(super) fn begin(&self, kind: Kind) -> Begun {
        let mut beat = self.beat();
        beat.kind = kind;
        beat.phase = Phase::Busy;
        beat.active += 1;
        beat.served += 1;
        if kind == Kind::Http2 {
            self.streams.store(beat.active, Relaxed);
        }
        let framing = match beat.clear.filter(|_| kind == Kind::Http1) {
            Some(clear) if beat.served <= clear => Framing::Clear,
            Some(_) => Framing::Ambiguous,
            None => Framing::None,
        };
        Begun { number: beat.served, framing }
    }

    /// A request is over; so many bytes of its answer went to the connection last.
    pub(super) fn end(&self, bytes: usize) {
        let mut beat = self.beat();
        beat.owed += bytes as u64;
        beat.active -= 1;
        if beat.kind == Kind::Http2 {
            self.streams.store(beat.active, Relaxed);
        }
        if beat.active == 0 {
            beat.phase = Phase::Idle(self.clock.instant());
        }
    }

    /// How many requests of HTTP/2 are under way.
    pub(super) fn streams(&self) -> u32 {
        self.streams.load(Relaxed)
    }

    /// From now on the bytes are no HTTP.
    pub(super) fn upgrade(&self) {
        self.beat().kind = Kind::Upgraded;
    }

    /// An answer went out before the request's body came in.
    pub(super) fn leave_unread(&self) {
        self.beat().unread = true;
    }

    pub(super) fn has_unread(&self) -> bool {
        self.beat().unread
    }

    /// When the connection has had its time; never, while requests are handled and answers flow.
    pub(super) fn deadline(&self, limits: &Limits) -> Option<Instant> {
        let beat = *self.beat();
        let phase = match beat.phase {
            Phase::Silent(since) => Some(since + limits.first_byte),
            Phase::Head(since) => Some(since + limits.head),
            // While an answer is still being written, that has a limit of its own.
            Phase::Idle(since) if beat.stuck.is_none() => Some(since + limits.idle),
            Phase::Idle(_) | Phase::Busy => None,
        };
        let stuck = beat.stuck.map(|since| since + limits.write);
        let handed = beat.handed_since.map(|since| since + limits.write);
        phase.into_iter().chain(stuck).chain(handed).min()
    }

    fn beat(&self) -> MutexGuard<'_, Beat> {
        self.beat.lock().expect("no panic happens while the beat is held")
    }
}
