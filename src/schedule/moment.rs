//! Timestamps as text.

use jiff::{Timestamp, civil::DateTime, fmt::strtime};

use super::{cron, error::Wrong, when::When};

const WITH_DATE: [&str; 4] = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"];
const OF_A_DAY: [&str; 2] = ["%H:%M:%S", "%H:%M"];

/// When this timestamp is: once, or, if it has no date, every day.
pub(super) fn parse(text: &str) -> Result<When, Wrong> {
    let text = text.trim();
    if let Ok(moment) = text.parse::<Timestamp>() {
        // Stores of leases keep milliseconds.
        return Ok(When::Moment(Timestamp::from_millisecond(moment.as_millisecond()).unwrap_or(moment)));
    }
    if let Some(time) = WITH_DATE.iter().find_map(|format| DateTime::strptime(format, text).ok()) {
        return Ok(When::Once(time));
    }
    let of_a_day = OF_A_DAY.iter().find_map(|format| strtime::parse(format, text).ok()?.to_time().ok());
    let time = of_a_day.ok_or_else(|| {
        let expected = "`2030-12-24 18:00:00`, `2030-12-24T18:00:00Z` or, for every day, `18:00`";
        Wrong::new(1, format!("it is no timestamp; expected one such as {expected}"))
    })?;
    let daily = format!("{} {} {} * * *", time.second(), time.minute(), time.hour());
    Ok(When::Calendar(std::sync::Arc::new(cron::parse(&daily)?)))
}
