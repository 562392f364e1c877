//! The publishing end: publishes that come together go out together, and each has its own answer.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::oneshot,
    time::{Instant, sleep_until, timeout_at},
};

use super::{
    batch::{Batches, Desk, all_failed},
    fault::{Fault, FaultKind, Reach},
    letter::Letter,
    queues::Sqs,
    setup::{self, Setup},
    topics::Sns,
};
use crate::{
    failpoint::{self, Point},
    time::backoff,
    transport::{
        PublishError, PublishErrorKind, TransportError,
        window::{KIBIBYTES, MESSAGES, Place, Window},
    },
};

/// What publishes go out through.
pub(super) struct Outlet {
    setup: Arc<Setup>,
    linger: Duration,
    window: Window,
    topics: Open<Sns>,
    queues: Open<Sqs>,
}

/// What goes to one topic, or to one queue, by its name.
type Open<C> = Mutex<HashMap<String, Arc<Batches<LetterDesk<C>>>>>;

/// A letter on its way, and who waits for its answer.
pub(super) struct Sending {
    pub(super) letter: Letter,
    /// How long SQS keeps it to itself.
    pub(super) delay: Duration,
    until: Instant,
    answer: oneshot::Sender<Result<(), Fault>>,
    _place: Place,
}

/// Who takes letters to where they go.
pub(super) trait Carrier: Send + Sync + 'static {
    /// The most bytes of one request.
    const BYTES: usize;

    /// Makes one request; one outcome for each letter, in their order.
    ///
    /// # Errors
    /// All of them have the same outcome.
    fn carry(
        &self,
        setup: &Setup,
        to: &str,
        sendings: &[&Sending],
    ) -> impl Future<Output = Result<Vec<Result<(), Fault>>, Fault>> + Send;
}

/// Sends letters to one topic, or to one queue.
struct LetterDesk<C> {
    to: String,
    setup: Arc<Setup>,
    carrier: C,
}

impl<C: Carrier> Desk for LetterDesk<C> {
    type Entry = Sending;

    const BYTES: usize = C::BYTES;

    fn bytes(&self, sending: &Sending) -> usize {
        sending.letter.size()
    }

    fn lane<'a>(&self, sending: &'a Sending) -> Option<&'a str> {
        sending.letter.order.as_ref().map(|order| order.group.as_str())
    }

    fn until(&self, sending: &Sending) -> Instant {
        sending.until
    }

    async fn send(&self, sendings: &[&Sending]) -> Vec<Result<(), Fault>> {
        self.carrier.carry(&self.setup, &self.to, sendings).await.unwrap_or_else(|fault| {
            if fault.kind == FaultKind::Missing {
                self.setup.directory.forget(&self.to);
            }
            all_failed(sendings.len(), &fault)
        })
    }

    fn settled(&self, sending: Sending, outcome: Result<(), Fault>) {
        // Whoever asked may have gone.
        let _ = sending.answer.send(outcome);
    }
}

/// Where a queue is; on the transport's thread. Nothing is sent before that is known, so it is asked for again until then.
pub(super) async fn find(setup: &Setup, queue: &str, until: Instant) -> Result<String, Fault> {
    let mut failures = 0;
    loop {
        let asked = async { setup.directory.queue(queue, setup.clients().await.map_err(Fault::of_setup)?).await };
        let late = |_| Err(Fault::new(FaultKind::Away, Reach::Not, "nobody has told where it is"));
        let fault = match timeout_at(until, asked).await.unwrap_or_else(late) {
            Ok(url) => return Ok(url),
            Err(fault) => fault,
        };
        failures += 1;
        let again = setup.clock.instant() + backoff(failures, &setup.dice);
        if !fault.is_transient() || again >= until {
            return Err(fault.unsent());
        }
        sleep_until(again).await;
    }
}

impl Outlet {
    pub(super) fn new(setup: Arc<Setup>, linger: Duration) -> Self {
        Self { setup, linger, window: Window::new(), topics: Mutex::default(), queues: Mutex::default() }
    }

    /// Publishes to a topic and waits for the answer, in this time at most.
    ///
    /// # Cancel safety
    /// It goes on without its caller.
    pub(super) async fn publish(&self, topic: &str, letter: Letter, time: Duration) -> Result<(), PublishError> {
        let batches = self.open(&self.topics, topic, Sns).map_err(closed)?;
        self.send(&batches, (topic, letter, Duration::ZERO), time).await
    }

    /// Puts a letter into a queue, where it is seen after a delay, and waits for the answer, in this time at most.
    ///
    /// # Cancel safety
    /// It goes on without its caller.
    pub(super) async fn put(
        &self,
        queue: &str,
        (letter, delay): (Letter, Duration),
        time: Duration,
    ) -> Result<(), PublishError> {
        let batches = self.open(&self.queues, queue, Sqs).map_err(closed)?;
        self.send(&batches, (queue, letter, delay), time).await
    }

    async fn send<C: Carrier>(
        &self,
        batches: &Batches<LetterDesk<C>>,
        (to, letter, delay): (&str, Letter, Duration),
        time: Duration,
    ) -> Result<(), PublishError> {
        let until = self.setup.clock.instant() + time;
        let Ok(place) = timeout_at(until, self.window.place(letter.size())).await else {
            let text = format!("{MESSAGES} publishes or {KIBIBYTES} KiB wait for their answers");
            return Err(PublishError::new(PublishErrorKind::Backpressure, text));
        };
        if self.setup.gone.is_cancelled() {
            return Err(closed(setup::closed()));
        }
        let (answer, answered) = oneshot::channel();
        batches.add(Sending { letter, delay, until, answer, _place: place });
        failpoint::hit(Point::PublishBeforeConfirm).map_err(|struck| {
            PublishError::new(PublishErrorKind::Unknown, "the answer was not waited for").caused_by(struck)
        })?;
        let ended = tokio::select! {
            biased;
            answered = timeout_at(until, answered) => answered.map(Result::ok),
            () = self.setup.gone.cancelled() => Ok(None),
        };
        match ended {
            Ok(Some(outcome)) => outcome.map_err(|fault| fault.for_publisher(to)),
            Ok(None) => Err(PublishError::new(PublishErrorKind::Unknown, "the transport was closed meanwhile")),
            Err(_) => {
                Err(PublishError::new(PublishErrorKind::Unknown, format!("no answer from `{to}` within {time:?}")))
            }
        }
    }

    /// Finds the batches that go there, or begins them.
    fn open<C: Carrier>(
        &self,
        known: &Open<C>,
        to: &str,
        carrier: C,
    ) -> Result<Arc<Batches<LetterDesk<C>>>, TransportError> {
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = known.get(to) {
            return Ok(open.clone());
        }
        let Setup { clock, dice, .. } = &*self.setup;
        let desk = LetterDesk { to: to.to_owned(), setup: self.setup.clone(), carrier };
        let batches = Arc::new(Batches::new(desk, self.linger, (*clock, dice.clone())));
        let running = batches.clone();
        self.setup.spawn(async move { running.run().await })?;
        known.insert(to.to_owned(), batches.clone());
        Ok(batches)
    }

    /// Waits until every publish has its answer.
    pub(super) async fn quiet(&self) {
        self.window.quiet().await;
    }
}

pub(super) fn closed(error: TransportError) -> PublishError {
    PublishError::new(PublishErrorKind::Closed, "the transport to SNS and SQS was closed").caused_by(error)
}
