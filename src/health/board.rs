//! Where the parts of a service say how they are, and where it is asked for.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use tokio_util::sync::CancellationToken;

use super::{Check, Component, Health, Kind, State, Status};
use crate::error::panic_text;

/// All that a service's parts say. Clones share it.
#[derive(Clone)]
pub(crate) struct Board(Arc<Inner>);

struct Inner {
    service: String,
    draining: CancellationToken,
    started: OnceLock<()>,
    entries: Mutex<Vec<Entry>>,
}

#[derive(Clone)]
struct Entry {
    kind: Kind,
    name: String,
    source: Source,
}

/// Who tells.
#[derive(Clone)]
enum Source {
    /// A part that is asked, and answers at once.
    Asked(Arc<dyn Fn() -> Status + Send + Sync>),
    /// A check, which takes its time.
    Check(Arc<Check>),
}

impl Board {
    /// The board of this service, which takes no more work once that is set.
    pub(crate) fn new(service: &str, draining: CancellationToken) -> Self {
        let (service, entries) = (service.to_owned(), Mutex::default());
        Self(Arc::new(Inner { service, draining, started: OnceLock::new(), entries }))
    }

    /// A part that tells by itself when it changes. Until then it is starting.
    pub(crate) fn light(&self, kind: Kind, name: impl Into<String>) -> Light {
        let light = Light::default();
        let shown = light.clone();
        self.ask(kind, name, move || shown.status());
        light
    }

    /// A part that knows at once how it is.
    pub(crate) fn ask(&self, kind: Kind, name: impl Into<String>, ask: impl Fn() -> Status + Send + Sync + 'static) {
        self.add(kind, name.into(), Source::Asked(Arc::new(ask)));
    }

    /// A check of the user's.
    pub(crate) fn check(&self, name: String, check: Check) {
        self.add(Kind::Check, name, Source::Check(Arc::new(check)));
    }

    fn add(&self, kind: Kind, name: String, source: Source) {
        self.entries().push(Entry { kind, name, source });
    }

    /// The start is done.
    pub(crate) fn started(&self) {
        let _ = self.0.started.set(());
    }

    /// How everything is now.
    pub(crate) async fn health(&self) -> Health {
        let entries = self.entries().clone();
        let components = futures_util::future::join_all(entries.into_iter().map(Entry::component)).await;
        let draining = self.0.draining.is_cancelled();
        let worst = components.iter().map(|component| component.status.state()).max().unwrap_or(State::Up);
        let state = match self.0.started.get() {
            _ if draining => State::Draining,
            None => State::Starting,
            // A part that takes longer to begin than the start did is not there yet.
            Some(()) if worst == State::Starting => State::Down,
            Some(()) => worst,
        };
        let components = components.into_iter().map(|component| component.in_service(draining)).collect();
        Health { service: self.0.service.clone(), state, components }
    }

    fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.0.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    async fn component(self) -> Component {
        let status = match self.source {
            Source::Asked(ask) => {
                catch_unwind(AssertUnwindSafe(|| ask())).unwrap_or_else(|panic| Status::down(panic_text(&*panic)))
            }
            Source::Check(check) => check.status().await,
        };
        Component { kind: self.kind, name: self.name, status }
    }
}

impl Component {
    /// A part that takes work drains with its service.
    fn in_service(mut self, draining: bool) -> Self {
        if draining && self.kind.takes_work() && self.status.state() < State::Down {
            self.status = self.status.but(State::Draining);
        }
        self
    }
}

/// What one part shows of itself. Clones share it.
#[derive(Clone)]
pub(crate) struct Light(Arc<Mutex<Status>>);

impl Default for Light {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Status { state: State::Starting, reason: None })))
    }
}

impl Light {
    /// Shows this from now on.
    pub(crate) fn set(&self, status: Status) {
        *self.held() = status;
    }

    /// It is up; what kept it from that is told on.
    pub(crate) fn up(&self) {
        let mut held = self.held();
        if held.state != State::Up {
            let reason = held.reason.take();
            *held = match reason {
                Some(reason) => Status::because(State::Up, &format!("it is back; before: {reason}")),
                None => Status::up(),
            };
        }
    }

    pub(crate) fn status(&self) -> Status {
        self.held().clone()
    }

    fn held(&self) -> MutexGuard<'_, Status> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn board() -> (Board, CancellationToken) {
        let draining = CancellationToken::new();
        (Board::new("billing", draining.clone()), draining)
    }

    #[tokio::test]
    async fn a_service_is_as_its_worst_component_once_it_has_started_and_until_it_drains() {
        let statuses = [Status::up(), Status::degraded("d"), Status::down("d"), Status::starting("s")];
        let worst = [
            [State::Up, State::Degraded, State::Down, State::Down],
            [State::Degraded, State::Degraded, State::Down, State::Down],
            [State::Down, State::Down, State::Down, State::Down],
            [State::Down, State::Down, State::Down, State::Down],
        ];
        for (one, row) in statuses.iter().zip(worst) {
            for (other, expected) in statuses.iter().zip(row) {
                let (board, draining) = board();
                let (a, b) = (board.light(Kind::Transport, "a"), board.light(Kind::Queue, "b"));
                a.set(one.clone());
                b.set(other.clone());
                let state = async |board: &Board| board.health().await.state;
                assert_eq!(state(&board).await, State::Starting);
                board.started();
                assert_eq!(state(&board).await, expected, "{one:?} and {other:?}");
                assert_eq!(board.health().await.is_ready(), expected < State::Down);
                draining.cancel();
                let health = board.health().await;
                assert_eq!(health.state, State::Draining);
                assert!(!health.is_ready());
                assert_eq!(health.components[0].status, *one, "a transport drains not");
            }
        }
    }

    #[tokio::test]
    async fn a_part_that_panics_is_down_and_the_others_are_told_of() {
        let (board, _) = board();
        board.ask(Kind::Transport, "bad", || panic!("no"));
        board.light(Kind::Queue, "good").up();
        board.started();
        let health = board.health().await;
        assert_eq!(health.components[0].status, Status::down("panicked: no"));
        assert_eq!(health.components[1].status, Status::up());
    }

    #[test]
    fn f06_what_kept_a_part_down_is_told_on_when_it_is_back() {
        let light = Light::default();
        light.up();
        assert_eq!(light.status(), Status::up());
        light.set(Status::down("the queue is gone"));
        (0..2).for_each(|_| light.up());
        assert_eq!(light.status(), Status::because(State::Up, "it is back; before: the queue is gone"));
    }
}
