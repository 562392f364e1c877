//! Time zones by name: from the machine, else from the tables that are compiled in.

use jiff::tz::{Offset, TimeZone, TimeZoneDatabase, db};

use super::error::{ScheduleError, ScheduleErrorKind};

/// The zone of this name, or of this offset (`+01:00`).
pub(super) fn find(name: &str) -> Result<TimeZone, ScheduleError> {
    if let Some(zone) = offset(name) {
        return Ok(zone);
    }
    let known = db().get(name).or_else(|_| TimeZoneDatabase::bundled().get(name));
    known.ok().filter(|zone| !zone.is_unknown()).ok_or_else(|| unknown(name))
}

fn unknown(name: &str) -> ScheduleError {
    let text = format!("there is no time zone `{}`; expected a name such as `Europe/Berlin`", name.escape_debug());
    let hint = meant(name).map(|meant| format!(" (did you mean `{meant}`?)")).unwrap_or_default();
    ScheduleError::new(ScheduleErrorKind::Zone, text + &hint)
}

/// The zone that ends in what was written.
fn meant(name: &str) -> Option<String> {
    let city = name.rsplit('/').next().unwrap_or_default().replace(' ', "_").to_ascii_lowercase();
    let zones = TimeZoneDatabase::bundled();
    let mut known = zones.available().map(|zone| zone.as_str().to_owned());
    known.find(|zone| !city.is_empty() && zone.to_ascii_lowercase().ends_with(&format!("/{city}")))
}

/// `+01:00`, as far as 14 hours.
fn offset(name: &str) -> Option<TimeZone> {
    let (sign, rest) = match name.strip_prefix('+') {
        Some(rest) => (1, rest),
        None => (-1, name.strip_prefix('-')?),
    };
    let (hours, minutes) = rest.split_once(':')?;
    let number = |text: &str| text.parse::<i32>().ok().filter(|_| text.len() == 2 && !text.starts_with(['+', '-']));
    let (hours, minutes) = (number(hours)?, number(minutes).filter(|minutes| *minutes < 60)?);
    let seconds = sign * (hours * 3600 + minutes * 60);
    (hours <= 14).then(|| Offset::from_seconds(seconds).ok().map(Offset::to_time_zone)).flatten()
}
