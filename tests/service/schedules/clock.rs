//! J-04: what comes when, with the expected times written out.

use std::time::Duration;

use tegami::schedule::Schedule;

use super::{time, upcoming};

#[test]
fn j4_a_time_that_is_skipped_comes_at_the_first_moment_after_it() {
    for (zone, expression, after, expected) in [
        (
            "Europe/Berlin",
            "30 2 * * *",
            "2026-03-27T12:00:00Z",
            ["2026-03-28 02:30:00 +01:00", "2026-03-29 03:00:00 +02:00", "2026-03-30 02:30:00 +02:00"],
        ),
        (
            "America/New_York",
            "30 2 * * *",
            "2026-03-07T00:00:00Z",
            ["2026-03-07 02:30:00 -05:00", "2026-03-08 03:00:00 -04:00", "2026-03-09 02:30:00 -04:00"],
        ),
        (
            "Australia/Lord_Howe",
            "15 2 * * *",
            "2026-10-02T15:00:00Z",
            ["2026-10-03 02:15:00 +10:30", "2026-10-04 02:30:00 +11:00", "2026-10-05 02:15:00 +11:00"],
        ),
        (
            "Africa/Cairo",
            "0 0 * * *",
            "2026-04-22T12:00:00Z",
            ["2026-04-23 00:00:00 +02:00", "2026-04-24 01:00:00 +03:00", "2026-04-25 00:00:00 +03:00"],
        ),
    ] {
        assert_eq!(upcoming(Schedule::cron(expression), zone, after, 3), expected, "{zone}");
    }
}

#[test]
fn j4_a_time_that_is_repeated_comes_once() {
    for (zone, expression, after, expected) in [
        (
            "Europe/Berlin",
            "30 2 * * *",
            "2026-10-24T12:00:00Z",
            ["2026-10-25 02:30:00 +02:00", "2026-10-26 02:30:00 +01:00"],
        ),
        (
            "America/New_York",
            "30 1 * * *",
            "2026-10-31T12:00:00Z",
            ["2026-11-01 01:30:00 -04:00", "2026-11-02 01:30:00 -05:00"],
        ),
        (
            "Australia/Lord_Howe",
            "45 1 * * *",
            "2026-04-04T12:00:00Z",
            ["2026-04-05 01:45:00 +11:00", "2026-04-06 01:45:00 +10:30"],
        ),
        (
            "Africa/Cairo",
            "15 23 * * *",
            "2026-10-29T12:00:00Z",
            ["2026-10-29 23:15:00 +03:00", "2026-10-30 23:15:00 +02:00"],
        ),
    ] {
        assert_eq!(upcoming(Schedule::cron(expression), zone, after, 2), expected, "{zone}");
    }
}

#[test]
fn j4_after_the_first_of_two_equal_hours_the_second_repeats_nothing() {
    let from_within = upcoming(Schedule::cron("*/30 1-3 * * *"), "Europe/Berlin", "2026-10-25T01:10:00Z", 2);
    assert_eq!(from_within, ["2026-10-25 03:00:00 +01:00", "2026-10-25 03:30:00 +01:00"]);
}

#[test]
fn j4_what_comes_in_every_hour_comes_in_both_of_two_equal_hours_in_order() {
    let expected = [
        "2026-10-25 02:00:00 +02:00",
        "2026-10-25 02:30:00 +02:00",
        "2026-10-25 02:00:00 +01:00",
        "2026-10-25 02:30:00 +01:00",
        "2026-10-25 03:00:00 +01:00",
    ];
    assert_eq!(upcoming(Schedule::cron("*/30 * * * *"), "Europe/Berlin", "2026-10-24T23:59:00Z", 5), expected);
    let spring = upcoming(Schedule::cron("*/30 * * * *"), "Europe/Berlin", "2026-03-29T00:20:00Z", 3);
    assert_eq!(spring, ["2026-03-29 01:30:00 +01:00", "2026-03-29 03:00:00 +02:00", "2026-03-29 03:30:00 +02:00"]);
    let half_hour = upcoming(Schedule::cron("*/15 * * * *"), "Australia/Lord_Howe", "2026-04-04T14:40:00Z", 4);
    let expected = [
        "2026-04-05 01:45:00 +11:00",
        "2026-04-05 01:30:00 +10:30",
        "2026-04-05 01:45:00 +10:30",
        "2026-04-05 02:00:00 +10:30",
    ];
    assert_eq!(half_hour, expected);
}

