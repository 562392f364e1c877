//! The dialect of tomodachi, held against what a real tomodachi answered.

use std::time::SystemTime;

use jiff::Timestamp;
use tegami::schedule::Schedule;

use super::time;

/// Written by `record_tomodachi.py`.
const RECORDED: &str = include_str!("tomodachi.txt");

/// Where tomodachi passes times over: its search does not look at the first of December, nor at what is left of a year.
const PASSED_OVER: [&str; 3] = ["47-23/2 20-5/4,*/21 * */2,feb *", "48/7 0,23 * */6 *", "* * * 4/1 7/2"];

/// What is asked of us here, as a line of the record.
fn line(interval: &str, recorded: &[&str]) -> String {
    let [_, from, times] = recorded else { return told(interval, "2026-11-21T10:17", 1) };
    told(interval, from, times.split(' ').filter(|time| !time.is_empty()).count())
}

fn told(interval: &str, from: &str, most: usize) -> String {
    // Recorded times may be the one they were asked for at.
    let after = time(&format!("{from}:00Z")) - std::time::Duration::from_secs(1);
    let Ok(times) = Schedule::tomodachi(interval).upcoming(after, most) else { return format!("{interval} | refused") };
    let show =
        |time: &SystemTime| Timestamp::try_from(*time).expect("in bounds").strftime("%Y-%m-%dT%H:%M").to_string();
    format!("{interval} | {from} | {}", times.iter().map(show).collect::<Vec<_>>().join(" "))
}

#[test]
fn tomodachis_intervals_come_when_tomodachi_runs_them() {
    let mut ours = String::new();
    for recorded in RECORDED.lines() {
        let parts: Vec<&str> = recorded.split(" | ").collect();
        ours += &(line(parts[0], &parts) + "\n");
    }
    let differ: Vec<_> = RECORDED.lines().zip(ours.lines()).filter(|(theirs, ours)| theirs != ours).collect();
    let (defects, differ): (Vec<_>, Vec<_>) =
        differ.into_iter().partition(|(theirs, _)| PASSED_OVER.iter().any(|known| theirs.starts_with(known)));
    assert!(differ.is_empty(), "{differ:#?}");
    assert!(defects.len() == 3 && defects.iter().all(|(theirs, ours)| ours < theirs), "{defects:#?}");
    assert!(RECORDED.lines().count() > 200);
}

#[test]
fn the_last_day_of_a_month_is_not_passed_over_as_in_tomodachi() {
    // tomodachi, asked at 30 January 23:59:01, goes on in February.
    let next = Schedule::tomodachi("* * * * *").upcoming(time("2026-01-30T23:59:01Z"), 1).expect("a schedule");
    assert_eq!(next, [time("2026-01-31T00:00:00Z")]);
    let next = Schedule::tomodachi("59 23 * * *").upcoming(time("2026-11-29T23:59:01Z"), 1).expect("a schedule");
    assert_eq!(next, [time("2026-11-30T23:59:00Z")]);
}

#[test]
fn tomodachis_seconds_are_intervals() {
    let second = |text: &str| Schedule::tomodachi(text).upcoming(time("2026-11-21T00:00:01Z"), 2).expect("a schedule");
    for text in ["30s", "30 s", "30 seconds", "30seconds"] {
        assert_eq!(second(text), [time("2026-11-21T00:00:30Z"), time("2026-11-21T00:01:00Z")], "{text}");
    }
    for text in ["every second", "1s", "1 s", "1second", "second", "secondly", "once per second"] {
        assert_eq!(second(text), [time("2026-11-21T00:00:02Z"), time("2026-11-21T00:00:03Z")], "{text}");
    }
}
