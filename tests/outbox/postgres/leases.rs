//! Leases by the server's clock, and on connections that are ended.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use sqlx::{Connection, PgConnection};
use tegami::{
    HandlerError, Service,
    schedule::{
        LeaseStore, Missed, Overlap, Schedule, Tick,
        lease::{Claim, Known, Taken},
    },
    transport::Memory,
};

use super::Postgres;
use crate::{Subject, leases::processes, subject::until};

const HOUR: Duration = Duration::from_secs(3600);

/// F51: what a replica thinks that the time is counts for nothing.
#[tokio::test]
async fn j1_f51_replicas_whose_clocks_are_hours_apart_run_no_tick_twice() {
    let all = Postgres::open().await;
    let now = SystemTime::UNIX_EPOCH + 1_000 * HOUR;
    let claim = |holder: &str, now: SystemTime| {
        let mut claim = Claim::new("billing/report", SystemTime::UNIX_EPOCH + HOUR, holder);
        claim.now = now;
        claim
    };
    let (slow, right, fast) = (claim("slow", now - HOUR), claim("right", now), claim("fast", now + HOUR));
    assert_eq!(all.db.take(&right).await.expect("it answers"), Taken::Granted);
    for other in [&slow, &fast] {
        let taken = all.db.take(other).await.expect("it answers");
        assert!(matches!(taken, Taken::Held(left) if left <= right.lease), "{taken:?} for {}", other.holder);
    }
    let renewed = claim("right", now - HOUR);
    assert!(all.db.renew(&renewed).await.expect("it answers"));
    let taken = all.db.take(&right).await.expect("it answers");
    assert!(matches!(taken, Taken::Held(left) if left > right.lease / 2), "{taken:?}");
}

/// One that starts while a tick is granted knows it as the latest and as unfinished: nobody else would inherit it.
#[tokio::test]
async fn j1_a_replica_that_starts_while_a_tick_is_granted_inherits_it() {
    let all = Postgres::open().await;
    let (begun, tick) = (SystemTime::UNIX_EPOCH + HOUR, SystemTime::UNIX_EPOCH + 2 * HOUR);
    all.db.register("billing/report", begun).await.expect("it answers");
    let mut other = PgConnection::connect(&all.address()).await.expect("it can be reached");
    let grant = "BEGIN; UPDATE tegami.schedules SET latest = 7200000 WHERE name = 'billing/report'; \
                 INSERT INTO tegami.ticks VALUES ('billing/report', 7200000, 'other', now() + interval '30 seconds')";
    sqlx::raw_sql(grant).execute(&mut other).await.expect("it is granted");
    let starts = all.db.register("billing/report", begun);
    let commits = async {
        all.somebody_waits().await;
        sqlx::raw_sql("COMMIT").execute(&mut other).await.expect("it is committed");
    };
    let (known, ()) = tokio::join!(starts, commits);
    assert_eq!(known.expect("it answers"), Known::new(tick, vec![tick]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn j1_f51_a_replica_that_was_frozen_is_told_that_its_lease_is_lost() {
    processes::j1_f51_a_replica_that_was_frozen_is_told_that_its_lease_is_lost::<Postgres>().await;
}

type Ledger = Arc<Mutex<BTreeMap<SystemTime, u32>>>;

/// F47: every connection is ended again and again, in the middle of whatever it does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn j1_f47_connections_that_are_ended_lose_no_tick_and_double_none() {
    let (all, ledger) = (Postgres::open().await, Ledger::default());
    let note = |tick: Tick<Ledger>| async move {
        *tick.state().lock().expect("no panic").entry(tick.planned()).or_default() += 1;
        Ok::<_, HandlerError>(())
    };
    let mut replicas = Vec::new();
    for _ in 0..2 {
        let service = Service::new("billing").state(ledger.clone()).transport(Memory::new()).leases(&all.db);
        let every = Schedule::every(Duration::from_millis(20));
        let service =
            service.schedule_with(every, note, |s| s.name("report").missed(Missed::All).overlap(Overlap::Queue));
        replicas.push(service.start().await.expect("it starts"));
    }
    let kill = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                WHERE datname = 'test' AND application_name = 'tegami' AND pid <> pg_backend_pid()";
    let runs = || ledger.lock().expect("no panic").len();
    let mut ended = 0;
    for round in 1..=30 {
        until(async || runs() >= round * 5).await;
        ended += all.count(kill).await;
    }
    for replica in replicas {
        replica.stop().await.expect("it stops");
    }
    assert!(ended >= 30, "{ended} connections");
    let ledger = ledger.lock().expect("no panic");
    assert!(ledger.values().all(|runs| *runs == 1), "{ledger:?}");
    let ticks: Vec<_> = ledger.keys().collect();
    assert!(ticks.windows(2).all(|pair| *pair[1] == *pair[0] + Duration::from_millis(20)), "{ledger:?}");
}