#[test]
fn j4_several_skipped_times_come_as_one() {
    let several = upcoming(Schedule::cron("0,30 1-3 * * *"), "Europe/Berlin", "2026-03-29T00:10:00Z", 4);
    let expected = [
        "2026-03-29 01:30:00 +01:00",
        "2026-03-29 03:00:00 +02:00",
        "2026-03-29 03:30:00 +02:00",
        "2026-03-30 01:00:00 +02:00",
    ];
    assert_eq!(several, expected);
}

#[test]
fn j4_a_day_that_a_zone_leaves_out_is_made_up_for_at_its_end() {
    let apia = upcoming(Schedule::cron("0 12 * * *"), "Pacific/Apia", "2011-12-29T12:00:00Z", 3);
    let expected = ["2011-12-29 12:00:00 -10:00", "2011-12-31 00:00:00 +14:00", "2011-12-31 12:00:00 +14:00"];
    assert_eq!(apia, expected);
}

#[test]
fn j4_leap_days_year_ends_and_2038_come() {
    let utc = |expression: &str, after, most| upcoming(Schedule::cron(expression), "UTC", after, most);
    let leap = ["2028-02-29 00:00:00 +00:00", "2032-02-29 00:00:00 +00:00", "2036-02-29 00:00:00 +00:00"];
    assert_eq!(utc("0 0 29 2 *", "2026-11-21T00:00:00Z", 3), leap);
    let last = ["2027-02-28 00:00:00 +00:00", "2028-02-29 00:00:00 +00:00"];
    assert_eq!(utc("0 0 L 2 *", "2026-11-21T00:00:00Z", 2), last);
    let turn = ["2026-12-31 23:59:59 +00:00", "2027-01-01 00:00:00 +00:00"];
    assert_eq!(utc("59,0 * * * * *", "2026-12-31T23:59:30Z", 2), turn);
    let wrap = ["2038-01-19 03:14:07 +00:00", "2038-01-19 03:14:08 +00:00"];
    assert_eq!(utc("7,8 14 3 19 1 *", "2037-12-31T00:00:00Z", 2), wrap);
    assert_eq!(upcoming(Schedule::heartbeat(), "UTC", "2038-01-19T03:14:06Z", 2), wrap);
    assert_eq!(utc("0 0 0 1 1 * 2099", "2026-01-01T00:00:00Z", 2), ["2099-01-01 00:00:00 +00:00"]);
}

