//! J-01: one run for each tick over all replicas, whatever dies.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use tegami::{
    Error, HandlerError, Service,
    health::State,
    schedule::{
        LeaseStore, Missed, Overlap, Schedule, ScheduleOptions, Tick,
        lease::{Claim, Known, LeaseError, LeaseErrorKind, MemoryLeases, Taken},
    },
    service::Running,
    time::{Clock, Wall},
    transport::Memory,
};

use super::{shown, time};

const START: &str = "2026-11-21T11:59:30Z";

/// How often each tick was begun, and how often it was done.
type Ledger = Arc<Mutex<BTreeMap<SystemTime, (u32, u32)>>>;

/// Takes ten seconds.
async fn work(tick: Tick<Ledger>) -> Result<(), HandlerError> {
    tick.state().lock().expect("no panic").entry(tick.planned()).or_default().0 += 1;
    tokio::time::sleep(Duration::from_secs(10)).await;
    tick.state().lock().expect("no panic").entry(tick.planned()).or_default().1 += 1;
    Ok(())
}

fn wall() -> Wall {
    Wall::following(Clock::starting_at(time(START)))
}

async fn replica(
    ledger: &Ledger,
    wall: &Wall,
    leases: Arc<dyn LeaseStore>,
    choose: fn(ScheduleOptions) -> ScheduleOptions,
) -> Result<Running, Error> {
    let service = Service::new("billing").state(ledger.clone()).transport(Memory::new()).wall(wall.clone());
    service.leases(&leases).schedule_with(Schedule::minutely(), work, choose).start().await
}

