//! A service under test: real handlers, real envelopes, the memory transport, and a paused clock.
//!
//! Waiting costs no time: retries and timeouts happen as soon as nothing else can. (A handler that waits for
//! something outside the process, a socket say, may see its timeout come early: the clock jumps while it waits.)

pub mod archive;
mod crashes;
mod decided;
#[doc(hidden)]
pub mod doors;
pub mod ledger;
#[cfg(feature = "store")]
mod reactions;
mod record;
#[cfg(feature = "store")]
mod records;
#[cfg(feature = "http")]
mod routes;
#[cfg(feature = "store")]
mod scenario;
#[cfg(feature = "schedule")]
mod schedules;
#[cfg(feature = "store")]
pub mod store;
pub mod transport;
#[cfg(not(feature = "http"))]
mod unrouted;
mod wall;

pub use crate::transport::{DeadLetter, ReasonKind};

use std::{sync::Arc, time::Duration};

use tokio::runtime::{Handle, RuntimeFlavor};

use crate::{
    Error, ErrorKind, Event, HandlerError, Publisher, Service,
    envelope::MessageId,
    lifecycle::Stop,
    service::{Ended, Running, running::start, settings::Settings},
    time::{Clock, Wall},
    transport::{Memory, PublishError},
};
pub use crashes::{CrashMatrix, crash_matrix};
#[cfg(feature = "store")]
pub use reactions::{Ongoing, Reacted, process};
use record::Record;
#[cfg(feature = "http")]
use routes::Routes;
#[cfg(feature = "store")]
pub use scenario::{Decided, Scenario, scenario};
#[cfg(not(feature = "http"))]
use unrouted::Routes;

/// How long a test that settles waits until it looks whether what is left has a reader, at first and at most.
const LOOK: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(24 * 60 * 60)];

/// How long it then waits for a relay.
const PASSED_ON: Duration = Duration::from_millis(100);
/// The same, where that was in vain often: a delayed message may wait for years.
const PASSED_ON_LAST: Duration = Duration::from_secs(60 * 60);

/// A running service with everything it did on record.
///
/// # Examples
/// See the [crate's first page](crate).
pub struct TestService {
    service: Running,
    outside: Running,
    routes: Routes,
    memory: Memory,
    queues: Vec<String>,
    record: Arc<Record>,
}

