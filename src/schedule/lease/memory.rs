//! Leases in memory, for the services of one process.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
    time::SystemTime,
};

use async_trait::async_trait;
use tokio::time::Instant;

use super::{Claim, Known, LeaseError, LeaseStore, Taken, seen::Seen};
use crate::time::Clock;

/// Leases in memory. Clones share them: give one to each service that is a replica of another.
///
/// They end with the process, and no other process sees them.
#[derive(Debug, Clone)]
pub struct MemoryLeases {
    clock: Clock,
    schedules: Arc<Mutex<HashMap<String, Record>>>,
}

/// What is kept of one schedule.
#[derive(Debug, Default)]
struct Record {
    latest: Option<SystemTime>,
    unfinished: BTreeMap<SystemTime, Lease>,
}

#[derive(Debug)]
struct Lease {
    holder: String,
    until: Instant,
}

impl Default for MemoryLeases {
    fn default() -> Self {
        Self { clock: Clock::system(), schedules: Arc::default() }
    }
}

impl MemoryLeases {
    /// No leases yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn with<T>(&self, schedule: &str, work: impl FnOnce(&mut Record, Instant) -> T) -> T {
        let mut schedules = self.schedules.lock().expect("no panic happens while the leases are held");
        let record = schedules.entry(schedule.to_owned()).or_default();
        work(record, self.clock.instant())
    }
}

#[async_trait]
impl LeaseStore for MemoryLeases {
    async fn take(&self, claim: &Claim) -> Result<Taken, LeaseError> {
        Ok(self.with(&claim.schedule, |record, now| record.take(claim, now)))
    }

    async fn renew(&self, claim: &Claim) -> Result<bool, LeaseError> {
        Ok(self.with(&claim.schedule, |record, now| {
            let lease = record.held(claim).filter(|lease| lease.until > now);
            lease.map(|lease| lease.until = now + claim.lease).is_some()
        }))
    }

    async fn finish(&self, claim: &Claim) -> Result<bool, LeaseError> {
        Ok(self.with(&claim.schedule, |record, _| {
            let held = record.held(claim).is_some();
            held.then(|| record.unfinished.remove(&claim.tick)).is_some()
        }))
    }

    async fn register(&self, schedule: &str, now: SystemTime) -> Result<Known, LeaseError> {
        Ok(self.with(schedule, |record, _| {
            let latest = *record.latest.get_or_insert(now);
            Known::new(latest, record.unfinished.keys().copied().collect())
        }))
    }
}

impl Record {
    fn take(&mut self, claim: &Claim, now: Instant) -> Taken {
        let left = self.unfinished.get(&claim.tick).map(|lease| lease.until.saturating_duration_since(now));
        let others = self.unfinished.iter().filter(|(tick, lease)| **tick != claim.tick && lease.until > now).count();
        let taken = Seen { latest: self.latest, left, others }.answer(claim);
        if taken == Taken::Granted {
            self.latest = self.latest.max(Some(claim.tick));
            self.unfinished.insert(claim.tick, Lease { holder: claim.holder.clone(), until: now + claim.lease });
        }
        taken
    }

    fn held(&mut self, claim: &Claim) -> Option<&mut Lease> {
        self.unfinished.get_mut(&claim.tick).filter(|lease| lease.holder == claim.holder)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn claim(tick: u64, holder: &str) -> Claim {
        Claim::new("billing/report", SystemTime::UNIX_EPOCH + Duration::from_secs(tick), holder)
    }

    #[tokio::test(start_paused = true)]
    async fn j1_a_tick_is_granted_once_and_never_after_it_was_run() -> Result<(), LeaseError> {
        let leases = MemoryLeases::new();
        assert_eq!(leases.take(&claim(60, "a")).await?, Taken::Granted);
        assert_eq!(leases.take(&claim(60, "b")).await?, Taken::Held(Duration::from_secs(30)));
        assert_eq!(leases.take(&claim(120, "b")).await?, Taken::Busy);
        assert!(!leases.finish(&claim(60, "b")).await?, "it is not b's");
        assert!(leases.finish(&claim(60, "a")).await?);
        for holder in ["a", "b"] {
            assert_eq!(leases.take(&claim(60, holder)).await?, Taken::Over);
            assert_eq!(leases.take(&claim(59, holder)).await?, Taken::Over);
        }
        assert_eq!(leases.take(&claim(120, "b")).await?, Taken::Granted);
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn j1_a_lease_ends_30_s_after_its_last_renewal_and_its_holder_has_it_no_more() -> Result<(), LeaseError> {
        let leases = MemoryLeases::new();
        leases.take(&claim(60, "a")).await?;
        tokio::time::advance(Duration::from_secs(20)).await;
        assert!(leases.renew(&claim(60, "a")).await?);
        tokio::time::advance(Duration::from_millis(29_999)).await;
        assert_eq!(leases.take(&claim(60, "b")).await?, Taken::Held(Duration::from_millis(1)));
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(leases.take(&claim(60, "b")).await?, Taken::Granted);
        assert!(!leases.renew(&claim(60, "a")).await? && !leases.finish(&claim(60, "a")).await?);
        let known = leases.register("billing/report", claim(90, "a").tick).await?;
        assert_eq!((known.latest, known.unfinished.len()), (claim(60, "a").tick, 1));
        Ok(())
    }
}
