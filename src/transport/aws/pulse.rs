//! Whether AWS does what it is asked for: the latest call that succeeded, and the latest that did not.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::fault::{Fault, FaultKind};
use crate::health::Status;

/// How long a failure counts. A receive that waits for messages says nothing for up to 20 s, so that silence is good.
const COUNTS: Duration = Duration::from_secs(10);

/// What became of the latest calls.
#[derive(Default)]
pub(super) struct Pulse(Mutex<Latest>);

#[derive(Default)]
struct Latest {
    succeeded: Option<Instant>,
    failed: Option<(Instant, String)>,
}

impl Pulse {
    /// Notes what became of a call. An answer that is about the one message or queue says nothing of the whole.
    pub(super) fn beat(&self, fault: Option<&Fault>, now: Instant) {
        let mut latest = self.latest();
        match fault {
            None => latest.succeeded = Some(now),
            Some(fault) if is_general(fault.kind) => latest.failed = Some((now, fault.to_string())),
            Some(_) => {}
        }
    }

    /// Down while calls fail; degraded while some do.
    pub(super) fn status(&self, now: Instant) -> Status {
        let latest = self.latest();
        match &latest.failed {
            Some((at, text)) if now < *at + COUNTS => match latest.succeeded {
                Some(succeeded) if succeeded > *at => Status::degraded(format!("some calls fail: {text}")),
                _ => Status::down(text.as_str()),
            },
            _ => Status::up(),
        }
    }

    fn latest(&self) -> MutexGuard<'_, Latest> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_general(kind: FaultKind) -> bool {
    use FaultKind::{Away, Credentials, Denied, Nobody};
    matches!(kind, Away | Credentials | Denied | Nobody)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{health::State, time::Clock, transport::aws::fault::Reach};

    #[test]
    fn n6_failing_calls_are_down_some_are_degraded_and_silence_is_good() {
        let (pulse, start) = (Pulse::default(), Clock::system().instant());
        let at = |millis| start + Duration::from_millis(millis);
        let state = |millis| pulse.status(at(millis)).state();
        let fault = |kind| Fault::new(kind, Reach::Not, "ExpiredToken");
        assert_eq!(state(0), State::Up);
        pulse.beat(Some(&fault(FaultKind::Missing)), at(0));
        assert_eq!(state(0), State::Up, "one queue is not the whole");
        pulse.beat(Some(&fault(FaultKind::Credentials)), at(0));
        assert_eq!(pulse.status(at(9_999)), Status::down("ExpiredToken"));
        assert_eq!(state(10_000), State::Up);
        pulse.beat(Some(&fault(FaultKind::Away)), at(20_000));
        pulse.beat(None, at(20_001));
        assert_eq!(state(20_002), State::Degraded);
        pulse.beat(Some(&fault(FaultKind::Away)), at(20_003));
        assert_eq!(state(20_004), State::Down);
    }
}
