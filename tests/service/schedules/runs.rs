//! What becomes of ticks on one replica: J-02, J-03, J-05, timeouts, stops, jumps of the clock.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use tegami::{
    Error, HandlerError, Service,
    schedule::{Missed, Outcome, Overlap, Report, Schedule, ScheduleOptions, Tick, lease::MemoryLeases},
    service::{Ended, Running},
    testing::TestService,
    time::{Clock, Wall},
    transport::Memory,
};

use super::{shown, time};
use crate::{contracts::shop::orders::v1::OrderPaid, order};

/// Begins at 11:59:30.
const START: &str = "2026-11-21T11:59:30Z";

/// What ran, in order, and how much went on at once.
#[derive(Default)]
struct Log {
    planned: Vec<SystemTime>,
    running: usize,
    most: usize,
}

type State = Arc<Mutex<Log>>;

/// A clock that begins at the start.
fn wall() -> Wall {
    Wall::following(Clock::starting_at(time(START)))
}

/// Notes the run, and takes so long.
async fn noted(tick: &Tick<State>, long: Duration) {
    {
        let mut log = tick.state().lock().expect("no panic");
        log.planned.push(tick.planned());
        log.running += 1;
        log.most = log.most.max(log.running);
    }
    tokio::time::sleep(long).await;
    tick.state().lock().expect("no panic").running -= 1;
}

async fn quick(tick: Tick<State>) -> Result<(), HandlerError> {
    noted(&tick, Duration::ZERO).await;
    Ok(())
}

/// Takes two and a half minutes.
async fn long(tick: Tick<State>) -> Result<(), HandlerError> {
    noted(&tick, Duration::from_secs(150)).await;
    Ok(())
}

fn service(state: &State, wall: &Wall) -> Service<State> {
    Service::new("billing").state(state.clone()).transport(Memory::new()).wall(wall.clone())
}

async fn minutes(minutes: u64) {
    tokio::time::sleep(Duration::from_secs(60 * minutes)).await;
}

/// The planned times, as `12:00:00`.
fn planned(state: &State) -> Vec<String> {
    let times = state.lock().expect("no panic").planned.clone();
    shown(&times, "UTC").iter().map(|time| time[11..19].to_owned()).collect()
}

fn report(running: &Running) -> Report {
    running.schedules().remove(0)
}

