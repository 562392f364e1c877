//! How a projection is, for health and for those who observe the service.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::{Lag, Progress};
use crate::{
    health::{Light, State, Status},
    telemetry::{Fact, Lagged, Observers},
};

/// How often it is looked how far a projection is behind.
const LOOK: Duration = Duration::from_secs(10);

/// What a projector shows. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Sign {
    pub(super) light: Light,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    stands: bool,
    lag: Option<Lag>,
}

impl Sign {
    /// How it is; with how far it is behind, if it is.
    pub(crate) fn status(&self) -> Status {
        let (status, lag) = (self.light.status(), self.seen(|seen| seen.lag));
        match lag {
            Some(Lag { events: events @ 1.., oldest }) if status.state() == State::Up && status.reason().is_none() => {
                let since = oldest.unwrap_or_default().as_secs();
                Status::because(State::Up, &format!("{events} events behind, the oldest of {since} s ago"))
            }
            _ => status,
        }
    }

    /// It stands still, for this reason.
    pub(super) fn stands(&self, reason: &str) {
        self.seen(|seen| seen.stands = true);
        self.light.set(Status::degraded(format!("the projection stands still: {reason}")));
    }

    pub(crate) fn stands_still(&self) -> bool {
        self.seen(|seen| seen.stands)
    }

    /// It does what it is for; did it stand still?
    pub(super) fn goes_on(&self) -> bool {
        self.light.up();
        self.seen(|seen| std::mem::take(&mut seen.stands))
    }

    fn seen<T>(&self, look: impl FnOnce(&mut Seen) -> T) -> T {
        look(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Looks how far a projection is behind, and tells it.
pub(super) struct Teller {
    pub(super) progress: Progress,
    pub(super) sign: Sign,
    pub(super) observers: Observers,
}

impl Teller {
    pub(super) async fn tell_for_ever(&self) {
        loop {
            tokio::time::sleep(LOOK).await;
            // Who cannot be asked is told of by what went wrong.
            let lag = self.progress.lag().await.ok();
            let stands = self.sign.seen(|seen| {
                seen.lag = lag;
                seen.stands
            });
            let (id, events) = (self.progress.id(), lag.map(|lag| lag.events));
            let oldest = lag.map(|lag| lag.oldest.unwrap_or_default());
            self.observers.tell(&Fact::Lagged(Lagged {
                projection: &id.name,
                version: id.version,
                events,
                oldest,
                stands,
            }));
        }
    }
}
