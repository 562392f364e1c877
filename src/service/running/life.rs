//! A service's life as a process: until a signal or itself ends it, with the last that is told to a collector.

use std::{pin::pin, process, time::Duration};

use super::{
    super::{Error, ErrorKind, Parts, Sender},
    Ended, FORCED, start,
};
use crate::{
    lifecycle::{Stop, Summons},
    time::Clock,
};

pub(in crate::service) async fn run(parts: Parts, sender: Sender) -> Result<(), Error> {
    let (mut summons, stop) = (Summons::listen(FORCED).await, Stop::default());
    let mut life = pin!(live_and_tell(parts, stop.clone(), sender));
    // What has ended has ended, whatever signal came beside it.
    let ended = tokio::select! {
        biased;
        ended = &mut life => ended?,
        () = summons.first() => {
            tracing::info!("stopping; a second signal ends the process at once");
            stop.interrupt();
            life.await?
        }
    };
    let code = match ended {
        Ended::Forced => FORCED,
        Ended::Drained => stop.code().into(),
    };
    match code {
        0 => Ok(()),
        code => process::exit(code),
    }
}

/// Lives, and sends what is left to tell of that in the time that the stop has left.
async fn live_and_tell(parts: Parts, stop: Stop, sender: Sender) -> Result<Ended, Error> {
    let ended = live(parts, stop.clone()).await;
    let now = Clock::system().instant();
    sender.close(stop.over().map_or(Duration::MAX, |over| over.saturating_duration_since(now))).await;
    ended
}

/// From the start to the end, once somebody asks for it.
async fn live(parts: Parts, stop: Stop) -> Result<Ended, Error> {
    let nothing = parts.wishes.is_empty()
        && parts.hooks.is_empty()
        && parts.schedules.is_empty()
        && parts.http.is_empty()
        && parts.databases.is_empty();
    if nothing {
        let text = format!(
            "service `{}` has no handler, no hook, no schedule, no route, no outbox and no projection: there is nothing to run",
            parts.name
        );
        return Err(Error::new(ErrorKind::Subscription, text));
    }
    let settings = parts.settings()?;
    let show = settings.banner;
    let running = start(parts, settings, stop.clone()).await?;
    running.banner.show(show);
    stop.requested().await;
    running.stop().await
}
