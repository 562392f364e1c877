//! The publishing end: many publishes in flight, each answered by its own confirm.

use std::{
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use lapin::{
    BasicProperties, Channel, Confirmation,
    options::{BasicPublishOptions, ConfirmSelectOptions},
};
use tokio::time::{Instant, timeout_at};
use tracing::{Dispatch, dispatcher};

use super::{
    fault::answer,
    link::Link,
    properties::{cut, short},
    setup::Setup,
    wire::Wire,
};
use crate::{
    failpoint::{self, Point},
    time::backoff,
    transport::{
        PublishError, PublishErrorKind, TransportError, TransportErrorKind,
        window::{KIBIBYTES, MESSAGES, Window},
    },
};

/// How often a blocked connection is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// Why nothing is published for now.
pub(super) const BLOCKED: &str = "RabbitMQ has blocked publishing: it is out of memory or disk space";

/// A message with its address.
pub(super) struct Letter {
    pub(super) exchange: String,
    pub(super) routing_key: String,
    /// May it go nowhere?
    pub(super) allow_unroutable: bool,
    pub(super) body: Bytes,
    pub(super) properties: BasicProperties,
}

impl Letter {
    /// Straight into this queue, which must be there.
    pub(super) fn into_queue(queue: String, body: Bytes, properties: BasicProperties) -> Self {
        Self { exchange: String::new(), routing_key: queue, allow_unroutable: false, body, properties }
    }
}

/// What publishes go out through.
pub(super) struct Outlet {
    pub(super) setup: Arc<Setup>,
    link: Link,
    /// Held while a channel is opened.
    opening: tokio::sync::Mutex<()>,
    open: Mutex<Option<Arc<Line>>>,
    window: Window,
}

/// A channel that confirms.
struct Line {
    wire: Arc<Wire>,
    channel: Channel,
    /// lapin numbers a publish and puts its frames into the queue in two steps. Two publishes between them would get
    /// each other's confirms: one at a time.
    turn: Mutex<()>,
}

impl Outlet {
    pub(super) fn new(setup: Arc<Setup>, link: Link) -> Self {
        Self { setup, link, opening: tokio::sync::Mutex::default(), open: Mutex::default(), window: Window::new() }
    }

    /// Publishes and waits for the confirm, in this time at most.
    ///
    /// # Cancel safety
    /// Once it is written, it goes on without its caller: its confirm is waited for, and its place in the window kept.
    pub(super) async fn publish(&self, letter: Letter, time: Duration) -> Result<(), PublishError> {
        let deadline = self.setup.clock.instant() + time;
        let place = timeout_at(deadline, self.window.place(letter.body.len())).await;
        let Ok(place) = place else {
            let text = format!("{MESSAGES} publishes or {KIBIBYTES} KiB wait for their confirms");
            return Err(PublishError::new(PublishErrorKind::Backpressure, text));
        };
        let line = self.line_until(deadline).await?;
        if timeout_at(deadline, line.unblocked()).await.is_err() {
            return Err(PublishError::new(PublishErrorKind::Backpressure, BLOCKED));
        }
        let flight = Box::pin(async move {
            let answer = line.publish(letter).await;
            drop(place);
            answer
        });
        let flight = Flight { flight: Some(flight), setup: self.setup.clone() };
        timeout_at(deadline, flight).await.unwrap_or_else(|_| {
            Err(PublishError::new(PublishErrorKind::Unknown, format!("no confirm from RabbitMQ within {time:?}")))
        })
    }

    /// The open channel; where the broker is away, asks for it until the deadline.
    async fn line_until(&self, deadline: Instant) -> Result<Arc<Line>, PublishError> {
        let mut failures = 0;
        loop {
            let error = match timeout_at(deadline, self.line()).await {
                Ok(Ok(line)) => return Ok(line),
                Ok(Err(error)) => error,
                Err(_) => return Err(unreachable()),
            };
            if error.kind() == TransportErrorKind::Closed {
                return Err(PublishError::new(PublishErrorKind::Closed, "the AMQP transport was closed"));
            }
            failures += 1;
            let again = self.setup.clock.instant() + backoff(failures, &self.setup.dice);
            if again >= deadline {
                return Err(unreachable().caused_by(error));
            }
            tokio::time::sleep_until(again).await;
        }
    }

    async fn line(&self) -> Result<Arc<Line>, TransportError> {
        if let Some(line) = self.open_line() {
            return Ok(line);
        }
        let _one = self.opening.lock().await;
        if let Some(line) = self.open_line() {
            return Ok(line);
        }
        let wire = self.link.wire().await?;
        let channel = wire.channel().await?;
        answer("have publishes confirmed", channel.confirm_select(ConfirmSelectOptions::default())).await?;
        let line = Arc::new(Line { wire, channel, turn: Mutex::default() });
        *self.held() = Some(line.clone());
        Ok(line)
    }

    fn open_line(&self) -> Option<Arc<Line>> {
        self.held().as_ref().filter(|line| line.wire.is_up() && line.channel.status().connected()).cloned()
    }

    fn held(&self) -> MutexGuard<'_, Option<Arc<Line>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens the connection and its channel.
    pub(super) async fn open(&self) -> Result<(), TransportError> {
        self.line().await.map(drop)
    }

    /// Why there is no connection, if there is none.
    pub(super) fn missing(&self) -> Option<TransportError> {
        self.link.missing()
    }

    /// Does the broker let nobody publish for now?
    pub(super) fn is_blocked(&self) -> bool {
        self.link.open().is_some_and(|wire| wire.is_blocked())
    }

    /// Lets go of the channel, and says goodbye to the broker.
    pub(super) async fn close(&self) {
        self.held().take();
        self.link.close().await;
    }

    /// Waits until every publish has its answer.
    pub(super) async fn quiet(&self) {
        self.window.quiet().await;
    }
}

fn unreachable() -> PublishError {
    PublishError::new(PublishErrorKind::Unreachable, "RabbitMQ cannot be reached")
}

impl Line {
    /// Waits until the broker lets us publish (N5).
    async fn unblocked(&self) {
        while self.wire.is_up() && self.wire.is_blocked() {
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn publish(&self, letter: Letter) -> Result<(), PublishError> {
        let unknown = |error: lapin::Error| {
            let text = "the connection to RabbitMQ failed before the confirm";
            PublishError::new(PublishErrorKind::Unknown, text).caused_by(error)
        };
        let Letter { exchange, routing_key, allow_unroutable, body, properties } = letter;
        let id = properties.message_id().clone();
        let options = BasicPublishOptions { mandatory: !allow_unroutable, immediate: false };
        let (to, key) = (short(&exchange), short(&routing_key));
        let mut writing = pin!(self.channel.basic_publish(to, key, options, &body, properties));
        let mut turned = false;
        let written = std::future::poll_fn(|cx| {
            let _turn = (!turned).then(|| self.turn.lock().unwrap_or_else(PoisonError::into_inner));
            turned = true;
            // lapin logs the whole message where it finds the connection gone.
            dispatcher::with_default(&Dispatch::none(), || writing.as_mut().poll(cx))
        });
        let confirm = written.await.map_err(unknown)?;
        failpoint::hit(Point::PublishBeforeConfirm).map_err(|struck| {
            PublishError::new(PublishErrorKind::Unknown, "the confirm was not waited for").caused_by(struck)
        })?;
        let confirmed = confirm.await.map_err(unknown)?;
        // The return is there before the confirm: the guard takes it out of the stream first.
        let back = id.and_then(|id| self.wire.heard.returned.take(id.as_str(), cut(&exchange), cut(&routing_key)));
        if let Some(back) = back {
            let text = format!(
                "no queue is bound for routing key `{routing_key}` on exchange `{exchange}`; start who is to handle it, or \
                 say with `allow_unroutable` that nobody needs to"
            );
            return Err(PublishError::new(PublishErrorKind::Unroutable, text).caused_by(back.text));
        }
        match confirmed {
            Confirmation::Ack(_) => Ok(()),
            Confirmation::Nack(_) | Confirmation::NotRequested => Err(refused(&exchange)),
        }
    }
}

/// RabbitMQ has one answer for all queues of a message, and refuses it where one of them did. The default exchange has
/// one alone; of another nobody knows what those beside it did (P2).
fn refused(exchange: &str) -> PublishError {
    let text = "RabbitMQ refused the message: a queue is full or cannot store it";
    let refused = PublishError::new(PublishErrorKind::Refused, text);
    if exchange.is_empty() {
        return refused;
    }
    let text = format!("not every queue that exchange `{exchange}` has for the message took it; others may have it");
    PublishError::new(PublishErrorKind::Unknown, text).caused_by(refused)
}

/// A publish on its way. Dropped, it flies on as a task: lapin would keep the confirm of a forgotten publish for ever.
struct Flight {
    flight: Option<BoxFuture<'static, Result<(), PublishError>>>,
    setup: Arc<Setup>,
}

impl Future for Flight {
    type Output = Result<(), PublishError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(flight) = &mut self.flight else { return Poll::Pending };
        let answer = std::task::ready!(flight.as_mut().poll(cx));
        self.flight = None;
        Poll::Ready(answer)
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if let Some(flight) = self.flight.take().filter(|_| tokio::runtime::Handle::try_current().is_ok()) {
            self.setup.lifecycle.spawn(async move {
                // Whoever asked has been told that nobody knows.
                let _ = flight.await;
            });
        }
    }
}