async fn seconds(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

/// The ticks that were not begun and done so often.
fn other_than(ledger: &Ledger, expected: (u32, u32)) -> Vec<(SystemTime, (u32, u32))> {
    let ledger = ledger.lock().expect("no panic");
    ledger.iter().map(|(tick, counts)| (*tick, *counts)).filter(|(_, counts)| *counts != expected).collect()
}

/// 3 replicas, 1,000 ticks; every seventh minute one is killed, mid-run or between runs, and another one started.
async fn thousand_ticks(choose: fn(ScheduleOptions) -> ScheduleOptions) -> Result<(Ledger, usize), Error> {
    let (ledger, wall, leases) = (Ledger::default(), wall(), Arc::new(MemoryLeases::new()));
    let mut replicas = Vec::new();
    for _ in 0..3 {
        replicas.push(replica(&ledger, &wall, leases.clone(), choose).await?);
    }
    let mut killed = 0;
    seconds(35).await;
    for minute in 1..1_000_u64 {
        if minute % 7 == 0 {
            // Mid-run for even ones: five seconds after the tick.
            seconds(if minute % 2 == 0 { 0 } else { 20 }).await;
            drop(replicas.remove((minute % 3) as usize));
            killed += 1;
            replicas.push(replica(&ledger, &wall, leases.clone(), choose).await?);
            seconds(if minute % 2 == 0 { 60 } else { 40 }).await;
        } else {
            seconds(60).await;
        }
    }
    // The lease of one that was killed last has ended by then.
    seconds(20).await;
    for replica in replicas {
        replica.stop().await?;
    }
    Ok((ledger, killed))
}

#[tokio::test(start_paused = true)]
async fn j1_of_a_thousand_ticks_on_three_replicas_each_is_done_once_whoever_is_killed() -> Result<(), Error> {
    let (ledger, killed) = thousand_ticks(|s| s.missed(Missed::All)).await?;
    assert_eq!(killed, 142);
    assert_eq!(ledger.lock().expect("no panic").len(), 1_000);
    // What was begun by one that was killed is begun again, and done once.
    let again = other_than(&ledger, (1, 1));
    assert!(again.iter().all(|(_, counts)| *counts == (2, 1)), "{again:?}");
    assert!((5..=71).contains(&again.len()), "{} were begun again", again.len());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn j1_of_ticks_whose_replica_was_killed_none_is_run_again_where_missed_ones_are_skipped() -> Result<(), Error> {
    let (ledger, _) = thousand_ticks(|s| s.missed(Missed::Skip)).await?;
    assert_eq!(ledger.lock().expect("no panic").len(), 1_000);
    let lost = other_than(&ledger, (1, 1));
    assert!(lost.iter().all(|(_, counts)| *counts == (1, 0)), "{lost:?}");
    assert!((5..=71).contains(&lost.len()), "{} were lost", lost.len());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn j1_a_tick_whose_replica_dies_is_run_by_another_when_its_lease_has_ended() -> Result<(), Error> {
    let (ledger, wall, leases) = (Ledger::default(), wall(), Arc::new(MemoryLeases::new()));
    let first = replica(&ledger, &wall, leases.clone(), |s| s).await?;
    seconds(31).await;
    let second = replica(&ledger, &wall, leases, |s| s).await?;
    seconds(1).await;
    drop(first);
    let counts = || ledger.lock().expect("no panic").first_key_value().map(|(_, counts)| *counts);
    assert_eq!(counts(), Some((1, 0)), "it was running");
    seconds(27).await;
    assert_eq!(counts(), Some((1, 0)), "its lease holds");
    seconds(13).await;
    assert_eq!(counts(), Some((2, 1)));
    assert_eq!(second.schedules()[0].missed, 1);
    second.stop().await?;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn j1_a_late_replica_does_not_run_what_was_done() -> Result<(), Error> {
    let (ledger, wall, leases) = (Ledger::default(), wall(), Arc::new(MemoryLeases::new()));
    let late = Wall::following(Clock::starting_at(time(START)));
    late.back(Duration::from_secs(25));
    let replicas =
        [replica(&ledger, &wall, leases.clone(), |s| s).await?, replica(&ledger, &late, leases, |s| s).await?];
    seconds(600).await;
    assert_eq!(other_than(&ledger, (1, 1)), []);
    assert_eq!(ledger.lock().expect("no panic").len(), 10);
    for replica in replicas {
        replica.stop().await?;
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn j3_runs_of_different_replicas_do_not_overlap_either() -> Result<(), Error> {
    let (wall, leases, state) =
        (wall(), Arc::new(MemoryLeases::new()), Arc::new((AtomicUsize::new(0), AtomicUsize::new(0))));
    let mut replicas = Vec::new();
    for _ in 0..2 {
        let state = state.clone();
        let service = Service::new("billing").transport(Memory::new()).wall(wall.clone()).leases(&leases);
        let shared = move |tick: Tick| {
            let state = state.clone();
            async move {
                state.1.fetch_max(state.0.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                seconds(150).await;
                state.0.fetch_sub(1, Ordering::SeqCst);
                drop(tick);
                Ok(())
            }
        };
        replicas.push(service.schedule_with(Schedule::minutely(), shared, |s| s.overlap(Overlap::Skip)).start().await?);
    }
    seconds(1_200).await;
    assert_eq!(state.1.load(Ordering::SeqCst), 1);
    let runs: usize = replicas.iter().map(|replica| replica.schedules()[0].runs.len()).sum();
    assert_eq!(runs, 7, "every third minute of twenty");
    drop(replicas);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn per_instance_runs_on_every_replica() -> Result<(), Error> {
    let (ledger, wall, leases) = (Ledger::default(), wall(), Arc::new(MemoryLeases::new()));
    let mut replicas = Vec::new();
    for _ in 0..3 {
        replicas.push(replica(&ledger, &wall, leases.clone(), ScheduleOptions::per_instance).await?);
    }
    seconds(300).await;
    assert_eq!(other_than(&ledger, (3, 3)), []);
    assert_eq!(ledger.lock().expect("no panic").len(), 5);
    drop(replicas);
    Ok(())
}

/// Leases that do not answer while they are away.
#[derive(Default)]
struct Flaky {
    inner: MemoryLeases,
    away: AtomicUsize,
    asked: AtomicUsize,
    /// How long it takes until they tell what they have granted.
    late: Duration,
}

impl Flaky {
    async fn there(&self) -> Result<(), LeaseError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        match self.away.load(Ordering::SeqCst) {
            0 => Ok(()),
            1 => Err(LeaseError::new(LeaseErrorKind::Unavailable, "away")),
            2 => panic!("no words"),
            _ => std::future::pending().await,
        }
    }
}

#[async_trait]
impl LeaseStore for Flaky {
    async fn take(&self, claim: &Claim) -> Result<Taken, LeaseError> {
        self.there().await?;
        let taken = self.inner.take(claim).await;
        tokio::time::sleep(self.late).await;
        taken
    }

    async fn renew(&self, claim: &Claim) -> Result<bool, LeaseError> {
        self.there().await?;
        self.inner.renew(claim).await
    }

    async fn finish(&self, claim: &Claim) -> Result<bool, LeaseError> {
        self.there().await?;
        self.inner.finish(claim).await
    }

    async fn register(&self, schedule: &str, now: SystemTime) -> Result<Known, LeaseError> {
        self.there().await?;
        self.inner.register(schedule, now).await
    }
}

#[tokio::test(start_paused = true)]
async fn j1_nothing_runs_while_leases_do_not_answer_and_one_run_makes_up_for_it() -> Result<(), Error> {
    for silence in [1, 2, 3] {
        let (ledger, wall, flaky) = (Ledger::default(), wall(), Arc::new(Flaky::default()));
        let replica = replica(&ledger, &wall, flaky.clone(), |s| s).await?;
        seconds(50).await;
        flaky.away.store(silence, Ordering::SeqCst);
        seconds(300).await;
        assert_eq!(ledger.lock().expect("no panic").len(), 1);
        let health = replica.health().await;
        let told = health.components.last().and_then(|schedules| schedules.status.reason()).expect("it tells why");
        assert!(health.state == State::Degraded && told.starts_with("the leases do not answer: "), "{health:?}");
        assert!(flaky.asked.load(Ordering::SeqCst) < 300, "it does not ask all the time");
        flaky.away.store(0, Ordering::SeqCst);
        seconds(30).await;
        let ticks: Vec<_> = ledger.lock().expect("no panic").keys().copied().collect();
        assert_eq!(shown(&ticks, "UTC")[1..], ["2026-11-21 12:05:00 +00:00"]);
        assert_eq!(other_than(&ledger, (1, 1)), []);
        assert_eq!(replica.health().await.state, State::Up);
        replica.stop().await?;
    }
    Ok(())
}

/// A run of noon that goes on for ever, and whose leases do not answer any more so many seconds after noon: after how many it
/// was told to end, and had ended.
async fn without_renewal(flaky: Flaky, silent: u64) -> Result<(u64, u64), Error> {
    let ended = Arc::new(Mutex::new(None));
    let (flaky, noting) = (Arc::new(flaky), ended.clone());
    let hangs = move |tick: Tick| {
        let noting = noting.clone();
        async move {
            let begun = tokio::time::Instant::now();
            tick.cancelled().await;
            *noting.lock().expect("no panic") = Some(begun.elapsed());
            std::future::pending::<Result<(), HandlerError>>().await
        }
    };
    let service = Service::new("billing").transport(Memory::new()).wall(wall()).leases(&flaky);
    let running = service.cron("0 12 * * *", hangs).start().await?;
    seconds(30 + silent).await;
    flaky.away.store(3, Ordering::SeqCst);
    seconds(120).await;
    let told = ended.lock().expect("no panic").expect("it was told");
    let run = running.schedules().remove(0).runs.remove(0);
    let lasted = run.ended.and_then(|ended| ended.duration_since(run.started).ok()).expect("it ended");
    assert_eq!(run.outcome, Some(tegami::schedule::Outcome::LeaseLost));
    drop(running);
    Ok((told.as_secs(), lasted.as_secs()))
}

#[tokio::test(start_paused = true)]
async fn j1_a_run_whose_lease_cannot_be_renewed_ends_before_another_can_have_it() -> Result<(), Error> {
    // Renewed last at 10 s, it holds until 40 s.
    assert_eq!(without_renewal(Flaky::default(), 15).await?, (30, 35));
    Ok(())
}

/// However late the answer comes, the lease began with the question.
#[tokio::test(start_paused = true)]
async fn j1_a_lease_counts_from_when_it_was_asked_for() -> Result<(), Error> {
    // Asked for at noon, known 3.5 s later and never renewed, it holds until 30 s.
    let late = Flaky { late: Duration::from_millis(3_500), ..Flaky::default() };
    assert_eq!(without_renewal(late, 10).await?, (16, 21));
    Ok(())
}

/// One replica alone, whose leases are away in the midst of a run that goes on for ever.
#[tokio::test(start_paused = true)]
async fn j1_a_tick_whose_run_lost_its_lease_is_run_again_where_missed_ticks_are() -> Result<(), Error> {
    for (missed, expected) in [(Missed::Once, 2), (Missed::All, 2), (Missed::Skip, 1)] {
        let (flaky, begun) = (Arc::new(Flaky::default()), Arc::new(AtomicUsize::new(0)));
        let counts = begun.clone();
        let run = move |_: Tick| {
            let is_first = counts.fetch_add(1, Ordering::SeqCst) == 0;
            async move {
                match is_first {
                    true => std::future::pending().await,
                    false => Ok::<_, HandlerError>(()),
                }
            }
        };
        let service = Service::new("billing").transport(Memory::new()).wall(wall()).leases(&flaky);
        let daily = Schedule::cron("0 12 * * *");
        let running = service.schedule_with(daily, run, |s| s.missed(missed)).start().await?;
        seconds(35).await;
        flaky.away.store(1, Ordering::SeqCst);
        seconds(60).await;
        flaky.away.store(0, Ordering::SeqCst);
        seconds(60).await;
        let runs = running.schedules().remove(0).runs;
        assert_eq!((runs.len(), begun.load(Ordering::SeqCst)), (expected, expected), "{missed:?}");
        assert!(runs.iter().all(|run| run.planned == runs[0].planned), "{missed:?}: {runs:?}");
        running.stop().await?;
    }
    Ok(())
}
