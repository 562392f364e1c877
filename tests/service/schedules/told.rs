//! What the start says of each schedule: its next five runs, by the clocks it goes by.

use tegami::{
    Error, HandlerError, Service,
    schedule::{Schedule, ScheduleOptions, Tick},
    time::{Clock, Wall},
    transport::Memory,
};
use tracing_subscriber::filter::LevelFilter;

use super::time;
use crate::log::Log;

async fn report(_: Tick) -> Result<(), HandlerError> {
    Ok(())
}

fn named(name: &str) -> impl FnOnce(ScheduleOptions) -> ScheduleOptions {
    move |options| options.name(name)
}

/// The lines about schedules of a service with these, which starts two days before clocks are put back in Berlin.
async fn told(schedules: impl IntoIterator<Item = (&'static str, Schedule)>) -> Result<Vec<String>, Error> {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.subscriber(LevelFilter::INFO));
    let wall = Wall::following(Clock::starting_at(time("2026-10-23T12:00:00Z")));
    let service = Service::new("billing").transport(Memory::new()).wall(wall);
    let schedules = schedules.into_iter();
    let service =
        schedules.fold(service, |service, (name, schedule)| service.schedule_with(schedule, report, named(name)));
    let running = service.start().await?;
    // The first look at the time comes after all of them have begun.
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    running.stop().await?;
    Ok(log.lines().into_iter().filter(|line| line.contains(" schedule=")).collect())
}

#[tokio::test(start_paused = true)]
async fn the_start_tells_the_next_five_runs_of_each_schedule() -> Result<(), Error> {
    let lines = told([
        ("nightly", Schedule::cron("30 2 * * *").in_zone("Europe/Berlin")),
        ("rare", Schedule::cron("0 12 29 2 *")),
        ("once", Schedule::at("2026-12-24 18:00")),
        ("over", Schedule::at("2020-12-24 18:00")),
    ])
    .await?;
    let nightly = "2026-10-24T02:30:00+02:00, 2026-10-25T02:30:00+02:00, 2026-10-26T02:30:00+01:00, \
                   2026-10-27T02:30:00+01:00, 2026-10-28T02:30:00+01:00";
    let rare = "2028-02-29T12:00:00+00:00, 2032-02-29T12:00:00+00:00, 2036-02-29T12:00:00+00:00, \
                2040-02-29T12:00:00+00:00, 2044-02-29T12:00:00+00:00";
    for (name, next) in [("nightly", nightly), ("rare", rare), ("once", "2026-12-24T18:00:00+00:00")] {
        let told = format!(" INFO tegami::schedule::runner: schedule waits schedule=\"{name}\" next=\"{next}\"");
        assert_eq!(lines.iter().filter(|line| line.ends_with(&told)).count(), 1, "{told} in {lines:#?}");
    }
    assert!(lines.iter().any(|line| line.contains("WARN") && line.ends_with("never comes again schedule=\"over\"")));
    assert_eq!(lines.len(), 4, "{lines:#?}");
    Ok(())
}
