//! The loop that runs one projection: takes it, reads its events, has them handled, and tells how it is.
//!
//! Any number of projectors may be there for one projection; one of them runs it, the others wait for their turn.

use std::{error::Error, time::Duration};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    Checkpoint, Checkpoints, Claim, Held, LONGEST, Projection, ProjectionOptions, astray,
    batch::{Batch, Moved, Trouble, passed},
    pages::Pages,
    publishing::{Ahead, Ends, Sent, Way, is_away},
    sign::{Sign, Teller},
};
use crate::{
    error::told,
    failpoint::Point,
    health::Status,
    lifecycle,
    publisher::Publisher,
    store::{Position, Recorded, Store, StoreError},
    telemetry::Observers,
    time::{Clock, Dice, Wall, backoff},
};

/// Runs one projection.
pub(crate) struct Projector<D: Checkpoints> {
    projection: Projection<D::Tx>,
    database: D,
    store: Store,
    pages: Pages,
    options: ProjectionOptions,
    crew: Crew,
    course: Course,
}

/// What a projector gets of its service.
pub(crate) struct Crew {
    /// Who it is among all projectors.
    pub(crate) id: String,
    pub(crate) clock: Clock,
    pub(crate) wall: Wall,
    pub(crate) dice: Dice,
    pub(crate) publisher: Publisher,
    pub(crate) observers: Observers,
    pub(crate) draining: CancellationToken,
    /// How long a stop waits for it.
    pub(crate) drain: Duration,
    pub(crate) cut: CancellationToken,
    pub(crate) sign: Sign,
}

/// Where it is.
#[derive(Default)]
struct Course {
    /// The checkpoint, while it has the projection, and when it last said so.
    held: Option<(Position, Instant)>,
    /// Up to where there are no events but those that are handled.
    looked: Position,
    /// What was published behind the checkpoint since it has the projection.
    ahead: Ahead,
    /// How often the next event has failed.
    failures: u32,
    /// How often database or store did not answer.
    outages: u32,
}

/// What a turn came to.
enum Turn {
    /// It is this one's now.
    Taken,
    /// Events were handled; there may be more.
    On,
    /// There are no more events.
    CaughtUp,
    /// Another projector runs it.
    Elsewhere,
    /// It is not where it was thought to be.
    Lost,
}

/// What to wait for.
enum Wait {
    Nothing,
    Events,
    For(Duration),
}

impl<D: Checkpoints> Projector<D> {
    pub(crate) fn new(
        projection: Projection<D::Tx>,
        (database, store): (D, Store),
        options: ProjectionOptions,
        crew: Crew,
    ) -> Self {
        let pages = Pages::new(store.clone(), projection.query(&store), options.batch);
        Self { projection, database, store, pages, options, crew, course: Course::default() }
    }

    /// Runs the projection until the service drains; stops between events (S3), and gives it up for others.
    pub(crate) async fn run(mut self) {
        let cut = self.crew.cut.clone();
        let progress = self.projection.progress(&self.database, &self.store).wall(self.crew.wall.clone());
        let teller = Teller { progress, sign: self.crew.sign.clone(), observers: self.crew.observers.clone() };
        let working = async move {
            tokio::select! {
                biased;
                () = self.work() => {}
                () = teller.tell_for_ever() => {}
            }
        };
        // Cut off, a transaction that is open is undone.
        let _ = cut.run_until_cancelled(lifecycle::roving(working)).await;
    }

    async fn work(&mut self) {
        let draining = self.crew.draining.clone();
        while !draining.is_cancelled() {
            let turn = self.turn().await;
            let wait = self.judge(turn);
            tokio::select! {
                biased;
                () = draining.cancelled() => break,
                () = self.rest(wait) => {}
            }
        }
        if self.course.held.is_some()
            && let Err(error) = self.batch().give_up().await
        {
            let projection = self.projection.id();
            tracing::warn!(%projection, error = error.with_causes(), "others get the projection only after its hold");
        }
    }

    async fn turn(&mut self) -> Result<Turn, Trouble> {
        let Some((_, said)) = self.course.held else { return self.take().await };
        let page = self.pages.after(self.course.looked).await.map_err(unread)?;
        passed(Point::ProjectionRead)?;
        // Once it is read, however long that took: what publishes needs some of the hold.
        if self.crew.clock.instant() >= said + self.options.renewal()
            && let Turn::Lost = self.transact(&[], self.course.looked).await?
        {
            return Ok(Turn::Lost);
        }
        if page.events.is_empty() {
            self.course.looked = page.next;
            return self.idle().await;
        }
        if !self.projection.outlets.is_empty() {
            return self.publish(&page.events, page.next).await;
        }
        self.handle(&page.events, page.next).await
    }

