//! Leases on ticks: what is granted and to whom, on every store of leases (J1).

mod memory;
pub(crate) mod missed;
pub(crate) mod processes;

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use futures_util::future::join_all;
use tegami::schedule::{
    LeaseStore,
    lease::{Claim, Known, Taken},
};

use crate::subject::Subject;

const SCHEDULE: &str = "billing/report";
const LEASE: Duration = Duration::from_secs(30);

/// A store of leases, and the time that passes for whoever holds some.
#[async_trait]
pub(crate) trait Leases: Send + Sync + Sized + 'static {
    type Store: LeaseStore + Clone;

    async fn open() -> Self;

    fn store(&self) -> &Self::Store;

    /// The time that claims are made at; it counts where a store goes by the clock of the machine.
    fn now(&self) -> SystemTime;

    /// Has so many seconds pass for whoever holds leases, or go back.
    async fn pass(&self, seconds: i64);
}

#[async_trait]
impl<S: Subject> Leases for S {
    type Store = S::Db;

    async fn open() -> Self {
        <S as Subject>::open().await
    }

    fn store(&self) -> &S::Db {
        self.db()
    }

    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(Subject::now(self).unsigned_abs())
    }

    async fn pass(&self, seconds: i64) {
        Subject::pass(self, seconds).await;
    }
}

fn claim_of(all: &impl Leases, schedule: &str, tick: u64, holder: &str) -> Claim {
    let mut claim = Claim::new(schedule, SystemTime::UNIX_EPOCH + Duration::from_secs(tick), holder);
    claim.now = all.now();
    claim
}

fn claim(all: &impl Leases, tick: u64, holder: &str) -> Claim {
    claim_of(all, SCHEDULE, tick, holder)
}

async fn take(all: &impl Leases, tick: u64, holder: &str) -> Taken {
    all.store().take(&claim(all, tick, holder)).await.expect("it answers")
}

async fn renew(all: &impl Leases, tick: u64, holder: &str) -> bool {
    all.store().renew(&claim(all, tick, holder)).await.expect("it answers")
}

async fn finish(all: &impl Leases, tick: u64, holder: &str) -> bool {
    all.store().finish(&claim(all, tick, holder)).await.expect("it answers")
}

/// What is known of a schedule; it begins in 1970, if it has not.
async fn known(all: &impl Leases, schedule: &str) -> Known {
    all.store().begin(schedule, SystemTime::UNIX_EPOCH).await.expect("it answers")
}

fn is_held(taken: Taken) -> bool {
    matches!(taken, Taken::Held(left) if !left.is_zero() && left <= LEASE)
}

pub(crate) async fn j1_a_tick_is_granted_once_and_never_after_it_was_run<L: Leases>() {
    let all = L::open().await;
    assert_eq!(take(&all, 60, "a").await, Taken::Granted);
    for holder in ["a", "b"] {
        assert!(is_held(take(&all, 60, holder).await), "of whomever");
    }
    assert_eq!(take(&all, 120, "b").await, Taken::Busy);
    assert!(!finish(&all, 60, "b").await && !renew(&all, 60, "b").await, "it is not b's");
    assert!(renew(&all, 60, "a").await && finish(&all, 60, "a").await);
    assert!(!finish(&all, 60, "a").await && !renew(&all, 60, "a").await, "it is over");
    for holder in ["a", "b"] {
        assert_eq!(take(&all, 60, holder).await, Taken::Over);
        assert_eq!(take(&all, 59, holder).await, Taken::Over);
    }
    assert_eq!(take(&all, 120, "b").await, Taken::Granted);
}

pub(crate) async fn j1_a_lease_ends_30_s_after_its_last_renewal_and_its_holder_has_it_no_more<L: Leases>() {
    let all = L::open().await;
    assert_eq!(take(&all, 60, "a").await, Taken::Granted);
    all.pass(20).await;
    assert!(renew(&all, 60, "a").await);
    all.pass(20).await;
    assert!(is_held(take(&all, 60, "b").await), "it was renewed 20 s ago");
    all.pass(11).await;
    assert!(renew(&all, 60, "a").await, "nobody else has it");
    all.pass(31).await;
    assert_eq!(take(&all, 60, "b").await, Taken::Granted);
    assert!(!renew(&all, 60, "a").await && !finish(&all, 60, "a").await);
    let tick = SystemTime::UNIX_EPOCH + Duration::from_secs(60);
    assert_eq!(known(&all, SCHEDULE).await, Known::new(tick, vec![tick]));
    assert!(finish(&all, 60, "b").await);
    assert_eq!(known(&all, SCHEDULE).await, Known::new(tick, Vec::new()));
}

