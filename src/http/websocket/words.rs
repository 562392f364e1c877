//! When the two sides of a WebSocket last said something: whether the client is to be asked, and when the socket ends.

use std::{
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use axum::extract::ws::close_code;
use tokio::time::Instant;

use super::{Limits, pump::End};
use crate::time::Clock;

/// What was said, for those who wait for more.
pub(super) struct Words {
    said: Mutex<Said>,
    ping: Duration,
    idle: Duration,
    clock: Clock,
}

struct Said {
    /// The last message, whoever sent it.
    spoke: Instant,
    /// Whatever the client said last, be it a pong.
    heard: Instant,
    /// When the client was asked whether it is there, if its answer would be heard and nothing came since.
    asked: Option<Instant>,
    /// When it was asked last.
    pinged: Instant,
    /// How often it was asked and has not answered; those that cannot be heard answer all at once, later.
    unanswered: u32,
    /// Does a message wait for the handler to have room? Nobody hears what comes after it.
    is_deaf: bool,
}

impl Words {
    pub(super) fn new(limits: &Limits, clock: Clock) -> Self {
        let now = clock.instant();
        let said = Said { spoke: now, heard: now, asked: None, pinged: now, unanswered: 0, is_deaf: false };
        Self { said: Mutex::new(said), ping: limits.ping, idle: limits.socket_idle, clock }
    }

    /// The server says something: a message, which begins or is written.
    pub(super) fn spoke(&self) {
        self.said().spoke = self.clock.instant();
    }

    /// The client said something, now.
    pub(super) fn heard(&self) -> Instant {
        let mut said = self.said();
        let now = self.clock.instant();
        (said.heard, said.asked) = (now, None);
        now
    }

    /// What it said is a pong. Was it asked?
    pub(super) fn answered(&self) -> bool {
        let mut said = self.said();
        let was_asked = said.unanswered > 0;
        said.unanswered = said.unanswered.saturating_sub(1);
        was_asked
    }

    /// What it said is a message, which waits for the handler.
    pub(super) fn wait(&self) {
        self.said().is_deaf = true;
    }

    /// The message waits no more, and the client is listened to again.
    pub(super) fn listen(&self) {
        let mut said = self.said();
        let now = self.clock.instant();
        (said.spoke, said.heard, said.is_deaf) = (now, now, false);
    }

    /// How long until the client is to be asked, if it says nothing; nothing, if it is time. One that has yet to answer is not
    /// asked again. One that cannot be heard is: to write to it tells whether it has left.
    pub(super) fn until_asked(&self) -> Duration {
        let said = self.said();
        let now = self.clock.instant();
        let since = match said.asked {
            Some(_) if !said.is_deaf => now,
            _ => said.heard.max(said.pinged),
        };
        (since + self.ping).saturating_duration_since(now)
    }

    /// The client was asked, now.
    pub(super) fn asked(&self) {
        let mut said = self.said();
        let now = self.clock.instant();
        (said.pinged, said.unanswered) = (now, said.unanswered.saturating_add(1));
        if !said.is_deaf {
            said.asked = Some(now);
        }
    }

    /// When to look whether it is the end, if the client says nothing.
    pub(super) fn look(&self) -> Instant {
        self.due(self.clock.instant()).0
    }

    /// How the socket ends, if it is the end.
    pub(super) fn end(&self) -> Option<End> {
        let now = self.clock.instant();
        let (at, end) = self.due(now);
        (at <= now).then_some(end)
    }

    /// The end that comes first. Who was not asked yet cannot be gone.
    fn due(&self, now: Instant) -> (Instant, End) {
        let said = self.said();
        let (idle, gone) = (said.spoke + self.idle, said.asked.unwrap_or(now) + self.ping);
        if idle <= gone { (idle, End::Told(close_code::NORMAL)) } else { (gone, End::Gone) }
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().expect("no panic happens while the words are held")
    }
}
