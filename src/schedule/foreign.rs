//! Schedules of the crate `cron`, with its own rules for fields, and ours for changes of the clock.

use std::sync::Arc;

use chrono::{DateTime as ChronoTime, Datelike, Timelike, Utc};
use cron::TimeUnitSpec;
use jiff::civil::DateTime;

use super::{
    Schedule,
    plan::Plan,
    when::{Local, Pace, When},
};

/// Only fields are asked of it, in UTC, where no time is skipped or repeated.
struct Foreign(cron::Schedule);

impl From<cron::Schedule> for Schedule {
    /// Its weekdays count from 1, a Sunday; a day must fit both its day and its weekday.
    fn from(schedule: cron::Schedule) -> Self {
        let text = schedule.to_string().escape_debug().to_string();
        Self { text, plan: Ok(Plan::of(When::Calendar(Arc::new(Foreign(schedule))))) }
    }
}

impl Local for Foreign {
    fn next(&self, from: DateTime, inclusive: bool) -> Option<DateTime> {
        let before = if inclusive { from.checked_sub(jiff::Span::new().seconds(1)).ok()? } else { from };
        let times = self.0.after(&chrono_time(before)?).filter_map(civil);
        // What it gives is not always later than what it was asked for.
        times.take(3).find(|time| if inclusive { *time >= from } else { *time > from })
    }

    fn pace(&self) -> Pace {
        if self.0.hours().is_all() { Pace::Hours } else { Pace::Wall }
    }
}

fn chrono_time(time: DateTime) -> Option<ChronoTime<Utc>> {
    let seconds = jiff::tz::TimeZone::UTC.to_timestamp(time).ok()?.as_second();
    ChronoTime::from_timestamp(seconds, 0)
}

fn civil(time: ChronoTime<Utc>) -> Option<DateTime> {
    let year = i16::try_from(time.year()).ok()?;
    let small = |number: u32| i8::try_from(number).ok();
    let (month, day) = (small(time.month())?, small(time.day())?);
    DateTime::new(year, month, day, small(time.hour())?, small(time.minute())?, small(time.second())?, 0).ok()
}
