//! What runs by the clock: runs that do what chance says, and say what they did.

use std::sync::Arc;

use tegami::{
    HandlerError, Service,
    schedule::{OnTick, Schedule, Tick},
};

use crate::{
    happened::{Happened, How, Ticked},
    leases::turn,
    model::ScheduleFacts,
    world::World,
};

/// The longest a run may take, in milliseconds.
const TIMEOUT: u64 = 70_000;

/// One schedule in one life of a service.
struct Bell {
    world: Arc<World>,
    by: String,
}

/// Gives a service its schedules.
pub fn schedule(service: Service, world: &Arc<World>, (by, schedules): (&str, &[(usize, ScheduleFacts)])) -> Service {
    schedules.iter().fold(service, |service, (number, facts)| {
        let bell = Bell { world: world.clone(), by: by.to_owned() };
        let ScheduleFacts { every, missed, overlap } = facts.clone();
        service.schedule_with(Schedule::every(every), bell, |options| {
            let options = options.name(number.to_string()).missed(missed).overlap(overlap);
            options.timeout(std::time::Duration::from_millis(TIMEOUT))
        })
    })
}

impl OnTick for Bell {
    async fn call(&self, tick: Tick) -> Result<(), HandlerError> {
        let run = self.world.number();
        let (turn, by, wall) = (turn(tick.name(), tick.planned()), self.by.clone(), self.world.wall());
        self.world.note(Happened::Ticked(Ticked::Began { turn, by, run, wall }));
        let mut ringing = Ringing { world: &self.world, run, how: None };
        self.world.sleep(0..200).await;
        let answer = self.behave(&tick).await;
        ringing.how = Some(if answer.is_ok() { How::Done } else { How::Failed(None) });
        answer
    }
}

impl Bell {
    async fn behave(&self, tick: &Tick) -> Result<(), HandlerError> {
        if self.world.is_calm() {
            return Ok(());
        }
        match self.world.draw(0..100) {
            0..50 => {}
            50..60 => return Err(HandlerError::retry("the rope is gone")),
            60..65 => std::panic::resume_unwind(Box::new("the bell has cracked")),
            65..80 => self.world.sleep(0..20_000).await,
            80..92 => self.world.sleep(0..TIMEOUT).await,
            92..95 => tick.cancelled().await,
            95..97 => std::future::pending().await,
            _ => tokio::task::yield_now().await,
        }
        Ok(())
    }
}

/// One run; noted as ended when it is dropped, however that came about.
struct Ringing<'a> {
    world: &'a World,
    run: u64,
    how: Option<How>,
}

impl Drop for Ringing<'_> {
    fn drop(&mut self) {
        let unfinished = if std::thread::panicking() { How::Panicked } else { How::Dropped };
        let how = self.how.take().unwrap_or(unfinished);
        self.world.note(Happened::Ticked(Ticked::Ended { run: self.run, how }));
    }
}
