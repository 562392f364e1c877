//! What stands for schedules in a service that is built without them: none.

use std::{sync::Arc, time::SystemTime};

use super::{Error, banner::Table};
use crate::{
    config::{Absent, Config, Known},
    lifecycle::{Lifecycle, Stop, Watch},
    publisher::Publisher,
    time::{Clock, Dice, Wall},
};

/// No schedules.
#[derive(Default)]
pub(crate) struct Schedules(());

/// Nothing to tell of.
#[derive(Default)]
pub(crate) struct Histories(());

/// What schedules would get.
#[expect(dead_code, reason = "there is nobody who reads it")]
pub(crate) struct Crew {
    pub(crate) service: Arc<str>,
    pub(crate) instance: String,
    pub(crate) publisher: Publisher,
    pub(crate) stop: Stop,
    pub(crate) watch: Watch,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) clock: Clock,
    pub(crate) wall: Wall,
    pub(crate) dice: Dice,
}

/// Nothing to show.
pub(crate) fn table(_: &Histories) -> Table {
    Table { heads: &[], rows: Vec::new() }
}

/// The section that is left out.
pub(crate) fn keys() -> Result<Box<dyn Known>, Absent> {
    Err(Absent { section: "schedule", feature: "schedule" })
}

impl Schedules {
    pub(crate) fn check(&mut self, _: SystemTime, _: &Config) -> Result<(), Error> {
        Ok(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        true
    }

    pub(crate) fn start(self, _: Crew) -> Histories {
        Histories(())
    }
}
