//! What happens to one delivery: open, route, filter, handle, settle.
//!
//! The consumer hands each delivery to `Pipeline::process`; nothing else settles one.

mod blocking;
mod inbox;
mod incoming;
mod observed;
mod retry;
mod route;
mod settle;
mod span;
mod subscription;

pub(crate) use inbox::Transacted;
pub use incoming::Incoming;
pub use retry::Retry;
pub(crate) use route::{Addressed, Route, Routes, Run, Typed, chain, name_of};
pub(crate) use settle::{looked_at, seen};
pub(crate) use subscription::OnDead;
pub use subscription::Subscription;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use futures_util::FutureExt;
use tokio::time::error::Elapsed;
use tracing::{Instrument, Span};

use crate::{
    codec::{DecodeError, DecodeErrorKind},
    envelope::{Envelope, Message, MessageId, Payload},
    error::panic_text,
    failpoint::{self, Point},
    handler::{HandlerError, Verdict},
    lifecycle::{LettingGo, Lifecycle, Stop, Watch},
    middleware::Chain,
    publisher::Publisher,
    telemetry::{Observers, spans},
    time::{Clock, Dice},
    transport::{Delivery, ReasonKind, limits},
};
use blocking::Handling;
use settle::Outcome;

/// How long a handler has to end once it was told to (S1).
const CUT_OFF_TIME: Duration = Duration::from_secs(5);

/// The steps for the deliveries of one queue.
pub(crate) struct Pipeline {
    pub(crate) service: Arc<str>,
    /// The transport's kind.
    pub(crate) system: &'static str,
    pub(crate) queue: Arc<str>,
    pub(crate) routes: Routes,
    pub(crate) keys: Keys,
    pub(crate) envelope: Arc<dyn Envelope>,
    pub(crate) chain: Arc<Chain<Incoming>>,
    pub(crate) publisher: Publisher,
    pub(crate) stop: Stop,
    pub(crate) watch: Watch,
    pub(crate) clock: Clock,
    pub(crate) dice: Dice,
    pub(crate) observers: Observers,
}

/// A message with the handler it goes to, or why there is none.
type Opened = Result<Addressed, DecodeError>;

/// What a dead letter means for its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keys {
    /// Nothing: no order is promised.
    Free,
    /// The key goes on without it.
    GoOn,
    /// There is none: its place is kept, and it is tried again after this long.
    Halt(Duration),
}

/// A message, and what it came as, where upcasts have made another of it.
type Lifted = (Message<Payload>, Option<Box<Payload>>);

impl Pipeline {
    /// Takes one delivery from arrival to its settling.
    ///
    /// Ends early, and gives the delivery back, when work is cut off.
    pub(crate) async fn process(&self, delivery: Delivery, lifecycle: &Lifecycle) {
        let opened = self.open_safely(&delivery);
        let span = span::of(self, &delivery, &opened);
        self.work(delivery, opened, lifecycle).instrument(span).await;
    }

    async fn work(&self, delivery: Delivery, opened: Opened, lifecycle: &Lifecycle) {
        let mut observed = self.observed(&delivery, &opened);
        let (route, outcome) = match opened {
            Ok(Addressed { route, message, older, wanted }) => {
                let outcome = if wanted {
                    self.handle(&delivery, route.clone(), (message, older), lifecycle).await
                } else {
                    Outcome::Unwanted
                };
                (Some(route), outcome)
            }
            Err(error) => (None, give_up(error)),
        };
        let reason = outcome.reason();
        if let Some(reason) = reason {
            spans::fail(&Span::current(), reason.as_str(), reason.as_str());
        }
        let end = self.settle(delivery, route.as_deref(), outcome).await;
        if let Some(observed) = &mut observed {
            observed.ended(end, reason);
        }
    }

    /// Opens the message; an envelope that panics at it cannot read it.
    fn open_safely(&self, delivery: &Delivery) -> Opened {
        catch_unwind(AssertUnwindSafe(|| self.open(delivery))).unwrap_or_else(|panic| {
            let text = format!("the envelope {}", panic_text(&*panic));
            Err(DecodeError::new(DecodeErrorKind::Undecodable, text))
        })
    }

