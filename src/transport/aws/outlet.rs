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
    batch::{Batches, Desk},
    fault::{Fault, FaultKind, Reach},
    letter::Letter,
    queues::QueueDesk,
    setup::{self, Setup},
    topics::TopicDesk,
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
    topics: Mutex<HashMap<String, Arc<Batches<TopicDesk>>>>,
    queues: Mutex<HashMap<String, Arc<Batches<QueueDesk>>>>,
}

/// A letter on its way, and who waits for its answer.
pub(super) struct Sending {
    pub(super) letter: Letter,
    /// How long SQS keeps it to itself.
    pub(super) delay: Duration,
    until: Instant,
    answer: oneshot::Sender<Result<(), Fault>>,
    _place: Place,
}

impl Sending {
    /// What goes one after the other.
    pub(super) fn lane(&self) -> Option<&str> {
        self.letter.order.as_ref().map(|order| order.group.as_str())
    }

    pub(super) fn until(&self) -> Instant {
        self.until
    }

    pub(super) fn answered(self, outcome: Result<(), Fault>) {
        // Whoever asked may have gone.
        let _ = self.answer.send(outcome);
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
        let batches = self.topic(topic).map_err(closed)?;
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
        let batches = self.queue(queue).map_err(closed)?;
        self.send(&batches, (queue, letter, delay), time).await
    }

    async fn send<D: Desk<Entry = Sending>>(
        &self,
        batches: &Batches<D>,
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

    fn topic(&self, topic: &str) -> Result<Arc<Batches<TopicDesk>>, TransportError> {
        let desk = || TopicDesk { topic: topic.to_owned(), setup: self.setup.clone() };
        self.open(&self.topics, topic, desk)
    }

    fn queue(&self, queue: &str) -> Result<Arc<Batches<QueueDesk>>, TransportError> {
        let desk = || QueueDesk { queue: queue.to_owned(), setup: self.setup.clone() };
        self.open(&self.queues, queue, desk)
    }

    /// Finds the batches of this name, or begins them.
    fn open<D: Desk>(
        &self,
        known: &Mutex<HashMap<String, Arc<Batches<D>>>>,
        name: &str,
        desk: impl FnOnce() -> D,
    ) -> Result<Arc<Batches<D>>, TransportError> {
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = known.get(name) {
            return Ok(open.clone());
        }
        let Setup { clock, dice, .. } = &*self.setup;
        let batches = Arc::new(Batches::new(desk(), self.linger, (*clock, dice.clone())));
        let running = batches.clone();
        self.setup.spawn(async move { running.run().await })?;
        known.insert(name.to_owned(), batches.clone());
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
