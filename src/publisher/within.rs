//! Publishing inside a transaction: into its outbox, and from there, once it is committed.

use std::time::{Duration, SystemTime};

use super::{Line, PublishOptions, Publisher, Trace, closed, options::Delay};
use crate::{
    envelope::MessageId,
    event::Event,
    outbox::{Due, LONGEST_DELAY, Row, Transaction},
    transport::{PublishError, PublishErrorKind},
};

/// A publisher whose messages are a part of a transaction: made by [`Publisher::in_transaction`].
#[must_use = "nothing is published until `publish` is called"]
pub struct InTransaction<'a, T> {
    publisher: Publisher,
    tx: &'a mut T,
}

impl Publisher {
    /// Publishes inside this transaction: what is published goes out once it is committed, and never if it is not (T1).
    ///
    /// A relay must send it: [`Service::outbox`](crate::Service::outbox), in this process or another.
    pub fn in_transaction<'a, T: Transaction>(&self, tx: &'a mut T) -> InTransaction<'a, T> {
        InTransaction { publisher: self.clone(), tx }
    }

    /// The message, as it is kept until it is sent.
    ///
    /// # Errors
    /// As [`publish`](Self::publish), for what can be known before it is sent.
    pub(crate) async fn row<E: Event>(
        &self,
        event: &E,
        choose: impl FnOnce(PublishOptions) -> PublishOptions,
    ) -> Result<Row, PublishError> {
        let line = tokio::time::timeout(super::DEADLINE, self.line());
        let line = line.await.unwrap_or_else(|_| Err(closed("the service was not started within 10 s")))?;
        line.check_declared::<E>()?;
        let mut options = choose(PublishOptions::default());
        let via = options.via.take();
        let limits = line.way(via.clone())?.limits;
        let due = due(options.delay.take(), line.wall.now()).map_err(|text| {
            let text = format!("event `{}` {text}", E::CONTRACT.name);
            PublishError::new(PublishErrorKind::Unsupported, text)
        })?;
        let outgoing = self.outgoing(&line, event, options)?;
        limits.check(&outgoing)?;
        Ok(Row::new(via, outgoing).due(due))
    }
}

impl<T: Transaction> InTransaction<'_, T> {
    /// Publishes an event; returns the message's id, by which it will be known however often it is sent.
    ///
    /// # Errors
    /// As [`Publisher::publish`], for what can be known before it is sent: `Invalid`, `Undeclared`, `TooLarge`,
    /// `Unsupported`, `Closed`; and `Refused`, if the database did not take it. The transaction should then be given up.
    ///
    /// # Cancel safety
    /// A dropped future may have put the message into the transaction or not.
    pub async fn publish<E: Event>(&mut self, event: &E) -> Result<MessageId, PublishError> {
        self.publish_with(event, |options| options).await
    }

    /// Publishes an event in a way of its own. What is delayed stays in the outbox until its time, and is sent then, outside
    /// the order of its key; so every transport takes it.
    ///
    /// # Errors
    /// As [`publish`](Self::publish); `Unsupported` for a delay of more than [`LONGEST_DELAY`].
    pub async fn publish_with<E: Event>(
        &mut self,
        event: &E,
        choose: impl FnOnce(PublishOptions) -> PublishOptions,
    ) -> Result<MessageId, PublishError> {
        let row = self.publisher.row(event, choose).await?;
        self.tx.put(&row).await.map_err(|error| {
            let text = format!("the outbox did not take event `{}`", E::CONTRACT.name);
            PublishError::new(PublishErrorKind::Refused, text).caused_by(error)
        })?;
        Ok(row.outgoing.id)
    }
}

/// When a message is due that is delayed so; none, if that is now.
fn due(delay: Option<Delay>, now: SystemTime) -> Result<Option<Due>, String> {
    let Some(delay) = delay else { return Ok(None) };
    let left = delay.left(now);
    let until = now.checked_add(left).filter(|_| left <= LONGEST_DELAY);
    let until = until.ok_or_else(|| {
        format!("is delayed by {left:?}, an outbox keeps a message for {LONGEST_DELAY:?} at most: have a schedule publish it")
    })?;
    Ok(match delay {
        _ if left.is_zero() => None,
        Delay::For(delay) => Some(Due::In(delay, until)),
        Delay::Until(time) => Some(Due::At(time)),
    })
}

impl Line {
    /// Sends a message that was kept, through all that stands on its way.
    ///
    /// # Errors
    /// As [`Publisher::publish`].
    pub(crate) async fn send(&self, row: Row, longest: Duration) -> Result<(), PublishError> {
        let Row { via, outgoing, .. } = row;
        let way = self.way(via.clone())?;
        let (event, topic) = (outgoing.event.clone(), outgoing.topic.clone());
        let trace = Trace::read(|name| outgoing.sealed.attributes.text(name));
        let observed = self.observed(&via);
        let answer = match tokio::time::timeout(longest, way.chain.run(outgoing)).await {
            Ok(answer) => answer,
            Err(_) => Err(unanswered(&event, longest)),
        };
        if let Some(observed) = observed {
            let topic = self.names.bare_topic(&topic);
            observed.answered_for((&event, topic), answer.as_ref().err(), Some(trace));
        }
        answer
    }
}

fn unanswered(event: &str, longest: Duration) -> PublishError {
    let text = format!("no answer for event `{event}` within {longest:?}");
    PublishError::new(PublishErrorKind::Unknown, text)
}
