//! One life of a service: what it may still do once it was told to stop, and by when it must have.

use std::time::Duration;

use tegami::service::Ended;

use super::{
    Checked, ensure,
    hold::{Hold, Run},
};

/// Until handlers are dropped that were told to end.
const CUT_OFF_TIME: Duration = Duration::from_secs(5);
/// The longest stop, beyond the drain.
const AFTER_DRAIN: Duration = Duration::from_secs(10);
/// How long something that was taken may take to begin (S1).
const BEGIN: Duration = Duration::from_secs(1);

/// One life of a service.
#[derive(Default)]
pub struct Crew {
    stopping: Option<(Duration, Duration)>,
    /// When its handlers were told to end.
    cut: Option<Duration>,
    stopped: bool,
    pub killed: bool,
}

impl Crew {
    pub fn stopping(&mut self, now: Duration, drain: Duration) -> Checked {
        (self.stopping, self.cut) = (Some((now, drain)), Some(now + drain));
        Ok(())
    }

    pub fn killed(&mut self, now: Duration) -> Checked {
        (self.stopping, self.cut, self.killed) = (Some((now, Duration::ZERO)), Some(now), true);
        Ok(())
    }

    /// May it take a delivery?
    pub fn may_take(&self, now: Duration) -> Checked {
        ensure!(!self.stopped, "S1: a delivery is handed to a service that has stopped");
        let since = self.stopping.map(|(since, _)| since);
        ensure!(since.is_none_or(|since| now <= since), "S1: a delivery is taken after the stop began");
        Ok(())
    }

    /// May a handler begin?
    pub fn may_begin(&self, now: Duration) -> Checked {
        let since = self.stopping.map(|(since, _)| since);
        ensure!(since.is_none_or(|since| now <= since + BEGIN), "S1: a handler begins long after the stop began");
        Ok(())
    }

    /// May its relay send (S3)?
    pub fn may_send(&self, now: Duration) -> Checked {
        let since = self.stopping.map(|(since, _)| since);
        ensure!(since.is_none_or(|since| now <= since), "S3: the relay sends after the stop began");
        Ok(())
    }

    /// Have its handlers been let go of by now?
    pub fn cut_before(&self, now: Duration) -> bool {
        self.cut.is_some_and(|cut| now >= cut + CUT_OFF_TIME)
    }

    /// The stop is over, with these deliveries in the service.
    pub fn stopped(&mut self, now: Duration, ended: Ended, holds: &[&Hold]) -> Checked {
        self.stopped = true;
        let (since, drain) = self.stopping.ok_or("S1: it stopped unasked")?;
        let took = now - since;
        ensure!(took <= drain + AFTER_DRAIN, "S1: the stop took {took:?}, its drain is {drain:?}");
        for hold in holds {
            let (tag, going) = (hold.tag, matches!(hold.run, Run::Going(_)));
            ensure!(!going, "S1: the handler of {tag} runs on after the stop");
            ensure!(ended == Ended::Forced, "S2: {tag} is in the service after a whole drain");
            ensure!(hold.settlement.is_some(), "S1: {tag} was not given back by the stop");
        }
        Ok(())
    }
}
