//! How a service is given projections.

use super::{
    Service,
    databases::Other,
    running::{IsDone, draw_instance},
};
use crate::{
    health::Kind,
    projection::{Checkpoints, Crew, Progress, Projection, ProjectionOptions, Projector, Publishing, Sign},
    store::Store,
};

impl<S: Send + Sync + 'static> Service<S> {
    /// Runs this projection while the service runs: has the events of the store handled, with what becomes of them and the
    /// checkpoint in this database.
    ///
    /// Any number of services may run one projection: one of them does, the others wait for their turn.
    ///
    /// # Examples
    /// See [`Projection`].
    pub fn projection<D: Checkpoints>(self, database: &D, store: &Store, projection: Projection<D::Tx>) -> Self {
        self.projection_with(database, store, projection, |options| options)
    }

    /// Publishes events of the store while the service runs, with the checkpoint in this database.
    ///
    /// # Examples
    /// See [`Publishing`].
    pub fn publishing<D: Checkpoints>(self, database: &D, store: &Store, publishing: Publishing) -> Self {
        self.publishing_with(database, store, publishing, |options| options)
    }

    /// Publishes events of the store while the service runs, in a way of its own.
    pub fn publishing_with<D: Checkpoints>(
        self,
        database: &D,
        store: &Store,
        publishing: Publishing,
        choose: impl FnOnce(ProjectionOptions) -> ProjectionOptions,
    ) -> Self {
        self.projection_with(database, store, publishing.projection(), choose)
    }

    /// Runs this projection while the service runs, in a way of its own.
    pub fn projection_with<D: Checkpoints>(
        mut self,
        database: &D,
        store: &Store,
        projection: Projection<D::Tx>,
        choose: impl FnOnce(ProjectionOptions) -> ProjectionOptions,
    ) -> Self {
        let options = choose(ProjectionOptions::default());
        let (mistake, places) = (projection.mistake(), (database.clone(), store.clone()));
        self.parts.databases.add(Other {
            mistake,
            start: Box::new(move |line, wall, running| {
                let (sign, shown) = (Sign::default(), projection.id().to_string());
                let asked = sign.clone();
                running.projections.push(done(projection.progress(&places.0, &places.1), sign.clone()));
                running.board.ask(Kind::Projection, shown, move || asked.status());
                let crew = Crew {
                    id: draw_instance(&line.dice),
                    clock: line.clock,
                    wall: wall.clone(),
                    dice: line.dice.clone(),
                    publisher: running.publisher().clone(),
                    observers: line.observers.clone(),
                    draining: running.lifecycle.draining().clone(),
                    drain: running.drain,
                    cut: running.lifecycle.cut_off().clone(),
                    sign,
                };
                running.lifecycle.spawn(Projector::new(projection, places, options, crew).run());
            }),
        });
        self
    }
}

/// Has it nothing to do?
fn done(progress: Progress, sign: Sign) -> IsDone {
    Box::new(move || {
        let (progress, sign) = (progress.clone(), sign.clone());
        Box::pin(async move { sign.stands_still() || !matches!(progress.is_caught_up().await, Ok(false)) })
    })
}
