//! A service that handles letters, with a way around every publisher into its queue.

use std::{fmt::Display, sync::Arc, time::Duration};

use super::{Pace, Trial};
use crate::{
    Event, Service,
    envelope::MessageId,
    event::Upcast,
    service::Running,
    transport::{DeadLetter, Outgoing, PublishError, QueuePlan, Transport},
};

/// How often the dead letters are looked at; a real broker works for each look.
const LOOK: Duration = Duration::from_millis(20);
const REAL_LOOK: Duration = Duration::from_millis(200);

/// A running service with one queue, and a connection beside it.
pub(super) struct Office {
    pub(super) queue: QueuePlan,
    running: Option<Running>,
    look: Duration,
    pub(super) outside: Arc<dyn Transport>,
}

impl Office {
    /// Starts the service.
    pub(super) async fn open(trial: &Trial, service: Service) -> Self {
        let queue = service.topology().expect("it has one subscription").queues.remove(0);
        let look = if trial.pace == Pace::Real { REAL_LOOK } else { LOOK };
        Self { queue, running: Some(trial.start(service).await), look, outside: trial.connect().await }
    }

    /// Publishes an event as a service does.
    pub(super) async fn post<E: Event>(&self, trial: &Trial, event: &E) -> MessageId {
        let running = self.running.as_ref().expect("it is not paused");
        trial.post(running.publisher(), event).await.expect("the service listens")
    }

    /// Publishes an event of an older contract than the service handles.
    pub(super) async fn post_older<Old: Event, New: Upcast<Old>>(&self, trial: &Trial, event: &Old) -> MessageId {
        let running = self.running.as_ref().expect("it is not paused");
        trial.post_older::<Old, New>(running.publisher(), event).await.expect("the service listens")
    }

    /// Puts a message into the queue as a foreign producer does; what it is like is up to the caller.
    pub(super) async fn put(&self, trial: &Trial, write: impl FnOnce(&mut Outgoing)) -> MessageId {
        self.try_put(trial, write).await.expect("the transport takes it")
    }

    /// The same, where the transport may refuse it.
    pub(super) async fn try_put(
        &self,
        trial: &Trial,
        write: impl FnOnce(&mut Outgoing),
    ) -> Result<MessageId, PublishError> {
        let mut message = trial.message(&self.queue, "");
        message.key = Some(BOX.to_owned());
        write(&mut message);
        let id = message.id.clone();
        trial.publish(&*self.outside, message).await.map(|()| id)
    }

    /// The dead letters of now.
    pub(super) async fn dead_letters(&self) -> Vec<DeadLetter> {
        self.outside.dead_letters(&self.queue.name, usize::MAX).await.expect("dead letters can be read")
    }

    /// Waits for so many dead letters; the bound of the case ends the wait.
    pub(super) async fn dead(&self, count: usize) -> Vec<DeadLetter> {
        loop {
            match self.dead_letters().await {
                letters if letters.len() >= count => return letters,
                _ => tokio::time::sleep(self.look).await,
            }
        }
    }

    /// Puts the dead letters back into the queue; how many there were.
    pub(super) async fn redrive(&self) -> usize {
        self.outside.redrive(&self.queue.name).await.expect("dead letters can be redriven")
    }

    /// Stops the service; the connection beside it stays.
    pub(super) async fn pause(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop().await.expect("no hook can fail");
        }
    }

    /// Stops the service for good.
    pub(super) async fn close(mut self) {
        self.pause().await;
    }
}

/// The box of letters that are written by hand.
pub(super) const BOX: &str = "a";

/// A letter as JSON.
pub(super) const LETTER: &str = r#"{"box": "a", "number": "0", "text": "written by hand"}"#;

/// A JSON envelope of this id around this data, as tomodachi writes it.
pub(super) fn enveloped(id: impl Display, data: &str) -> String {
    let metadata = format!(
        r#"{{"message_uuid": "{id}", "protocol_version": "tomodachi-json-base--1.0.0", "timestamp": 1.5,
            "topic": "letters", "data_encoding": "raw"}}"#
    );
    format!(r#"{{"service": {{"name": "foreign", "uuid": "f"}}, "metadata": {metadata}, "data": {data}}}"#)
}
