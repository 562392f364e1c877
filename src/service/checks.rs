//! How a service is asked how it is: the user's own checks, and the answer.

use std::future::Future;

use super::{Error, ErrorKind, Handle, Running, Service};
use crate::{
    health::{Check, Health, Status},
    lifecycle::Stop,
    middleware::BoxFuture,
    publisher::Publisher,
    time::Clock,
};

type Ask = Box<dyn Fn(Publisher, Stop) -> BoxFuture<Status> + Send + Sync>;

/// The checks of one service, in the order they were given.
#[derive(Default)]
pub(crate) struct Checks(Vec<(String, Ask)>);

impl<S: Send + Sync + 'static> Service<S> {
    /// Adds a check to the service's [health](Running::health): `Ok` or [`Status::up`] is up, an error is down.
    ///
    /// It runs when somebody asks, in 1 s at most; its answer is good for 1 s. While it is down, the service is not
    /// ready; what the service can do without is [`Status::degraded`]. A check that panics is down.
    ///
    /// # Examples
    /// ```
    /// use tegami::{Service, service::Handle};
    ///
    /// struct Database;
    ///
    /// impl Database {
    ///     async fn ping(&self) -> Result<(), std::io::Error> {
    ///         Ok(())
    ///     }
    /// }
    ///
    /// let service = Service::new("billing").state(Database);
    /// let service = service.check("database", async |handle: Handle<Database>| handle.state().ping().await);
    /// ```
    pub fn check<F, Fut>(mut self, name: impl Into<String>, check: F) -> Self
    where
        F: Fn(Handle<S>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: Into<Status>> + Send + 'static,
    {
        let state = self.state.clone();
        let ask: Ask = Box::new(move |publisher, stop| {
            let asking = check(Handle::new(state.clone(), publisher, stop));
            Box::pin(async move { asking.await.into() })
        });
        self.parts.checks.0.push((name.into(), ask));
        self
    }
}

impl Running {
    /// How the service is: each transport, queue, check, the HTTP server, the schedules.
    ///
    /// Whether its process is alive is not among it: it answers.
    pub async fn health(&self) -> Health {
        self.board.health().await
    }
}

impl Checks {
    /// Has all of them asked with the others.
    pub(super) fn enlist(self, running: &Running, clock: Clock) -> Result<(), Error> {
        let mut names = std::collections::BTreeSet::new();
        for (name, ask) in self.0 {
            if !names.insert(name.clone()) {
                let text = format!("check `{}` is there twice", name.escape_debug());
                return Err(Error::new(ErrorKind::Setting, text));
            }
            let (publisher, stop, ask) = (running.publisher().clone(), running.stop.clone(), ask);
            let ask = move || ask(publisher.clone(), stop.clone());
            running.board.check(name, Check::new(clock, ask));
        }
        Ok(())
    }
}
