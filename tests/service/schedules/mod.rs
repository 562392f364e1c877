//! Schedules: what comes when, what is refused, and what becomes of each tick (J).

mod clock;
mod dialect;
mod misuse;
mod replicas;
mod runs;
mod slow;
mod told;

use std::time::SystemTime;

use jiff::{Timestamp, tz::TimeZone};
use tegami::schedule::Schedule;

/// The time that is written so.
fn time(text: &str) -> SystemTime {
    text.parse::<Timestamp>().expect(text).into()
}

/// How the clock on the wall shows these times, with its offset.
fn shown(times: &[SystemTime], zone: &str) -> Vec<String> {
    let zone = TimeZone::get(zone).expect("a zone");
    let show = |time: &SystemTime| Timestamp::try_from(*time).expect("in bounds").to_zoned(zone.clone());
    times.iter().map(|time| show(time).strftime("%Y-%m-%d %H:%M:%S %:z").to_string()).collect()
}

/// The next times in this zone, as its clocks show them.
fn upcoming(schedule: Schedule, zone: &str, after: &str, most: usize) -> Vec<String> {
    let times = schedule.in_zone(zone).upcoming(time(after), most);
    shown(&times.expect("it is a schedule"), zone)
}
