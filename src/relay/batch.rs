//! What becomes of the rows that were taken together.

use std::{
    collections::BTreeMap,
    panic::AssertUnwindSafe,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use futures_util::{FutureExt, StreamExt, stream};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::RelayOptions;
use crate::{
    error::{Kind, panic_text, told},
    outbox::{Claimed, Fate},
    publisher::{DEADLINE, Line},
    transport::{PublishError, PublishErrorKind},
};

/// How many lanes are sent at once.
const LANES: usize = 64;
/// How long a refused message waits at first; twice as long after each further refusal, up to a minute.
const AGAIN: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(60)];

/// Rows on their way out.
pub(super) struct Batch<'a> {
    line: &'a Line,
    options: &'a RelayOptions,
    draining: &'a CancellationToken,
    /// None is sent after it: somebody else may soon have them.
    until: Instant,
    /// Why the broker is away, once it is.
    away: Mutex<Option<String>>,
}

impl<'a> Batch<'a> {
    /// Rows that were taken at this moment.
    pub(super) fn new(
        line: &'a Line,
        options: &'a RelayOptions,
        draining: &'a CancellationToken,
        taken: Instant,
    ) -> Self {
        Self { line, options, draining, until: taken + options.hold / 2, away: Mutex::default() }
    }

    /// Sends them; what became of each, and why the broker is away if it is.
    pub(super) async fn send(self, taken: Vec<Claimed>) -> (Vec<(u64, Fate)>, Option<String>) {
        let lanes = stream::iter(lanes(taken)).map(|lane| self.send_lane(lane)).buffer_unordered(LANES);
        let fates: Vec<Vec<(u64, Fate)>> = lanes.collect().await;
        let away = self.away.into_inner().unwrap_or_else(PoisonError::into_inner);
        (fates.concat(), away)
    }

    /// One after the other; after one that is not done with, the others wait.
    async fn send_lane(&self, lane: Vec<Claimed>) -> Vec<(u64, Fate)> {
        let mut fates: Vec<(u64, Fate)> = Vec::with_capacity(lane.len());
        for claimed in lane {
            let waits = fates.last().is_some_and(|(_, fate)| !matches!(fate, Fate::Sent | Fate::Parked { .. }));
            let number = claimed.number;
            let fate = if waits || self.is_over() { Fate::Back } else { self.send_one(claimed).await };
            fates.push((number, fate));
        }
        fates
    }

    /// May nothing more be sent?
    fn is_over(&self) -> bool {
        self.draining.is_cancelled() || self.until <= self.line.clock.instant() || self.away().is_some()
    }

    async fn send_one(&self, claimed: Claimed) -> Fate {
        let Claimed { refusals, row, .. } = claimed;
        let id = row.outgoing.id.clone();
        let sending = self.line.send(row, DEADLINE.min(self.options.hold / 2));
        // Middleware that panics has refused it, and keeps nobody else waiting.
        let answer = AssertUnwindSafe(sending).catch_unwind().await.unwrap_or_else(|panic| {
            let text = format!("what stands on the message's way {}", panic_text(&*panic));
            Err(PublishError::new(PublishErrorKind::Refused, text))
        });
        let Err(error) = answer else { return Fate::Sent };
        let reason = told(&error);
        if error.is_away() {
            *self.away() = Some(reason);
            return Fate::Back;
        }
        let refusals = refusals + 1;
        if !error.kind().is_transient() || refusals >= self.options.refusals {
            tracing::error!(message_id = %id, reason, refusals, "parked in the outbox: it cannot be published");
            return Fate::Parked { reason };
        }
        let [first, most] = AGAIN;
        let again_in = most.min(first.saturating_mul(1 << (refusals - 1).min(16)));
        tracing::warn!(message_id = %id, reason, refusals, ?again_in, "not published from the outbox; will try again");
        Fate::Refused { again_in, reason }
    }

    fn away(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.away.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Rows by what must go out in order; a row without it has a lane of its own.
fn lanes(taken: Vec<Claimed>) -> Vec<Vec<Claimed>> {
    let (mut places, mut lanes) = (BTreeMap::new(), Vec::<Vec<Claimed>>::new());
    for claimed in taken {
        let next = lanes.len();
        let place = match claimed.row.outgoing.key.clone() {
            Some(key) => *places.entry(key).or_insert(next),
            None => next,
        };
        match lanes.get_mut(place) {
            Some(lane) => lane.push(claimed),
            None => lanes.push(vec![claimed]),
        }
    }
    lanes
}