#[test]
fn days_come_by_their_marks() {
    let utc = |expression: &str, most| {
        let times = upcoming(Schedule::cron(expression), "UTC", "2026-11-21T00:00:00Z", most);
        times.iter().map(|time| time[..10].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(utc("0 0 * * 5L", 2), ["2026-11-27", "2026-12-25"]);
    assert_eq!(utc("0 0 * * fri#2", 2), ["2026-12-11", "2027-01-08"]);
    assert_eq!(utc("0 0 15W * *", 3), ["2026-12-15", "2027-01-15", "2027-02-15"]);
    assert_eq!(utc("0 0 LW * *", 2), ["2026-11-30", "2026-12-31"]);
    assert_eq!(utc("0 0 L,15 * *", 3), ["2026-11-30", "2026-12-15", "2026-12-31"]);
    assert_eq!(utc("0 0 13 * fri", 4), ["2026-11-27", "2026-12-04", "2026-12-11", "2026-12-13"]);
    assert_eq!(utc("0 0 * * sat-sun", 3), ["2026-11-22", "2026-11-28", "2026-11-29"]);
    assert_eq!(utc("0 0 ? * 7", 1), utc("0 0 * * 0", 1));
    assert_eq!(utc("0 0 1-15/7 Dec *", 3), ["2026-12-01", "2026-12-08", "2026-12-15"]);
    assert_eq!(utc("@weekly", 1), ["2026-11-22"]);
}

#[test]
fn intervals_are_the_same_on_every_replica() {
    let every = |seconds| Schedule::every(std::time::Duration::from_secs(seconds));
    let quarter = ["2026-11-21 00:15:00 +00:00", "2026-11-21 00:30:00 +00:00"];
    for after in ["2026-11-21T00:00:00Z", "2026-11-21T00:07:31.25Z", "2026-11-21T00:14:59.999Z"] {
        assert_eq!(upcoming(every(900), "UTC", after, 2), quarter);
    }
    assert_eq!(
        upcoming(every(3600), "Europe/Berlin", "2026-10-25T00:30:00Z", 2),
        ["2026-10-25 02:00:00 +01:00", "2026-10-25 03:00:00 +01:00"]
    );
}

#[test]
fn timestamps_come_once_and_times_of_day_every_day() {
    let once = |text: &str, zone| upcoming(Schedule::at(text), zone, "2026-11-21T00:00:00Z", 3);
    assert_eq!(once("2026-12-24 18:00", "Europe/Berlin"), ["2026-12-24 18:00:00 +01:00"]);
    assert_eq!(once("2026-12-24T18:00:30", "UTC"), ["2026-12-24 18:00:30 +00:00"]);
    assert_eq!(once("2026-12-24T18:00:00Z", "Europe/Berlin"), ["2026-12-24 19:00:00 +01:00"]);
    assert_eq!(once("2027-03-28 02:30:00", "Europe/Berlin"), ["2027-03-28 03:00:00 +02:00"]);
    assert_eq!(once("2020-01-01 00:00:00", "UTC"), [""; 0]);
    let daily = ["2026-11-21 18:30:05 +00:00", "2026-11-22 18:30:05 +00:00", "2026-11-23 18:30:05 +00:00"];
    assert_eq!(once("18:30:05", "UTC"), daily);
}

/// How long this thread has run on processors, where the system tells: others may be there, too.
fn time_on_cpu() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(told.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or_default())
}

#[test]
fn an_impossible_day_is_refused_at_once_and_not_after_a_search() {
    let begun = time_on_cpu();
    for _ in 0..10 {
        Schedule::cron("0 0 30 2 *").upcoming(time("2026-01-01T00:00:00Z"), 1).expect_err("there is none");
    }
    let took = time_on_cpu() - begun;
    assert!(took.as_millis() < 650, "{took:?} for ten");
}

#[cfg(feature = "cron")]
mod foreign {
    use std::str::FromStr;

    use super::*;

    fn foreign(expression: &str) -> Schedule {
        cron::Schedule::from_str(expression).expect("it is one").into()
    }

    #[test]
    fn j4_schedules_of_the_crate_cron_come_in_order_and_once() {
        let autumn = upcoming(foreign("0 0,30 1-3 * * *"), "Europe/Berlin", "2026-10-24T23:40:00Z", 5);
        let expected = [
            "2026-10-25 02:00:00 +02:00",
            "2026-10-25 02:30:00 +02:00",
            "2026-10-25 03:00:00 +01:00",
            "2026-10-25 03:30:00 +01:00",
            "2026-10-26 01:00:00 +01:00",
        ];
        assert_eq!(autumn, expected);
        let spring = upcoming(foreign("0 30 2 * * *"), "Europe/Berlin", "2026-03-28T12:00:00Z", 2);
        assert_eq!(spring, ["2026-03-29 03:00:00 +02:00", "2026-03-30 02:30:00 +02:00"]);
        let hours = upcoming(foreign("0 30 * * * *"), "Europe/Berlin", "2026-10-25T00:10:00Z", 3);
        let expected = ["2026-10-25 02:30:00 +02:00", "2026-10-25 02:30:00 +01:00", "2026-10-25 03:30:00 +01:00"];
        assert_eq!(hours, expected);
    }

    /// The same in our own words, whose times around changes of the clock are written out above.
    #[test]
    fn j4_schedules_of_the_crate_cron_keep_the_clock_of_each_zone_as_ours_do() {
        for zone in ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Pacific/Apia"] {
            for expression in ["0 30 2 * * *", "0 0,30 1-3 * * *", "0 15 0 * * *", "0 */20 * * * *", "59 59 23 * * *"] {
                for begin in
                    ["2011-12-29T00:00:00Z", "2026-03-07T00:00:00Z", "2026-04-03T00:00:00Z", "2026-10-24T00:00:00Z"]
                {
                    let ours = upcoming(Schedule::cron(expression), zone, begin, 150);
                    let theirs = upcoming(foreign(expression), zone, begin, 150);
                    assert_eq!(theirs, ours, "{expression} in {zone}");
                }
            }
        }
    }

    #[test]
    fn j4_schedules_of_the_crate_cron_keep_to_other_zones_changes_too() {
        for (expression, zone, after, expected) in [
            (
                "0 30 2 * * *",
                "America/New_York",
                "2026-03-07T12:00:00Z",
                ["2026-03-08 03:00:00 -04:00", "2026-03-09 02:30:00 -04:00"],
            ),
            (
                "0 30 1 * * *",
                "America/New_York",
                "2026-11-01T04:00:00Z",
                ["2026-11-01 01:30:00 -04:00", "2026-11-02 01:30:00 -05:00"],
            ),
            (
                "0 15 2 * * *",
                "Australia/Lord_Howe",
                "2026-10-03T12:00:00Z",
                ["2026-10-04 02:30:00 +11:00", "2026-10-05 02:15:00 +11:00"],
            ),
            (
                "0 45 1 * * *",
                "Australia/Lord_Howe",
                "2026-04-04T12:00:00Z",
                ["2026-04-05 01:45:00 +11:00", "2026-04-06 01:45:00 +10:30"],
            ),
            (
                "0 0 12 * * *",
                "Pacific/Apia",
                "2011-12-29T00:00:00Z",
                ["2011-12-29 12:00:00 -10:00", "2011-12-31 00:00:00 +14:00"],
            ),
        ] {
            assert_eq!(upcoming(foreign(expression), zone, after, 2), expected, "{expression} in {zone}");
        }
    }

    #[test]
    fn schedules_of_the_crate_cron_keep_its_rules_for_fields() {
        let sunday = upcoming(foreign("0 0 0 * * 1"), "UTC", "2026-11-21T00:00:00Z", 1);
        assert_eq!(sunday, ["2026-11-22 00:00:00 +00:00"]);
        let never = foreign("0 0 0 30 2 *").upcoming(time("2026-11-21T00:00:00Z"), 1);
        assert_eq!(never.expect("it is one of the crate's").len(), 0);
    }
}

#[test]
fn j4_what_has_a_name_comes_when_it_says() {
    for (schedule, expected) in [
        (Schedule::heartbeat(), "2026-03-27 12:00:01 +00:00"),
        (Schedule::minutely(), "2026-03-27 12:01:00 +00:00"),
        (Schedule::hourly(), "2026-03-27 13:00:00 +00:00"),
        (Schedule::daily(), "2026-03-28 00:00:00 +00:00"),
        (Schedule::monthly(), "2026-04-01 00:00:00 +00:00"),
    ] {
        assert_eq!(upcoming(schedule, "UTC", "2026-03-27T12:00:00Z", 1), [expected]);
    }
}