/// Which of two replicas starts first decides when their schedule begins; neither goes back before that, nor counts from later.
pub(crate) async fn j2_a_schedule_begins_once_and_what_was_before_is_over<L: Leases>() {
    let all = L::open().await;
    let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let first = all.store().begin(SCHEDULE, at(60)).await.expect("it answers");
    for replica in [90, 30] {
        assert_eq!(all.store().begin(SCHEDULE, at(replica)).await.expect("it answers"), first);
    }
    assert_eq!(first, Known::new(at(60), Vec::new()));
    assert_eq!([take(&all, 60, "a").await, take(&all, 61, "a").await], [Taken::Over, Taken::Granted]);
    assert_eq!(known(&all, SCHEDULE).await, Known::new(at(61), vec![at(61)]));
    let many = join_all((1..=8).map(|replica| all.store().begin("billing/other", at(replica)))).await;
    let many: Vec<_> = many.into_iter().map(|known| known.expect("it answers")).collect();
    assert!(many.iter().all(|known| *known == many[0]), "{many:?}");
}

pub(crate) async fn j1_of_many_that_ask_at_once_one_is_granted<L: Leases>() {
    let all = L::open().await;
    for tick in 1..=20 {
        let holders: Vec<String> = (0..8).map(|n| format!("replica-{n}")).collect();
        let taken = join_all(holders.iter().map(|holder| take(&all, tick, holder))).await;
        let granted: Vec<_> = holders.iter().zip(&taken).filter(|(_, taken)| **taken == Taken::Granted).collect();
        assert_eq!(granted.len(), 1, "{taken:?}");
        assert!(taken.iter().filter(|taken| is_held(**taken)).count() == 7, "{taken:?}");
        assert!(finish(&all, tick, granted[0].0).await);
    }
}

/// Whoever is told that the lease is still theirs has it, and what was run is never granted.
pub(crate) async fn j1_renewals_and_ends_in_the_midst_of_a_take_over_agree_with_it<L: Leases>() {
    let all = L::open().await;
    for tick in 1..=60 {
        assert_eq!(take(&all, tick, "a").await, Taken::Granted);
        all.pass(31).await;
        let (taken, kept, ends) = match tick % 4 {
            0 => {
                let (taken, kept) = tokio::join!(take(&all, tick, "b"), renew(&all, tick, "a"));
                (taken, kept, false)
            }
            1 => {
                let (kept, taken) = tokio::join!(renew(&all, tick, "a"), take(&all, tick, "b"));
                (taken, kept, false)
            }
            2 => {
                let (taken, kept) = tokio::join!(take(&all, tick, "b"), finish(&all, tick, "a"));
                (taken, kept, true)
            }
            _ => {
                let (kept, taken) = tokio::join!(finish(&all, tick, "a"), take(&all, tick, "b"));
                (taken, kept, true)
            }
        };
        match (taken, kept, ends) {
            (Taken::Granted, false, _) | (Taken::Over, true, true) => {}
            (taken, true, false) if is_held(taken) => {}
            otherwise => panic!("{otherwise:?}"),
        }
        all.pass(31).await;
        for holder in ["a", "b"] {
            finish(&all, tick, holder).await;
        }
    }
}

pub(crate) async fn j3_as_many_ticks_hold_as_may_run_at_once<L: Leases>() {
    let all = L::open().await;
    let ask = async |tick: u64| {
        let mut two = claim(&all, tick, "a");
        two.at_once = 2;
        all.store().take(&two).await.expect("it answers")
    };
    assert_eq!([ask(60).await, ask(120).await, ask(180).await], [Taken::Granted, Taken::Granted, Taken::Busy]);
    all.pass(31).await;
    assert_eq!(ask(180).await, Taken::Granted, "the others may have died");
    assert_eq!(ask(60).await, Taken::Granted, "and are made up for");
    assert_eq!(ask(120).await, Taken::Busy);
}