    /// Has events handled, in as many transactions as that takes.
    async fn handle(&mut self, events: &[Recorded], end: Position) -> Result<Turn, Trouble> {
        let mut left = events;
        loop {
            let turn = self.handle_some(left, end).await?;
            left = &left[left.partition_point(|event| event.position <= self.course.looked)..];
            if left.is_empty() || !matches!(turn, Turn::On) || self.crew.draining.is_cancelled() {
                return Ok(turn);
            }
            self.went_on();
        }
    }

    /// Has as many events handled as one transaction takes, or as come before one that fails.
    async fn handle_some(&mut self, events: &[Recorded], end: Position) -> Result<Turn, Trouble> {
        let (mut events, mut end) = (events, end);
        loop {
            match self.transact(events, end).await {
                // What comes before it is handled, so that it comes first.
                Err(Trouble::Event { index: index @ 1.., .. }) => {
                    events = &events[..index];
                    end = events[index - 1].position;
                }
                moved => return moved.map_err(|trouble| trouble.at(&events[0])),
            }
        }
    }

    /// Publishes events, and moves behind those that are published. A crash in between publishes them once more.
    async fn publish(&mut self, events: &[Recorded], end: Position) -> Result<Turn, Trouble> {
        let Some((_, said)) = self.course.held else { return Ok(Turn::Lost) };
        let Crew { publisher, draining, drain, clock, .. } = &self.crew;
        let (outlets, store, until) = (&self.projection.outlets, &self.store, said + self.options.hold / 2);
        let way = Way::new(outlets, (publisher, store), Ends { draining, patience: *drain / 3, clock, until });
        let Sent { done, error } = way.send(events, &mut self.course.ahead).await;
        passed(Point::ProjectionAfterEffect)?;
        let mut turn = Turn::On;
        if let Some(last) = events[..done].last() {
            let to = if done == events.len() { end } else { last.position };
            turn = self.transact(&[], to).await?;
            if let Turn::On = turn {
                self.went_on();
            }
        }
        match error {
            Some((place, error)) if !is_away(&error) => Err(Trouble::Event { index: place, error }.at(&events[place])),
            Some((_, error)) => Err(Trouble::Away(error)),
            None => Ok(turn),
        }
    }

    /// Nothing waits to be handled. Was it set back meanwhile, or taken?
    async fn idle(&self) -> Result<Turn, Trouble> {
        let known = self.database.checkpoint(self.projection.id()).await?;
        let kept = known.is_some_and(|known| {
            let here = self.course.held.is_some_and(|(position, _)| position == known.position);
            here && known.projector.as_ref() == Some(&self.crew.id)
        });
        Ok(if kept { Turn::CaughtUp } else { Turn::Lost })
    }

    /// Takes the projection, unless somebody else has it.
    async fn take(&mut self) -> Result<Turn, Trouble> {
        let known = self.database.checkpoint(self.projection.id()).await?;
        let now = self.crew.wall.now();
        let others =
            known.as_ref().filter(|known| known.projector.as_ref().is_some_and(|other| *other != self.crew.id));
        if others.is_some_and(|known| known.held_until > now && known.held_until <= now + LONGEST) {
            return Ok(Turn::Elsewhere);
        }
        if let Some(Checkpoint { position, .. }) = &known {
            self.check(*position).await?;
        }
        let is_ours = |known: &Checkpoint| known.projector.as_ref() == Some(&self.crew.id);
        let was_ours = known.as_ref().is_some_and(is_ours);
        let said = self.crew.clock.instant();
        let Held::Here(position) = self.batch().take().await? else { return Ok(Turn::Elsewhere) };
        tracing::info!(projection = %self.projection.id(), %position, "runs the projection");
        self.course.held = Some((position, said));
        self.course.looked = position;
        // A commit that was made and not answered has moved it.
        match was_ours {
            true => self.course.ahead.found(position),
            false => self.course.ahead = Ahead::behind(position),
        }
        Ok(Turn::Taken)
    }

    /// Is the checkpoint one of the store as it is? One that is not is marked, so that it is known from then on.
    async fn check(&self, checkpoint: Position) -> Result<(), Trouble> {
        let Some(found) = astray::look(checkpoint, &self.store).await.map_err(unread)? else { return Ok(()) };
        if let Some(mark) = found.mark {
            self.batch().mark(checkpoint, mark).await?;
        }
        Err(Trouble::Astray(astray::mistake(self.projection.id(), found.was)))
    }

