//! A process that ends at each point of a tick, and starts again: every tick is run, and once, but where the process ended
//! between the run's beginning and the record of its end.

#![cfg(unix)]

use std::{
    collections::BTreeMap,
    os::unix::process::ExitStatusExt,
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, UNIX_EPOCH},
};

use tegami::{
    HandlerError, Service,
    failpoint::{
        Point,
        fail::{self, FailScenario},
        hits,
    },
    outbox::Database,
    schedule::{LeaseStore, Missed, Outcome, Overlap, Schedule, Tick, lease::MemoryLeases},
    testing::at_length,
    time::{Clock, Wall},
    transport::Memory,
};
use tokio::runtime::{Builder, Runtime};

use crate::outbox::{
    Folder, each,
    place::{File, Place, Postgres},
};

/// Tells the binary to be the process that ends, and on which database; and whether its runs last until a renewal.
const ROLE: &str = "FAILPOINTS_SCHEDULE";
const RENEWS: &str = "FAILPOINTS_RENEWS";
const STEP: u64 = 50;
const SIGABRT: i32 = 6;

/// How many runs a process sees through.
fn runs() -> usize {
    at_length(4, 22)
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Notes it for good.
async fn note<P: Place>(db: &P::Db, what: &str) -> Result<(), HandlerError> {
    let mut tx = db.begin().await?;
    P::write(&mut tx, what).await.map_err(HandlerError::retry)?;
    Ok(db.commit(tx).await?)
}

/// Lasts until its lease was renewed.
async fn last_long() {
    let before = hits(Point::ScheduleAfterRenew);
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(11)).await;
    tokio::time::resume();
    while hits(Point::ScheduleAfterRenew) == before {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Runs the schedule until it has seen some runs through; how many of them failed.
async fn work<P: Place<Db: LeaseStore + Clone>>(address: &str, renews: bool) -> usize {
    let db = P::open(address).await;
    let run = move |tick: Tick<P::Db>| async move {
        let planned = tick.planned().duration_since(UNIX_EPOCH).expect("after 1970").as_millis();
        note::<P>(tick.state(), &format!("begun {planned}")).await?;
        if renews {
            last_long().await;
        }
        note::<P>(tick.state(), &format!("done {planned}")).await
    };
    let service = Service::new("billing").state(db.clone()).transport(Memory::new()).leases(&db);
    let when = Schedule::every(Duration::from_millis(STEP));
    let service = service.schedule_with(when, run, |s| s.name("report").missed(Missed::All).overlap(Overlap::Queue));
    let running = service.start().await.expect("it starts");
    let outcomes = || running.schedules().remove(0).runs.into_iter().filter_map(|run| run.outcome).collect::<Vec<_>>();
    while outcomes().len() < runs() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let outcomes = outcomes();
    running.stop().await.expect("it stops");
    P::close(db).await;
    outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Failed(_))).count()
}

/// Not a test by itself: the process that the tests below start.
#[test]
fn process() {
    let Ok(address) = std::env::var(ROLE) else { return };
    let renews = std::env::var_os(RENEWS).is_some();
    let scenario = FailScenario::setup();
    let failed = runtime().block_on(async {
        match address.starts_with("postgres://") {
            true => work::<Postgres>(&address, renews).await,
            false => work::<File>(&address, renews).await,
        }
    });
    assert_eq!(failed, 0);
    scenario.teardown();
}

/// Runs it with this point set, and says whether it ended there.
fn ended_at_point(address: &str, set: &str) -> bool {
    let mut command = Command::new(std::env::current_exe().expect("this binary"));
    command.args(["schedule::process", "--exact"]).stdin(Stdio::null()).env(ROLE, address).env("FAILPOINTS", set);
    if set.starts_with(Point::ScheduleAfterRenew.name()) {
        command.env(RENEWS, "1");
    }
    let output = command.output().expect("this binary runs");
    let ended = output.status.signal() == Some(SIGABRT);
    assert!(ended || output.status.success(), "{set}: {}", String::from_utf8_lossy(&output.stderr));
    ended
}

/// How often each tick was begun and done, in order; none is left out.
fn ledger<P: Place>(address: &str, what: &str) -> Vec<[u32; 2]> {
    let written = runtime().block_on(async {
        let db = P::open(address).await;
        let written = P::written(&db).await;
        P::close(db).await;
        written
    });
    let mut ledger = BTreeMap::<u64, [u32; 2]>::new();
    for line in written {
        let (word, tick) = line.split_once(' ').expect("two words");
        let counts = ledger.entry(tick.parse().expect("a number")).or_default();
        counts[usize::from(word == "done")] += 1;
    }
    let ticks: Vec<_> = ledger.keys().collect();
    assert!(ticks.windows(2).all(|pair| *pair[1] == pair[0] + STEP), "{what}: a tick is left out: {ledger:?}");
    ledger.into_values().collect()
}

