//! Random schedules, held against a look at every minute.
//!
//! The evaluator here knows nothing but the clock on the wall at each minute: no parser, no calendar, no search.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};
use tegami::schedule::Schedule;

/// Numbers from a seed.
struct Draw(u64);

impl Draw {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    /// A field, as text and as the numbers that it means; none for `*`. Numbers are drawn up to `high`, `*` means all up to
    /// `last`.
    fn field(&mut self, low: u64, high: u64, last: u64) -> (String, Option<BTreeSet<u64>>) {
        let number = |draw: &mut Self| low + draw.below(high - low + 1);
        match self.below(4) {
            0 => ("*".to_owned(), None),
            1 => {
                let numbers: BTreeSet<u64> = (0..=self.below(3)).map(|_| number(self)).collect();
                (numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(","), Some(numbers))
            }
            2 => {
                let (one, other) = (number(self), number(self));
                let (from, to) = (one.min(other), one.max(other));
                (format!("{from}-{to}"), Some((from..=to).collect()))
            }
            _ => {
                let step = 1 + self.below(high - low);
                (format!("*/{step}"), Some((low..=last).step_by(step as usize).collect()))
            }
        }
    }
}

/// What a schedule means, minute by minute.
struct Slow {
    text: String,
    fields: [Option<BTreeSet<u64>>; 5],
}

impl Slow {
    fn draw(draw: &mut Draw) -> Self {
        // Few hours are drawn by chance where the clocks change, so most are put there.
        let drawn = [(0, 59, 59), (0, 5, 23), (1, 31, 31), (1, 12, 12), (0, 6, 6)];
        let mut drawn = drawn.map(|(low, high, last)| draw.field(low, high, last));
        if draw.below(3) > 0 {
            drawn[3] = ("*".to_owned(), None);
        }
        if draw.below(3) > 0 {
            drawn[2] = ("*".to_owned(), None);
        }
        let text = drawn.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>().join(" ");
        Self { text, fields: drawn.map(|(_, numbers)| numbers) }
    }

    fn fits(&self, time: DateTime) -> bool {
        let has = |place: usize, number: i8| self.fields[place].as_ref().is_none_or(|f| f.contains(&(number as u64)));
        let weekday = time.weekday().to_sunday_zero_offset();
        let (day, week) = (has(2, time.day()), has(4, weekday));
        let either = self.fields[2].is_some() && self.fields[4].is_some();
        has(0, time.minute())
            && has(1, time.hour())
            && has(3, time.month())
            && if either { day || week } else { day && week }
    }

    /// The times in a stretch, by a look at each minute.
    fn times(&self, zone: &TimeZone, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
        let (minute, by_hours) =
            (SignedDuration::from_mins(1), self.fields[1].as_ref().is_none_or(|hours| hours.len() == 24));
        let (mut found, mut latest, mut at) = (Vec::new(), zone.to_datetime(from), from + minute);
        while at <= to {
            let shown = zone.to_datetime(at);
            let mut skipped = latest + minute;
            let mut due = (by_hours || shown > latest) && self.fits(shown);
            while !by_hours && skipped < shown {
                due |= self.fits(skipped);
                skipped += minute;
            }
            if due {
                found.push(at);
            }
            latest = latest.max(shown);
            at += minute;
        }
        found
    }
}

#[test]
fn j4_random_schedules_come_when_a_look_at_every_minute_says() {
    let mut draw = Draw(20_261_121);
    let changes = [
        ("Europe/Berlin", "2026-03-29T01:00:00Z"),
        ("Europe/Berlin", "2026-10-25T01:00:00Z"),
        ("America/New_York", "2026-03-08T07:00:00Z"),
        ("America/New_York", "2026-11-01T06:00:00Z"),
        ("Australia/Lord_Howe", "2026-10-03T15:30:00Z"),
        ("Australia/Lord_Howe", "2026-04-04T15:00:00Z"),
        ("Africa/Cairo", "2026-04-23T22:00:00Z"),
        ("Africa/Cairo", "2026-10-29T21:00:00Z"),
        ("UTC", "2028-02-29T00:00:00Z"),
    ];
    let mut times = 0;
    for round in 0..270 {
        let (name, change) = changes[round % changes.len()];
        let (zone, change) = (TimeZone::get(name).expect("a zone"), change.parse::<Timestamp>().expect("a time"));
        let (from, to) = (change - SignedDuration::from_hours(30), change + SignedDuration::from_hours(50));
        let slow = Slow::draw(&mut draw);
        let expected = slow.times(&zone, from, to);
        let schedule = Schedule::cron(&slow.text).in_zone(name);
        // Days that no month has are refused, and never come.
        let Ok(got) = schedule.upcoming(from.into(), expected.len() + 1) else {
            assert!(expected.is_empty(), "`{}` in {name} is refused", slow.text);
            continue;
        };
        let got: Vec<Timestamp> = got.into_iter().filter_map(|time| time.try_into().ok()).collect();
        let within: Vec<Timestamp> = got.iter().copied().filter(|time| *time <= to).collect();
        assert_eq!(within, expected, "`{}` in {name}", slow.text);
        times += expected.len();
    }
    assert!(times > 5_000, "only {times} times were compared");
}