    async fn transact(&mut self, events: &[Recorded], end: Position) -> Result<Turn, Trouble> {
        let Some((from, _)) = self.course.held else { return Ok(Turn::Lost) };
        let said = self.crew.clock.instant();
        match self.batch().transact(from, events, end).await? {
            Moved::Lost => Ok(Turn::Lost),
            Moved::To(position) => {
                self.course.held = Some((position, said));
                self.course.looked = self.course.looked.max(position);
                self.course.ahead.moved(position);
                self.projection.moved.send_modify(|moved| *moved += 1);
                Ok(Turn::On)
            }
        }
    }

    fn batch(&self) -> Batch<'_, D> {
        let id = self.projection.id().clone();
        Batch {
            projection: &self.projection,
            database: &self.database,
            store: &self.store,
            options: &self.options,
            clock: &self.crew.clock,
            draining: &self.crew.draining,
            claim: Claim::new(id, &*self.crew.id, self.options.hold, self.crew.wall.now()),
        }
    }

    /// What to wait for.
    fn judge(&mut self, turn: Result<Turn, Trouble>) -> Wait {
        match turn {
            Ok(turn) => self.went(turn),
            Err(Trouble::Event { error, .. }) => self.event_failed(&*error),
            Err(Trouble::Away(error)) => self.away(&*error),
            Err(Trouble::Astray(error)) => self.stand_still(&told(&error)),
        }
    }

    fn went(&mut self, turn: Turn) -> Wait {
        self.course.outages = 0;
        match turn {
            Turn::Taken => return Wait::Nothing,
            Turn::Lost => {
                let projection = self.projection.id();
                tracing::warn!(%projection, "the projection was set back, or taken by somebody else; looks again");
                (self.course.held, self.course.ahead, self.course.failures) = (None, Ahead::default(), 0);
                return Wait::Nothing;
            }
            Turn::On | Turn::CaughtUp | Turn::Elsewhere => self.went_on(),
        }
        match turn {
            Turn::CaughtUp => Wait::Events,
            Turn::Elsewhere => Wait::For(self.options.poll),
            Turn::On | Turn::Taken | Turn::Lost => Wait::Nothing,
        }
    }

    /// No event is in the way any more.
    fn went_on(&mut self) {
        if self.crew.sign.goes_on() {
            tracing::info!(projection = %self.projection.id(), "the projection goes on");
        }
        self.course.failures = 0;
    }

    fn event_failed(&mut self, error: &(dyn Error + 'static)) -> Wait {
        self.course.failures = self.course.failures.saturating_add(1);
        let (projection, failures, reason) = (self.projection.id(), self.course.failures, told(error));
        if failures <= self.options.retries {
            let wait = backoff(failures, &self.crew.dice);
            tracing::warn!(%projection, failures, reason, ?wait, "an event was not handled; will try again");
            return Wait::For(wait);
        }
        self.stand_still(&reason)
    }

    fn stand_still(&self, reason: &str) -> Wait {
        let (projection, wait) = (self.projection.id(), self.options.again.min(self.options.renewal()));
        tracing::error!(%projection, reason, ?wait, "the projection stands still; will try again");
        self.crew.sign.stands(reason);
        Wait::For(wait)
    }

    fn away(&mut self, error: &(dyn Error + 'static)) -> Wait {
        // Whether it was committed, and who has it now, is not known.
        self.course.held = None;
        self.course.outages = self.course.outages.saturating_add(1);
        let (projection, reason, wait) =
            (self.projection.id(), told(error), backoff(self.course.outages, &self.crew.dice));
        tracing::warn!(%projection, reason, ?wait, "cannot go on with the projection; will try again");
        self.crew.sign.light.set(Status::degraded(format!("the projection does not go on: {reason}")));
        Wait::For(wait)
    }

    async fn rest(&self, wait: Wait) {
        match wait {
            Wait::Nothing => {}
            Wait::For(time) => tokio::time::sleep(time).await,
            Wait::Events => {
                let later = self.store.inner().later_than(self.course.looked);
                // A store that cannot be read says so at the next look.
                if let Ok(Err(_)) = tokio::time::timeout(self.options.poll, later).await {
                    tokio::time::sleep(self.options.poll).await;
                }
            }
        }
    }
}

fn unread(error: StoreError) -> Trouble {
    Trouble::Away(error.into())
}
