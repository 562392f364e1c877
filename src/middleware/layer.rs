//! Tower layers as middleware.

use std::{
    fmt,
    future::poll_fn,
    sync::Mutex,
    task::{Context, Poll},
};

use tower_layer::Layer;
use tower_service::Service;

use super::{Answer, BoxFuture, Middleware, Next, Work};
use crate::error::BoxError;

/// A middleware from a tower layer, such as a timeout or a concurrency limit.
///
/// The layer's service must be `Clone`; where it is not (a rate limit's), put tower's buffer around it.
/// The layer is applied once, so limits count over all work. The service it makes handles [`Step`]s.
pub fn from_layer<W, L>(layer: L) -> impl Middleware<W>
where
    W: Work,
    L: Layer<StepService>,
    L::Service: Service<Step<W>, Response = W::Done> + Clone + Send + 'static,
    <L::Service as Service<Step<W>>>::Error: Into<BoxError>,
    <L::Service as Service<Step<W>>>::Future: Send,
{
    Layered(Mutex::new(layer.layer(StepService)))
}

/// A piece of work with the rest of its way: the request a tower service sees.
pub struct Step<W: Work> {
    /// The work.
    pub work: W,
    next: Next<W>,
}

/// The innermost tower service: goes on with the step.
#[derive(Debug, Clone, Copy)]
pub struct StepService;

impl<W: Work> Service<Step<W>> for StepService {
    type Response = W::Done;
    type Error = BoxError;
    type Future = BoxFuture<Result<W::Done, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, step: Step<W>) -> Self::Future {
        let answer = step.next.run(step.work);
        Box::pin(async move { answer.await.map_err(|error| Carried::<W>::new(error).into()) })
    }
}

/// Carries the work's own error through tower's boxes and out again.
struct Carried<W: Work>(Mutex<Option<W::Error>>);

impl<W: Work> Carried<W> {
    fn new(error: W::Error) -> Self {
        Self(Mutex::new(Some(error)))
    }

    fn unpack(error: BoxError) -> W::Error {
        let carried = match error.downcast::<Self>() {
            Ok(carried) => carried,
            Err(foreign) => return W::failed(foreign),
        };
        let inside = carried.0.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
        inside.expect("an error is packed once and unpacked once")
    }
}

impl<W: Work> fmt::Debug for Carried<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the work failed")
    }
}

impl<W: Work> fmt::Display for Carried<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the work failed")
    }
}

impl<W: Work> std::error::Error for Carried<W> {}

struct Layered<T>(Mutex<T>);

impl<W, T> Middleware<W> for Layered<T>
where
    W: Work,
    T: Service<Step<W>, Response = W::Done> + Clone + Send + 'static,
    T::Error: Into<BoxError>,
    T::Future: Send,
{
    fn call(&self, work: W, next: Next<W>) -> BoxFuture<Answer<W>> {
        let mut service = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone();
        Box::pin(async move {
            let unpack = |error: T::Error| Carried::<W>::unpack(error.into());
            poll_fn(|cx| service.poll_ready(cx)).await.map_err(unpack)?;
            service.call(Step { work, next }).await.map_err(unpack)
        })
    }
}
