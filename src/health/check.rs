//! One check of the user's: asked when somebody wants to know, in a bounded time, and not too often.

use std::{panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt;
use tokio::{sync::Mutex, time::Instant};

use super::Status;
use crate::{error::panic_text, middleware::BoxFuture, time::Clock};

/// How long a check has.
const LIMIT: Duration = Duration::from_secs(1);
/// How long its answer is good for: a storm of probes is one question a second.
const FRESH: Duration = Duration::from_secs(1);

/// A question, and its latest answer.
pub(crate) struct Check {
    ask: Box<dyn Fn() -> BoxFuture<Status> + Send + Sync>,
    clock: Clock,
    /// Held while it is asked: who comes meanwhile waits for that answer.
    latest: Mutex<Option<(Instant, Status)>>,
}

impl Check {
    pub(crate) fn new(clock: Clock, ask: impl Fn() -> BoxFuture<Status> + Send + Sync + 'static) -> Self {
        Self { ask: Box::new(ask), clock, latest: Mutex::default() }
    }

    /// The answer. A check that panics or takes too long is down; nobody else notices.
    pub(super) async fn status(&self) -> Status {
        let mut latest = self.latest.lock().await;
        if let Some((at, status)) = &*latest
            && self.clock.instant() < *at + FRESH
        {
            return status.clone();
        }
        let asking = AssertUnwindSafe(async { (self.ask)().await }).catch_unwind();
        let status = match tokio::time::timeout(LIMIT, asking).await {
            Ok(Ok(status)) => status,
            Ok(Err(panic)) => Status::down(panic_text(&*panic)),
            Err(_) => Status::down(format!("no answer within {LIMIT:?}")),
        };
        *latest = Some((self.clock.instant(), status.clone()));
        status
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    };

    use super::*;

    fn counting(work: impl Fn(u32) -> BoxFuture<Status> + Send + Sync + 'static) -> (Check, Arc<AtomicU32>) {
        let asked = Arc::new(AtomicU32::new(0));
        let counts = asked.clone();
        (Check::new(Clock::system(), move || work(counts.fetch_add(1, Relaxed) + 1)), asked)
    }

    #[tokio::test(start_paused = true)]
    async fn a_storm_of_probes_is_one_question_a_second() {
        let (check, asked) = counting(|_| Box::pin(async { Status::up() }));
        let storm = || futures_util::future::join_all((0..1000).map(|_| check.status()));
        assert!(storm().await.into_iter().all(|status| status == Status::up()));
        assert_eq!(asked.load(Relaxed), 1);
        tokio::time::advance(FRESH - Duration::from_millis(1)).await;
        storm().await;
        assert_eq!(asked.load(Relaxed), 1);
        tokio::time::advance(Duration::from_millis(1)).await;
        storm().await;
        assert_eq!(asked.load(Relaxed), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_check_that_hangs_or_panics_is_down_and_is_asked_again() {
        let (check, asked) = counting(|n| {
            Box::pin(async move {
                match n {
                    1 => std::future::pending().await,
                    2 => panic!("out of handles"),
                    _ => Status::up(),
                }
            })
        });
        let begun = Instant::now();
        assert_eq!(check.status().await, Status::down("no answer within 1s"));
        assert_eq!(begun.elapsed(), LIMIT);
        tokio::time::advance(FRESH).await;
        assert_eq!(check.status().await, Status::down("panicked: out of handles"));
        tokio::time::advance(FRESH).await;
        assert_eq!(check.status().await, Status::up());
        assert_eq!(asked.load(Relaxed), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_leaves_leaves_the_question_to_the_next() {
        let (check, asked) = counting(|n| {
            Box::pin(async move {
                tokio::time::sleep(Duration::from_millis(500)).await;
                Status::degraded(n.to_string())
            })
        });
        assert!(tokio::time::timeout(Duration::from_millis(100), check.status()).await.is_err());
        assert_eq!(check.status().await, Status::degraded("2"));
        assert_eq!(asked.load(Relaxed), 2);
    }
}