impl TestService {
    /// Starts the service on a memory transport of its own and pauses tokio's clock.
    ///
    /// The service's own transport, file and environment do not count here, and nobody needs to
    /// handle what it publishes. Its routes have no socket, for sockets know nothing of a paused clock: with the feature
    /// `http`, `call` asks them.
    ///
    /// # Errors
    /// The service cannot start, or the test's runtime has more than one thread (use plain `#[tokio::test]`).
    pub async fn start<S: Send + Sync + 'static>(service: Service<S>) -> Result<Self, Error> {
        Self::start_on(&Memory::new(), service).await
    }

    /// Starts the service on this memory transport, beside others.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn start_on<S: Send + Sync + 'static>(memory: &Memory, service: Service<S>) -> Result<Self, Error> {
        pause_clock()?;
        Self::begin(memory, service).await
    }

    /// Starts it by the clock as it is.
    async fn begin<S: Send + Sync + 'static>(memory: &Memory, service: Service<S>) -> Result<Self, Error> {
        let record = Arc::new(Record::new(service.parts.envelope.clone()));
        let mut service = service.transport(memory.clone()).prefix("").publish_middleware(record.clone());
        // The innermost: it sees what the handler gets, and nothing that no handler got.
        service.parts.consume.push(Arc::new(record.clone()));
        // Schedules look at a clock that is paused with tokio's.
        service.parts.wall.get_or_insert_with(|| Wall::following(Clock::system()));
        let routes = std::mem::take(&mut service.parts.http);
        let config = service.parts.config.get_or_insert_default().clone();
        let queues = service.topology()?.queues.into_iter().map(|queue| queue.name).collect();
        let outside = Service::new("test").transport(memory.clone()).envelope(record.envelope());
        let settings = service.parts.settings()?;
        let service = start(service.parts, settings, Stop::default()).await?;
        let publisher = service.publisher().clone();
        let line = publisher.line().await.expect("a service that has started publishes");
        let routes = Routes::of(routes, &config, &line, &service)?;
        Ok(Self {
            routes,
            service,
            outside: start(outside.parts, Settings::default(), Stop::default()).await?,
            memory: memory.clone(),
            queues,
            record,
        })
    }

    /// Publishes an event to the service, as another service would.
    ///
    /// # Errors
    /// As [`Publisher::publish`]; nobody listening is one.
    pub async fn publish<E: Event>(&self, event: &E) -> Result<MessageId, PublishError> {
        self.outside.publisher().publish(event).await
    }

    /// The publisher that [`publish`](Self::publish) uses, for its other ways.
    pub fn outside(&self) -> &Publisher {
        self.outside.publisher()
    }

    /// The service's own publisher, as something beside its handlers would use it.
    pub fn publisher(&self) -> &Publisher {
        self.service.publisher()
    }

    /// Waits until the whole cascade is quiet: nothing queued, nothing running, no retry to come, nothing in an outbox that is
    /// not parked, no event of a store that a projection of the service has to handle or to publish.
    ///
    /// A queue that nobody reads, such as that of a service which was stopped, is not waited for, nor is a projection that
    /// stands still. Queues are those of all services on the memory transport; outboxes and projections are this service's:
    /// where others have some, have them settle too, and then this one again, until nothing more comes.
    pub async fn settle(&self) {
        let mut passed_on = PASSED_ON;
        loop {
            self.settle_queues().await;
            if !self.settle_projections().await {
                continue;
            }
            match self.service.unpublished().await {
                // A relay passes on what was committed meanwhile, and what is delayed when it is due.
                Ok(1..) => {
                    tokio::time::sleep(passed_on).await;
                    passed_on = (passed_on * 2).min(PASSED_ON_LAST);
                }
                // What a relay passed on after the look at the projections may have been recorded since.
                _ if self.memory.is_quiet_where_read() && self.service.is_projected().await => return,
                _ => {}
            }
        }
    }

    /// Waits until no projection has anything to do; was it so at once?
    async fn settle_projections(&self) -> bool {
        let mut looks = 0;
        while !self.service.is_projected().await {
            looks += 1;
            tokio::time::sleep(PASSED_ON).await;
        }
        looks == 0
    }

    async fn settle_queues(&self) {
        let [mut look, most] = LOOK;
        while tokio::time::timeout(look, self.memory.quiet()).await.is_err() {
            look = most.min(look * 2);
            // On a paused clock this time passes only when no task can go on, so whoever will read reads by now.
            if self.memory.is_quiet_where_read() {
                return;
            }
        }
    }

    /// Lets this much time pass.
    pub async fn advance(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    /// The events of type `E` that the service published, in order.
    pub fn published<E: Event>(&self) -> Vec<E> {
        self.record.published()
    }

    /// The events of type `E` that a handler of the service completed, in order, as it got them from the middleware. A copy
    /// that the inbox of a transactional handler knows counts as completed, too.
    pub fn handled<E: Event>(&self) -> Vec<E> {
        self.record.handled()
    }

    /// Lets the next handling of an `E` fail with this error, before its handler runs.
    pub fn fail_next<E: Event>(&self, error: impl Into<HandlerError>) {
        self.record.fail_next(E::CONTRACT.name, error.into());
    }

    /// The messages the service gave up on, by queue, oldest first.
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        let mut letters = self.memory.all_dead_letters();
        letters.retain(|letter| self.queues.contains(&letter.details().queue));
        letters
    }

    /// Stops the service as SIGTERM would, and says how it ended.
    ///
    /// # Errors
    /// A hook failed at the stop.
    pub async fn stop(self) -> Result<Ended, Error> {
        self.routes.close();
        self.outside.stop().await?;
        self.service.stop().await
    }
}

/// How often a test does something: `long` where `CONFORMANCE_LONG` is set, else `short`.
#[doc(hidden)]
pub fn at_length(short: usize, long: usize) -> usize {
    if std::env::var_os("CONFORMANCE_LONG").is_some() { long } else { short }
}

/// Pauses tokio's clock, unless it is paused already.
fn pause_clock() -> Result<(), Error> {
    if Handle::current().runtime_flavor() != RuntimeFlavor::CurrentThread {
        let text = "a TestService needs a runtime of one thread: use `#[tokio::test]` without a flavor";
        return Err(Error::new(ErrorKind::Setting, text));
    }
    if is_running() {
        tokio::time::pause();
    }
    Ok(())
}

/// Does tokio's clock run? (tokio does not tell, and panics when a paused clock is paused.)
fn is_running() -> bool {
    let before = tokio::time::Instant::now();
    std::thread::sleep(Duration::from_millis(1));
    tokio::time::Instant::now() > before
}