/// Ends the process at each point, in its third run, or in any.
fn strikes<P: Place>() {
    let place = P::new();
    for (point, passed) in each(&Point::IN_SCHEDULES, &[2]) {
        let (what, folder) = (point.name(), Folder::new(point.name()));
        let address = place.fresh(&folder.0);
        let set = format!("{what}={passed}*off->1*return(abort)");
        assert!(ended_at_point(&address, &set), "{set}: it was not passed");
        let before = ledger::<P>(&address, what).len();
        runtime().block_on(P::end_leases(&address));
        assert!(!ended_at_point(&address, ""), "{what}");
        let ledger = ledger::<P>(&address, what);
        assert!(ledger.len() >= before.max(runs()), "{what}: {ledger:?}");
        let again: Vec<_> = ledger.iter().filter(|counts| **counts != [1, 1]).collect();
        match point {
            Point::ScheduleAfterRenew => assert_eq!(again, [&[2, 1]], "{what}: {ledger:?}"),
            Point::ScheduleAfterRun => assert_eq!(again, [&[2, 2]], "{what}: {ledger:?}"),
            _ => assert!(again.is_empty(), "{what}: {ledger:?}"),
        }
    }
}

/// A failure at each point.
fn fails<P: Place<Db: LeaseStore + Clone>>() {
    let (scenario, place) = (FailScenario::setup(), P::new());
    for point in Point::IN_SCHEDULES {
        let (what, folder) = (point.name(), Folder::new(&format!("{}-error", point.name())));
        let address = place.fresh(&folder.0);
        fail::cfg(what, "1*off->1*return(error)->off").expect("a good action");
        let failed = runtime().block_on(work::<P>(&address, point == Point::ScheduleAfterRenew));
        fail::remove(what);
        if point == Point::ScheduleBeforeRun {
            assert_eq!(failed, 1, "it is in the history");
            continue;
        }
        let ledger = ledger::<P>(&address, what);
        assert!(failed == 0 && ledger.iter().all(|counts| *counts == [1, 1]), "{what}: {failed}, {ledger:?}");
    }
    scenario.teardown();
}

mod sqlite {
    use super::*;

    #[test]
    fn j1_f27_a_process_that_ends_at_any_point_of_a_tick_leaves_none_out_and_repeats_only_what_it_ran() {
        strikes::<File>();
    }

    #[test]
    fn j1_a_failure_at_any_point_of_a_tick_leaves_none_out_and_repeats_none() {
        fails::<File>();
    }
}

mod postgres {
    use super::*;

    #[test]
    fn j1_f27_a_process_that_ends_at_any_point_of_a_tick_leaves_none_out_and_repeats_only_what_it_ran() {
        strikes::<Postgres>();
    }

    #[test]
    fn j1_a_failure_at_any_point_of_a_tick_leaves_none_out_and_repeats_none() {
        fails::<Postgres>();
    }
}

/// The lease is there, and the replica did not hear of it: it is its own, so the tick is run now, whatever becomes of
/// ticks that were missed.
#[tokio::test(start_paused = true)]
async fn j2_a_tick_whose_grant_was_not_heard_is_run_at_once_and_once() {
    let scenario = FailScenario::setup();
    for missed in [Missed::Once, Missed::All, Missed::Skip] {
        let ledger = Arc::new(Mutex::new(Vec::new()));
        let run = async |tick: Tick<Arc<Mutex<Vec<_>>>>| {
            tick.state().lock().expect("no panic").push(tick.planned());
            Ok::<_, HandlerError>(())
        };
        let service = Service::new("billing").state(ledger.clone()).transport(Memory::new());
        let service = service.leases(&MemoryLeases::new()).wall(Wall::following(Clock::system()));
        let when = Schedule::every(Duration::from_secs(60));
        let running = service.schedule_with(when, run, |s| s.name("report").missed(missed)).start().await;
        let running = running.expect("it starts");
        fail::cfg(Point::ScheduleAfterTake.name(), "1*off->1*return(error)->off").expect("a good action");
        tokio::time::sleep(Duration::from_secs(60 * 4 + 30)).await;
        running.stop().await.expect("it stops");
        let ticks = ledger.lock().expect("no panic").clone();
        assert!(ticks.len() >= 4, "{missed:?}: {ticks:?}");
        let minute = Some(Duration::from_secs(60));
        assert!(ticks.windows(2).all(|pair| pair[1].duration_since(pair[0]).ok() == minute), "{missed:?}: {ticks:?}");
        fail::remove(Point::ScheduleAfterTake.name());
    }
    scenario.teardown();
}
