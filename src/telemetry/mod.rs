//! What happens in a service, told to those who count it.
//!
//! Publisher, pipeline, server and schedules tell [`Fact`]s, and each [`Observer`] sees them. With the feature
//! `metrics`, `Metrics` counts them for Prometheus. Guide: [`docs::telemetry`](crate::docs::telemetry).

#[cfg(any(feature = "metrics", feature = "otel"))]
mod bounds;
mod fact;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(feature = "otel")]
mod otlp;
pub(crate) mod registry;
pub(crate) mod spans;

#[cfg(any(feature = "metrics", feature = "otel"))]
use bounds::{BOUNDS, WAITS};
pub use fact::{Answered, Asked, Counted, End, Fact, Lagged, Published, Ran, Settled, Taken};
#[cfg(feature = "metrics")]
pub use metrics::Metrics;
#[cfg(feature = "otel")]
pub use otlp::Otlp;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use crate::error::panic_text;

/// Sees what happens in a service. A closure over a [`Fact`] is one.
///
/// It is called where things happen: what takes long belongs elsewhere. A panic is logged, and harms nothing.
///
/// # Examples
/// ```
/// use tegami::{Service, telemetry::Fact};
///
/// let service = Service::new("billing").observe(|fact: &Fact<'_>| {
///     if let Fact::Settled(settled) = fact {
///         println!("{} {:?} after {:?}", settled.queue, settled.end, settled.took);
///     }
/// });
/// ```
pub trait Observer: Send + Sync + 'static {
    /// Something happened.
    fn saw(&self, fact: &Fact<'_>);
}

impl<F: Fn(&Fact<'_>) + Send + Sync + 'static> Observer for F {
    fn saw(&self, fact: &Fact<'_>) {
        self(fact);
    }
}

/// All observers of a service.
#[derive(Clone, Default)]
pub(crate) struct Observers(Arc<[Arc<dyn Observer>]>);

impl Observers {
    pub(crate) fn new(observers: Vec<Arc<dyn Observer>>) -> Self {
        Self(observers.into())
    }

    /// Does anybody look?
    pub(crate) fn any(&self) -> bool {
        !self.0.is_empty()
    }

    pub(crate) fn tell(&self, fact: &Fact<'_>) {
        for observer in &*self.0 {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| observer.saw(fact))) {
                tracing::error!("an observer {}", panic_text(&*panic));
            }
        }
    }
}