    fn open(&self, delivery: &Delivery) -> Opened {
        let size = delivery.sealed.body.len();
        if size > limits::BODY {
            let text = format!("the message has {size} bytes, {} are allowed", limits::BODY);
            return Err(DecodeError::new(DecodeErrorKind::TooLarge, text));
        }
        self.routes.open(&delivery.sealed, &self.envelope)
    }

    async fn handle(&self, delivery: &Delivery, route: Arc<Route>, message: Lifted, lifecycle: &Lifecycle) -> Outcome {
        let timeout = route.timeout;
        let letting_go = LettingGo::with(lifecycle);
        let work = self.incoming(delivery, route, message, letting_go.clone());
        let ended = tokio::select! {
            biased;
            () = given_time(lifecycle, delivery, &letting_go) => return Outcome::Release,
            ended = AssertUnwindSafe(self.run(work, timeout)).catch_unwind() => ended,
        };
        letting_go.now();
        if let Err(struck) = failpoint::hit(Point::ConsumeHandlerDone) {
            return Outcome::failed(ReasonKind::HandlerError, struck.to_string());
        }
        match ended {
            Ok(Ok(Ok(()))) => Outcome::Done,
            Ok(Ok(Err(error))) => judge(error),
            Ok(Err(_)) => Outcome::failed(ReasonKind::HandlerTimeout, format!("not done after {timeout:?}")),
            Err(panic) => Outcome::failed(ReasonKind::HandlerPanic, format!("the handler {}", panic_text(&*panic))),
        }
    }

    /// Runs the middleware and the handler, watched, for so long at most.
    async fn run(&self, work: Incoming, timeout: Duration) -> Result<Result<(), HandlerError>, Elapsed> {
        let what = Handling::of(&work);
        // What runs late is dropped in here too, for a panic in its drop must count as one in its run.
        tokio::time::timeout(timeout, self.watch.over(what, async { self.chain.run(work).await })).await
    }

    fn incoming(
        &self,
        delivery: &Delivery,
        route: Arc<Route>,
        (message, older): Lifted,
        letting_go: LettingGo,
    ) -> Incoming {
        let known = message.head.id.as_ref().or(delivery.id.as_ref()).cloned();
        Incoming {
            identified: known.is_some(),
            id: known.unwrap_or_else(|| MessageId::draw(&self.dice)),
            head: message.head,
            payload: message.content,
            older,
            attempt: delivery.attempt,
            queue: self.queue.clone(),
            route,
            publisher: self.publisher.clone(),
            letting_go,
            stop: self.stop.clone(),
        }
    }
}

/// Ends some time after the cut-off, or after somebody else may have the message (L2): a handler that watches
/// [`Context::cancelled`](crate::Context::cancelled) may still end by itself.
async fn given_time(lifecycle: &Lifecycle, delivery: &Delivery, letting_go: &LettingGo) {
    tokio::select! {
        biased;
        () = lifecycle.cut_off().cancelled() => {}
        () = delivery.lost() => letting_go.now(),
    }
    tokio::time::sleep(CUT_OFF_TIME).await;
}

/// A handler's error, as what it means for the delivery.
fn judge(error: HandlerError) -> Outcome {
    match error.verdict {
        Verdict::Retry(after) => Outcome::Failed { kind: ReasonKind::HandlerError, error: error.source, after },
        Verdict::Reject => Outcome::GiveUp { kind: ReasonKind::Permanent, error: error.source },
        Verdict::Undecodable(kind) => Outcome::GiveUp { kind: reason(kind), error: error.source },
    }
}

fn give_up(error: DecodeError) -> Outcome {
    Outcome::GiveUp { kind: reason(error.kind()), error: error.into() }
}

fn reason(kind: DecodeErrorKind) -> ReasonKind {
    match kind {
        DecodeErrorKind::Undecodable => ReasonKind::Undecodable,
        DecodeErrorKind::UnknownEvent => ReasonKind::UnknownType,
        DecodeErrorKind::VersionMismatch => ReasonKind::VersionMismatch,
        DecodeErrorKind::Invalid => ReasonKind::Invalid,
        DecodeErrorKind::TooLarge => ReasonKind::TooLarge,
    }
}