#[tokio::test(start_paused = true)]
async fn a_schedule_runs_at_its_times_and_remembers_its_runs() -> Result<(), Error> {
    let (state, wall) = (State::default(), wall());
    let running = service(&state, &wall).cron("* * * * *", quick).start().await?;
    minutes(3).await;
    assert_eq!(planned(&state), ["12:00:00", "12:01:00", "12:02:00"]);
    let report = report(&running);
    assert_eq!((report.name.as_str(), report.schedule.as_str()), ("quick", "* * * * *"));
    assert_eq!(report.next, Some(time("2026-11-21T12:03:00Z")));
    assert_eq!(report.runs.len(), 3);
    for run in &report.runs {
        assert_eq!((run.outcome.as_ref(), run.started), (Some(&Outcome::Done), run.planned));
    }
    assert_eq!((report.skipped, report.missed), (0, 0));
    minutes(40).await;
    assert_eq!(running.schedules()[0].runs.len(), 32);
    assert_eq!(running.stop().await?, Ended::Drained);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn immediately_runs_once_more_at_the_start_and_every_counts_from_1970() -> Result<(), Error> {
    let (state, wall) = (State::default(), wall());
    let every = Schedule::every(Duration::from_secs(45)).immediately();
    let running = service(&state, &wall).schedule(every, quick).start().await?;
    minutes(2).await;
    assert_eq!(planned(&state), ["11:59:30", "12:00:00", "12:00:45"]);
    running.stop().await?;
    Ok(())
}

/// Runs so that five ticks are missed in between, by a restart.
async fn restarted(missed: Missed) -> Result<Vec<String>, Error> {
    let (state, wall, leases) = (State::default(), wall(), Arc::new(MemoryLeases::new()));
    let start = || {
        let service = service(&state, &wall).leases(&leases);
        service.schedule_with(Schedule::minutely(), quick, |s| s.missed(missed)).start()
    };
    let running = start().await?;
    minutes(1).await;
    running.stop().await?;
    minutes(5).await;
    let running = start().await?;
    minutes(1).await;
    running.stop().await?;
    Ok(planned(&state))
}

#[tokio::test(start_paused = true)]
async fn j2_of_five_ticks_while_the_service_was_down_once_runs_one_all_five_and_skip_none() -> Result<(), Error> {
    assert_eq!(restarted(Missed::Once).await?, ["12:00:00", "12:05:00", "12:06:00"]);
    let all = ["12:00:00", "12:01:00", "12:02:00", "12:03:00", "12:04:00", "12:05:00", "12:06:00"];
    assert_eq!(restarted(Missed::All).await?, all);
    assert_eq!(restarted(Missed::Skip).await?, ["12:00:00", "12:06:00"]);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn j2_a_year_of_missed_seconds_is_made_up_for_by_one_run_at_once() -> Result<(), Error> {
    let (state, wall) = (State::default(), wall());
    let running = service(&state, &wall).schedule(Schedule::cron("* * * * * *"), quick).start().await?;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    wall.forward(Duration::from_secs(365 * 86_400));
    let before = std::time::Instant::now();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(before.elapsed() < Duration::from_secs(20), "{:?}", before.elapsed());
    let times = shown(&state.lock().expect("no panic").planned, "UTC");
    assert_eq!(times, ["2026-11-21 11:59:31 +00:00", "2027-11-21 11:59:32 +00:00"]);
    assert_eq!(report(&running).missed, 1);
    running.stop().await?;
    Ok(())
}

/// What a minutely schedule with long runs does in ten minutes.
async fn overlapping(choose: fn(ScheduleOptions) -> ScheduleOptions) -> Result<(State, Report), Error> {
    let (state, wall) = (State::default(), wall());
    let running = service(&state, &wall).schedule_with(Schedule::minutely(), long, choose).start().await?;
    minutes(10).await;
    let report = report(&running);
    running.stop().await?;
    Ok((state, report))
}

#[tokio::test(start_paused = true)]
async fn j3_a_run_longer_than_its_interval_is_never_two_at_once() -> Result<(), Error> {
    let (state, report) = overlapping(|s| s).await?;
    assert_eq!(planned(&state), ["12:00:00", "12:03:00", "12:06:00", "12:09:00"]);
    assert_eq!((state.lock().expect("no panic").most, report.skipped, report.missed), (1, 6, 0));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn j3_queued_ticks_run_each_one_after_the_other() -> Result<(), Error> {
    let (state, report) = overlapping(|s| s.overlap(Overlap::Queue)).await?;
    assert_eq!(planned(&state), ["12:00:00", "12:01:00", "12:02:00", "12:03:00"]);
    assert_eq!((state.lock().expect("no panic").most, report.skipped, report.missed), (1, 0, 0));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn j3_parallel_runs_are_so_many_at_once() -> Result<(), Error> {
    let (state, report) = overlapping(|s| s.overlap(Overlap::Parallel(2))).await?;
    let expected = ["12:00:00", "12:01:00", "12:03:00", "12:04:00", "12:06:00", "12:07:00", "12:09:00"];
    assert_eq!(planned(&state), expected);
    assert_eq!((state.lock().expect("no panic").most, report.skipped), (2, 3));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn j5_h1_after_a_panic_an_error_or_a_timeout_the_next_tick_runs() -> Result<(), Error> {
    async fn fails(tick: Tick<State>) -> Result<(), HandlerError> {
        noted(&tick, Duration::ZERO).await;
        let number = tick.state().lock().expect("no panic").planned.len();
        match number {
            1 => panic!("on purpose"),
            2 => Err(HandlerError::retry("no \n luck")),
            3 => std::future::pending().await,
            _ => Ok(()),
        }
    }
    let (state, wall) = (State::default(), wall());
    let service = service(&state, &wall);
    let service = service.schedule_with(Schedule::minutely(), fails, |s| s.timeout(Duration::from_secs(20)));
    let running = service.start().await?;
    minutes(4).await;
    let outcomes: Vec<_> = report(&running).runs.into_iter().map(|run| run.outcome).collect();
    let panicked = Outcome::Panicked("panicked: on purpose".to_owned());
    let failed = Outcome::Failed("no   luck".to_owned());
    assert_eq!(outcomes, [Some(panicked), Some(failed), Some(Outcome::TimedOut), Some(Outcome::Done)]);
    running.stop().await?;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn j4_a_clock_put_back_repeats_nothing_and_put_forward_skips_no_daily_run() -> Result<(), Error> {
    let (state, wall) = (State::default(), wall());
    let hour = Duration::from_secs(3600);
    let service = service(&state, &wall).cron("* * * * *", quick);
    let daily = Arc::new(Mutex::new(Vec::new()));
    let noting = daily.clone();
    let service = service.schedule_with(
        Schedule::cron("30 12 * * *"),
        move |tick: Tick<State>| {
            noting.lock().expect("no panic").push(tick.planned());
            async { Ok(()) }
        },
        |s| s.name("daily"),
    );
    let running = service.start().await?;
    minutes(2).await;
    wall.back(hour);
    minutes(59).await;
    assert_eq!(planned(&state), ["12:00:00", "12:01:00"], "the minutes until 12:01 were run before");
    minutes(2).await;
    assert_eq!(planned(&state)[2..], ["12:02:00", "12:03:00"][..1], "and then it goes on");
    wall.forward(hour);
    minutes(1).await;
    assert_eq!(shown(&daily.lock().expect("no panic"), "UTC"), ["2026-11-21 12:30:00 +00:00"]);
    assert_eq!(planned(&state).last().map(String::as_str), Some("13:03:00"));
    running.stop().await?;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn s1_a_stop_waits_for_a_run_and_starts_none() -> Result<(), Error> {
    let (state, wall) = (State::default(), wall());
    let service = service(&state, &wall).drain(Duration::from_secs(300));
    let running =
        service.schedule_with(Schedule::minutely(), long, |s| s.overlap(Overlap::Parallel(9))).start().await?;
    minutes(1).await;
    assert_eq!(running.stop().await?, Ended::Drained);
    let log = state.lock().expect("no panic");
    assert_eq!((log.planned.len(), log.running), (1, 0));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn s1_a_run_that_does_not_end_in_the_drain_time_is_told_and_then_dropped() -> Result<(), Error> {
    async fn hangs(tick: Tick<State>) -> Result<(), HandlerError> {
        tick.cancelled().await;
        noted(&tick, Duration::from_secs(60)).await;
        Ok(())
    }
    let (state, wall) = (State::default(), wall());
    let running = service(&state, &wall).cron("* * * * *", hangs).start().await?;
    minutes(1).await;
    let begun = tokio::time::Instant::now();
    assert_eq!(running.stop().await?, Ended::Forced);
    assert!((35..=40).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    let log = state.lock().expect("no panic");
    assert_eq!((log.planned.len(), log.running), (1, 1), "it was told, and dropped as it went on");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn jitter_starts_each_run_later_by_chance_and_no_later_than_it_says() -> Result<(), Error> {
    let (state, wall) = (State::default(), wall());
    let schedule = Schedule::minutely().jitter(Duration::from_secs(20));
    let running = service(&state, &wall).schedule(schedule, quick).start().await?;
    minutes(30).await;
    let runs = report(&running).runs;
    let late: Vec<_> = runs.iter().map(|run| run.started.duration_since(run.planned).expect("not early")).collect();
    assert_eq!(runs.len(), 30);
    assert!(late.iter().all(|late| *late <= Duration::from_millis(20_010)), "{late:?}");
    let (least, most) = (late.iter().min(), late.iter().max());
    assert!(least < Some(&Duration::from_secs(5)) && most > Some(&Duration::from_secs(12)), "{late:?}");
    running.stop().await?;
    Ok(())
}

#[tokio::test]
async fn what_a_run_publishes_begins_a_conversation() -> Result<(), Error> {
    async fn publish(tick: Tick) -> Result<(), HandlerError> {
        assert_eq!(tick.name(), "publish");
        tick.publish(&order("o-1")).await?;
        Ok(())
    }
    let service = Service::new("billing").wall(wall()).every(Duration::from_secs(60), publish);
    let test = TestService::start(service).await?;
    test.advance(Duration::from_secs(120)).await;
    assert_eq!(test.published::<OrderPaid>().len(), 2);
    assert_eq!(test.schedules()[0].runs.len(), 2);
    test.stop().await?;
    Ok(())
}
