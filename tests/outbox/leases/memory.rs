//! The same of leases in memory, on a paused clock.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use tegami::schedule::lease::MemoryLeases;

use super::Leases;

struct InMemory(MemoryLeases);

#[async_trait]
impl Leases for InMemory {
    type Store = MemoryLeases;

    async fn open() -> Self {
        Self(MemoryLeases::new())
    }

    fn store(&self) -> &MemoryLeases {
        &self.0
    }

    fn now(&self) -> SystemTime {
        // Nobody asks for it: any will do.
        SystemTime::UNIX_EPOCH
    }

    async fn pass(&self, seconds: i64) {
        tokio::time::advance(Duration::from_secs(seconds.unsigned_abs())).await;
    }
}

macro_rules! cases {
    ($($case:ident)+) => {$(
        #[tokio::test(start_paused = true)]
        async fn $case() {
            super::$case::<InMemory>().await;
        }
    )+};
}

cases! {
    j1_a_tick_is_granted_once_and_never_after_it_was_run
    j1_a_lease_ends_30_s_after_its_last_renewal_and_its_holder_has_it_no_more
    j1_of_many_that_ask_at_once_one_is_granted
    j2_a_schedule_begins_once_and_what_was_before_is_over
    j1_renewals_and_ends_in_the_midst_of_a_take_over_agree_with_it
    j3_as_many_ticks_hold_as_may_run_at_once
    j1_schedules_are_kept_apart_whatever_their_names
}
