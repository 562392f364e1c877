//! What becomes of ticks for which no process ran, or none had an answer (J2).

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use jiff::Timestamp;
use tegami::{
    HandlerError, Service,
    health::State,
    schedule::{Missed, Overlap, Schedule, ScheduleOptions, Tick},
    service::Running,
    time::{Clock, Wall},
    transport::Memory,
};

use super::known;
use crate::subject::{Deed, Subject, until};

/// How often each tick was run.
type Ledger = Arc<Mutex<BTreeMap<SystemTime, u32>>>;

async fn report(tick: Tick<Ledger>) -> Result<(), HandlerError> {
    *tick.state().lock().expect("no panic").entry(tick.planned()).or_default() += 1;
    Ok(())
}

fn time(text: &str) -> SystemTime {
    text.parse::<Timestamp>().expect(text).into()
}

/// A replica that goes by this clock.
async fn replica<S: Subject>(
    all: &S,
    ledger: &Ledger,
    wall: &Wall,
    when: Schedule,
    (missed, overlap): (Missed, Overlap),
) -> Running {
    let service = Service::new("billing").state(ledger.clone()).transport(Memory::new()).wall(wall.clone());
    let chosen = |options: ScheduleOptions| options.name(name(missed, overlap)).missed(missed).overlap(overlap);
    service.leases(all.db()).schedule_with(when, report, chosen).start().await.expect("it starts")
}

fn name(missed: Missed, overlap: Overlap) -> String {
    format!("{missed:?} {overlap:?}")
}

fn showing(text: &str) -> Wall {
    Wall::following(Clock::starting_at(time(text)))
}

fn ticks(ledger: &Ledger) -> Vec<(SystemTime, u32)> {
    ledger.lock().expect("no panic").iter().map(|(tick, runs)| (*tick, *runs)).collect()
}

/// Waits until the schedule looks forward to this time, with nothing under way.
async fn waits_for(running: &Running, next: &str) {
    let next = Some(time(next));
    until(async || {
        let report = running.schedules().remove(0);
        report.next == next && report.runs.iter().all(|run| run.ended.is_some())
    })
    .await;
}

pub(crate) async fn j2_ticks_of_which_no_process_ran_are_run_once_all_or_not_at_all<S: Subject>() {
    let all = <S as Subject>::open().await;
    let minute = |minutes: u64| (time("2026-11-21T12:00:00Z") + Duration::from_secs(60 * minutes), 1);
    for (missed, runs) in [(Missed::Once, &[5][..]), (Missed::All, &[1, 2, 3, 4, 5]), (Missed::Skip, &[])] {
        for overlap in [Overlap::Skip, Overlap::Queue] {
            let ledger = Ledger::default();
            // Then five minutes in which nobody is there.
            for (start, next) in [("11:59:59.5", "12:01:00"), ("12:05:30", "12:06:00")] {
                let wall = showing(&format!("2026-11-21T{start}Z"));
                let running = replica(&all, &ledger, &wall, Schedule::minutely(), (missed, overlap)).await;
                waits_for(&running, &format!("2026-11-21T{next}Z")).await;
                running.stop().await.expect("it stops");
            }
            let expected = std::iter::once(0).chain(runs.iter().copied()).map(minute);
            assert_eq!(ticks(&ledger), expected.collect::<Vec<_>>(), "{missed:?}, {overlap:?}");
        }
    }
}

pub(crate) async fn j2_while_the_database_is_away_nothing_runs_and_then_what_was_chosen_does<S: Subject>() {
    let all = <S as Subject>::open().await;
    for chosen in [(Missed::All, Overlap::Queue), (Missed::Once, Overlap::Skip)] {
        let (ledger, wall) = (Ledger::default(), showing("2026-11-21T12:00:00.5Z"));
        let running = replica(&all, &ledger, &wall, Schedule::every(Duration::from_secs(1)), chosen).await;
        until(async || !ticks(&ledger).is_empty()).await;
        let schedule = format!("billing/{}", name(chosen.0, chosen.1));
        until(async || known(&all, &schedule).await.unfinished.is_empty()).await;
        all.execute(Deed::HideLeases).await;
        until(async || running.health().await.state == State::Degraded).await;
        let before = ticks(&ledger);
        wall.forward(Duration::from_secs(20));
        all.execute(Deed::ShowLeases).await;
        until(async || ticks(&ledger).last() > Some(&(before[0].0 + Duration::from_secs(22), 1))).await;
        until(async || running.health().await.state == State::Up).await;
        running.stop().await.expect("it stops");
        let after = ticks(&ledger);
        assert_eq!(after[..before.len()], before[..], "nothing ran meanwhile");
        assert!(after.iter().all(|(_, runs)| *runs == 1), "{after:?}");
        let left_out =
            1 + (after[after.len() - 1].0.duration_since(after[0].0).expect("in order")).as_secs() - after.len() as u64;
        match chosen.0 {
            Missed::All => assert_eq!(left_out, 0, "{after:?}"),
            _ => assert!(left_out >= 10, "{after:?}"),
        }
    }
}
