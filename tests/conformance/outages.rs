//! The cases that need a broker to freeze or to be killed, on a memory broker that plays it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use tegami::{
    testing::transport::{Case, Fault, Injected, Pace, Subject, Tamper, check, tampered},
    transport::{
        Capabilities, Deliveries, Delivery, Memory, Outgoing, PublishError, PublishErrorKind, Transport,
        TransportError, TransportErrorKind,
    },
};
use tokio::{
    sync::{Semaphore, SemaphorePermit, watch},
    time::{Instant, timeout_at},
};

/// How long a publish waits for anything.
const DEADLINE: Duration = Duration::from_secs(10);
/// Publishes under way at once, and their kibibytes.
const IN_FLIGHT: [usize; 2] = [1_000, 32 * 1024];

/// A broker that can fail.
struct Frail {
    memory: Memory,
    hand: Arc<Hand>,
}

impl Frail {
    fn new() -> Self {
        let in_flight = IN_FLIGHT.map(Semaphore::new);
        Self {
            memory: Memory::new(),
            hand: Arc::new(Hand { fault: watch::Sender::new(None), in_flight, cut: AtomicUsize::new(0) }),
        }
    }
}

#[async_trait]
impl Subject for Frail {
    async fn connect(&self) -> Result<Arc<dyn Transport>, TransportError> {
        Ok(tampered(self.memory.connect().await?, self.hand.clone()))
    }

    fn pace(&self) -> Pace {
        Pace::Virtual
    }

    async fn inject(&self, fault: Fault) -> Injected {
        if !matches!(fault, Fault::Frozen | Fault::Killed) {
            return Injected::Cannot;
        }
        self.hand.fault.send_replace(Some(fault));
        Injected::Done
    }

    async fn lift(&self, _: Fault) {
        self.hand.fault.send_replace(None);
    }
}

/// What every connection goes through.
struct Hand {
    fault: watch::Sender<Option<Fault>>,
    in_flight: [Semaphore; 2],
    cut: AtomicUsize,
}

impl Hand {
    async fn over(&self) {
        let mut fault = self.fault.subscribe();
        fault.wait_for(Option::is_none).await.expect("the sender is ours");
    }

    async fn slots(&self, kibibytes: usize) -> [SemaphorePermit<'_>; 2] {
        let [messages, size] = &self.in_flight;
        let kibibytes = u32::try_from(kibibytes).expect("a message is small");
        let one = messages.acquire().await.expect("it is never closed");
        [one, size.acquire_many(kibibytes).await.expect("it is never closed")]
    }

    /// Nobody answers: what is under way waits, and so does what may not be.
    async fn frozen(&self, outgoing: Outgoing, on: &dyn Transport) -> Result<(), PublishError> {
        let deadline = Instant::now() + DEADLINE;
        // A moment before those under way give theirs back.
        let last = deadline - Duration::from_millis(1);
        let slots = timeout_at(last, self.slots(outgoing.sealed.body.len().div_ceil(1024))).await;
        let _slots = slots.map_err(|_| PublishError::new(PublishErrorKind::Backpressure, "too much is under way"))?;
        let unknown = |_| PublishError::new(PublishErrorKind::Unknown, "no answer came");
        timeout_at(deadline, self.over()).await.map_err(unknown)?;
        on.publish(outgoing).await
    }

    /// The connection is gone, every other time after the message was stored.
    async fn killed(&self, outgoing: Outgoing, on: &dyn Transport) -> Result<(), PublishError> {
        if self.cut.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) {
            on.publish(outgoing).await?;
        }
        self.over().await;
        Err(PublishError::new(PublishErrorKind::Unknown, "the connection was cut before the answer came"))
    }
}

#[async_trait]
impl Tamper for Hand {
    fn capabilities(&self, declared: Capabilities) -> Capabilities {
        declared.durable()
    }

    async fn publish(&self, outgoing: Outgoing, on: &dyn Transport) -> Result<(), PublishError> {
        let fault = *self.fault.borrow();
        match fault {
            Some(Fault::Frozen) => self.frozen(outgoing, on).await,
            Some(_) => self.killed(outgoing, on).await,
            None => on.publish(outgoing).await,
        }
    }

    async fn next(&self, from: &mut dyn Deliveries, room: usize) -> Result<Vec<Delivery>, TransportError> {
        if *self.fault.borrow() == Some(Fault::Killed) {
            return Err(TransportError::new(TransportErrorKind::Unreachable, "the connection was cut"));
        }
        self.over().await;
        from.next(room).await
    }
}

fn holds(id: &str) {
    check(Case::of(id).expect("the case is listed"), Frail::new);
}

#[test]
fn p1_what_was_taken_outlives_the_broker() {
    holds("P-01");
}

#[test]
fn p3_a_frozen_broker_holds_no_publish_beyond_its_deadline() {
    holds("P-06");
}

#[test]
fn p8_publishes_under_way_are_bounded() {
    holds("P-09");
}

#[test]
fn n1_a_broker_that_is_started_again_under_publish_loses_nothing() {
    holds("P-12");
}
