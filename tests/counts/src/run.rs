//! The ways in which messages are sent through a service while it is counted.

use tokio::runtime::{Builder, Runtime};

use crate::{counting::counted, latch::Latch};

/// The sending end of a started service whose handlers count down on a [`Latch`].
pub trait Side: Send + Sync + 'static {
    /// Publishes one message.
    fn publish(&self) -> impl Future<Output = ()> + Send;
}

/// A service on its runtime, with the messages to send through it.
pub struct Run<S, R> {
    runtime: Runtime,
    latch: Latch,
    messages: usize,
    copies: usize,
    side: S,
    _running: R,
}

impl<S: Side, R> Run<S, R> {
    /// Starts a service on one thread: one order of execution, so one count.
    pub fn of(messages: usize, start: impl AsyncFnOnce(Latch) -> (S, R)) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let latch = Latch::default();
        let (side, running) = runtime.block_on(start(latch.clone()));
        Self { runtime, latch, messages, copies: 1, side, _running: running }
    }

    /// Each message goes to so many subscriptions.
    #[must_use]
    pub fn copies(self, copies: usize) -> Self {
        Self { copies, ..self }
    }

    async fn publish_all(&self) {
        self.latch.expect(self.messages * self.copies);
        for _ in 0..self.messages {
            self.side.publish().await;
        }
    }
}

/// What is counted, for any service.
pub trait Scenario {
    /// All messages are published and handled, uncounted: what happens once happens here.
    fn warm_up(&self);

    /// All messages are in the queue; each is delivered, handled and acked.
    fn delivery_to_ack(&self);

    /// Each message is published and handled before the next.
    fn publish_to_ack(&self);

    /// All messages are published, then handled.
    fn burst_to_ack(&self);

    /// All messages are published; they are still in the queue when the process ends.
    fn queued(self: Box<Self>);
}

impl<S: Side, R> Scenario for Run<S, R> {
    fn warm_up(&self) {
        self.runtime.block_on(async {
            self.publish_all().await;
            self.latch.all().await;
        });
    }

    fn delivery_to_ack(&self) {
        self.runtime.block_on(self.publish_all());
        assert_eq!(self.latch.left(), self.messages * self.copies, "nothing is handled before it is counted");
        counted(&mut || self.runtime.block_on(self.latch.all()));
    }

    fn publish_to_ack(&self) {
        counted(&mut || {
            self.runtime.block_on(async {
                for _ in 0..self.messages {
                    self.latch.expect(self.copies);
                    self.side.publish().await;
                    self.latch.all().await;
                }
            });
        });
    }

    fn burst_to_ack(&self) {
        counted(&mut || {
            self.runtime.block_on(async {
                self.publish_all().await;
                self.latch.all().await;
            });
        });
    }

    fn queued(self: Box<Self>) {
        counted(&mut || self.runtime.block_on(self.publish_all()));
        assert_eq!(self.latch.left(), self.messages * self.copies, "nothing is handled");
        std::mem::forget(self);
    }
}
