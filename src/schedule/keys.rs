//! What settings say of schedules: the section `[schedule]`.

use jiff::tz::TimeZone;

use super::zone;
use crate::config::{Given, Key, Section};

/// What schedules have in common.
pub(crate) struct Settings {
    /// For those that name none.
    pub(super) zone: TimeZone,
}

impl Default for Settings {
    fn default() -> Self {
        Self { zone: TimeZone::UTC }
    }
}

/// The keys.
pub(crate) fn keys() -> Section<Settings> {
    let zone = "the time zone of schedules that name none: `Europe/Berlin`, or an offset such as `+01:00`";
    Section::new("schedule", vec![Key::with("zone", zone, ("text", "UTC"), set_zone)])
}

fn set_zone(settings: &mut Settings, given: &Given) -> Result<(), String> {
    let name = given.value.text().ok_or("give a time zone's name as text")?;
    settings.zone = zone::find(name).map_err(|error| error.to_string())?;
    Ok(())
}