pub(crate) async fn j1_schedules_are_kept_apart_whatever_their_names<L: Leases>() {
    let all = L::open().await;
    let names = ["billing/report", "billing/repor", "Billing/report", "", "'; --\"", "\u{0}", "\u{1}0", "é"];
    for (n, name) in (1..).zip(names) {
        let claim = claim_of(&all, name, n, name);
        assert_eq!(all.store().take(&claim).await.expect("it answers"), Taken::Granted, "{name:?}");
    }
    for (n, name) in (1..).zip(names) {
        assert_eq!(known(&all, name).await.unfinished, [SystemTime::UNIX_EPOCH + Duration::from_secs(n)], "{name:?}");
        assert!(all.store().finish(&claim_of(&all, name, n, name)).await.expect("it answers"), "{name:?}");
    }
    assert_eq!(known(&all, "other").await, Known::new(SystemTime::UNIX_EPOCH, Vec::new()), "it begins now");
}

pub(crate) async fn j4_a_schedule_that_is_forgotten_begins_anew_and_others_do_not<S: Subject>() {
    let all = <S as Leases>::open().await;
    for schedule in ["billing/report", "billing/other"] {
        let claim = claim_of(&all, schedule, 4_000_000_000, "a");
        assert_eq!(all.db().take(&claim).await.expect("it answers"), Taken::Granted);
    }
    assert!(S::forget_schedule(all.db(), SCHEDULE).await && !S::forget_schedule(all.db(), SCHEDULE).await);
    assert_eq!(known(&all, "billing/other").await.unfinished.len(), 1);
    assert_eq!(take(&all, 60, "a").await, Taken::Granted);
}

/// Neither two at once nor hours of nothing.
pub(crate) async fn j1_a_clock_that_is_put_back_ends_no_lease_and_lengthens_none_beyond_5_min<S: Subject>() {
    let all = <S as Leases>::open().await;
    assert_eq!(take(&all, 60, "a").await, Taken::Granted);
    Leases::pass(&all, -36_000).await;
    let Taken::Held(left) = take(&all, 60, "b").await else { panic!("it is a's") };
    assert!(left <= Duration::from_secs(300), "{left:?}");
    assert_eq!(take(&all, 120, "b").await, Taken::Busy);
    assert!(renew(&all, 60, "a").await);
    assert!(is_held(take(&all, 60, "b").await), "as it was before");
    Leases::pass(&all, -36_000).await;
    assert!(!is_held(take(&all, 60, "b").await), "held for longer than a lease");
    Leases::pass(&all, 301).await;
    assert_eq!(take(&all, 60, "b").await, Taken::Granted);
}

pub(crate) async fn j1_what_was_run_is_known_after_the_database_was_opened_again<S: Subject>() {
    let all = <S as Leases>::open().await;
    assert_eq!(take(&all, 60, "a").await, Taken::Granted);
    assert!(finish(&all, 60, "a").await);
    assert_eq!(take(&all, 120, "a").await, Taken::Granted);
    let again = S::connect(&all.address()).await;
    let known = LeaseStore::begin(&again, SCHEDULE, SystemTime::UNIX_EPOCH).await.expect("it answers");
    let time = |tick| SystemTime::UNIX_EPOCH + Duration::from_secs(tick);
    assert_eq!((known.latest, known.unfinished), (time(120), vec![time(120)]));
    assert_eq!(again.take(&claim(&all, 60, "b")).await.expect("it answers"), Taken::Over);
    assert!(is_held(again.take(&claim(&all, 120, "b")).await.expect("it answers")));
}

pub(crate) async fn j1_ticks_left_unfinished_are_forgotten_after_30_days_a_hundred_at_a_time<S: Subject>() {
    let all = <S as Leases>::open().await;
    let left = async || known(&all, SCHEDULE).await.unfinished.len();
    for tick in 1..=150 {
        let mut claim = claim(&all, tick, "a");
        claim.at_once = 1_000;
        assert_eq!(all.db().take(&claim).await.expect("it answers"), Taken::Granted);
    }
    Leases::pass(&all, 30 * 86_400).await;
    assert_eq!(take(&all, 151, "b").await, Taken::Granted);
    assert_eq!(left().await, 151, "their leases ended less than 30 days ago");
    Leases::pass(&all, 31).await;
    for (tick, expected) in [(152, 52), (153, 3)] {
        assert_eq!(take(&all, tick, "b").await, Taken::Granted);
        assert_eq!(left().await, expected);
        Leases::pass(&all, 31).await;
    }
    assert_eq!(take(&all, 7, "b").await, Taken::Over, "it is not run for that");
}
