//! Tells the transport what became of a delivery: the only place that acks, retries or dead-letters.

use std::{
    error::Error,
    fmt::{self, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use tracing::{Instrument, field::display};

use super::{Keys, Pipeline, Retry, Route, span::settling};
use crate::{
    error::{BoxError, causes},
    failpoint::{self, Point},
    telemetry::End,
    time::NEVER,
    transport::{Delivery, Reason, ReasonKind, SettleError, SettleErrorKind},
};

/// The most of an error's text that a dead letter keeps, in bytes.
const ERROR_LIMIT: usize = 1024;

/// How long the transport has to take an answer (N3).
const SETTLE_TIME: Duration = Duration::from_secs(10);

/// What the steps before decided.
pub(super) enum Outcome {
    /// Done.
    Done,
    /// The subscription's filter does not want it.
    Unwanted,
    /// Not tried to the end; it does not count.
    Release,
    /// Tried and failed.
    Failed { kind: ReasonKind, error: BoxError, after: Option<Duration> },
    /// No retry can help.
    GiveUp { kind: ReasonKind, error: BoxError },
}

impl Outcome {
    /// Why it is not done, if it is not.
    pub(super) fn reason(&self) -> Option<ReasonKind> {
        match self {
            Self::Done | Self::Unwanted | Self::Release => None,
            Self::Failed { kind, .. } | Self::GiveUp { kind, .. } => Some(*kind),
        }
    }

    pub(super) fn failed(kind: ReasonKind, error: String) -> Self {
        Outcome::Failed { kind, error: error.into(), after: None }
    }
}

impl Pipeline {
    /// Settles the delivery. An error is logged here: the delivery comes back by itself, there is no one to tell.
    pub(super) async fn settle(&self, delivery: Delivery, route: Option<&Route>, outcome: Outcome) -> End {
        let queue = &*self.queue;
        match tokio::time::timeout(SETTLE_TIME, self.answer(delivery, route, outcome)).await {
            Ok(Ok(end)) => return end,
            Ok(Err(error)) => {
                tracing::warn!(queue, error = error_text(&error), "delivery not settled; it will come back");
            }
            Err(_) => tracing::warn!(queue, after = ?SETTLE_TIME, "no answer to a settled delivery; it may come back"),
        }
        End::Unsettled
    }

    async fn answer(&self, delivery: Delivery, route: Option<&Route>, outcome: Outcome) -> Result<End, SettleError> {
        match outcome {
            Outcome::Done => self.ack(delivery).await.map(|()| End::Done),
            Outcome::Unwanted => self.ack(delivery).await.map(|()| End::Unwanted),
            Outcome::Release => {
                let span = settling(self, "release", &delivery);
                delivery.release().instrument(span).await.map(|()| End::Released)
            }
            Outcome::GiveUp { kind, error } => self.give_up(delivery, route, kind, &*error).await,
            Outcome::Failed { kind, error, after } => {
                let plan = route.map_or_else(Retry::never, |route| route.retry.clone());
                match plan.delay_after(delivery.attempt) {
                    Some(delay) => self.retry(delivery, after.unwrap_or(delay), plan.attempts(), &*error).await,
                    None => self.give_up(delivery, route, kind, &*error).await,
                }
            }
        }
    }

    async fn ack(&self, delivery: Delivery) -> Result<(), SettleError> {
        passed(Point::ConsumeBeforeAck)?;
        let span = settling(self, "ack", &delivery);
        delivery.ack().instrument(span).await?;
        passed(Point::ConsumeAfterAck)
    }

    async fn retry(
        &self,
        delivery: Delivery,
        delay: Duration,
        attempts: u32,
        error: &(dyn Error + Send + Sync),
    ) -> Result<End, SettleError> {
        let delay = self.dice.lengthen(delay).min(NEVER);
        let (attempt, error, message_id) = (delivery.attempt, error_text(error), delivery.id.as_ref().map(display));
        let after = Duration::from_millis(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX));
        tracing::warn!(
            queue = &*self.queue,
            attempt,
            attempts,
            ?after,
            error,
            message_id,
            "attempt failed; will try again"
        );
        let span = settling(self, "retry", &delivery);
        delivery.retry(delay).instrument(span).await?;
        passed(Point::RetryAfter).map(|()| End::Retried)
    }

    async fn give_up(
        &self,
        delivery: Delivery,
        route: Option<&Route>,
        kind: ReasonKind,
        error: &(dyn Error + Send + Sync),
    ) -> Result<End, SettleError> {
        match self.keys {
            Keys::Halt(after) => self.halt(delivery, after, kind, error).await,
            Keys::Free | Keys::GoOn => self.dead_letter(delivery, route, kind, error).await,
        }
    }

    async fn halt(
        &self,
        delivery: Delivery,
        after: Duration,
        kind: ReasonKind,
        error: &(dyn Error + Send + Sync),
    ) -> Result<End, SettleError> {
        let after = self.dice.lengthen(after).min(NEVER);
        let (attempt, error, message_id) = (delivery.attempt, error_text(error), delivery.id.as_ref().map(display));
        let queue = &*self.queue;
        tracing::error!(queue, reason = %kind, attempt, ?after, error, message_id, "its key is halted; will try again");
        let span = settling(self, "retry", &delivery);
        delivery.retry(after).instrument(span).await?;
        passed(Point::RetryAfter).map(|()| End::Retried)
    }

    async fn dead_letter(
        &self,
        delivery: Delivery,
        route: Option<&Route>,
        kind: ReasonKind,
        error: &(dyn Error + Send + Sync),
    ) -> Result<End, SettleError> {
        let now = self.clock.now();
        let mut reason = Reason::new(kind, error_text(error), delivery.attempt, now);
        reason.event = route.map(|route| route.contract.name.to_owned());
        reason.service = self.service.to_string();
        reason.queue = self.queue.to_string();
        reason.first = delivery.first_delivered.unwrap_or(now);
        let (attempts, error, id) = (reason.attempts, reason.error.clone(), delivery.id.clone());
        let span = settling(self, "dead-letter", &delivery);
        delivery.dead_letter(reason).instrument(span).await?;
        passed(Point::DeadLetterAfter)?;
        let (queue, message_id) = (&*self.queue, id.as_ref().map(display));
        let gap = (self.keys == Keys::GoOn).then_some("its key goes on without it");
        tracing::error!(queue, reason = %kind, attempts, error, message_id, gap, "given up; kept as a dead letter");
        Ok(End::DeadLettered)
    }
}

/// A failure at this point looks as if the lease had run out.
fn passed(point: Point) -> Result<(), SettleError> {
    failpoint::hit(point)
        .map_err(|struck| SettleError::new(SettleErrorKind::Lost, "the answer was cut short").caused_by(struck))
}

/// An error and its causes as one line: no control characters (they could forge log lines), at most 1 KiB.
fn error_text(error: &(dyn Error + Send + Sync)) -> String {
    let mut line = Line(String::new());
    let told = catch_unwind(AssertUnwindSafe(|| line.tell(error)));
    if told.is_err() {
        line.0.push_str("(the error panicked while it was told)");
    }
    line.0.truncate(line.0.floor_char_boundary(ERROR_LIMIT));
    line.0
}

/// A line that takes no more once it is full, however much an error has to say.
struct Line(String);

impl Line {
    fn tell(&mut self, error: &(dyn Error + Send + Sync)) -> fmt::Result {
        write!(self, "{error}")?;
        causes(error.source()).try_for_each(|cause| write!(self, ": {cause}"))
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = ERROR_LIMIT.checked_sub(self.0.len()).ok_or(fmt::Error)?;
        // One more than there is room for: the full line is known by it.
        self.0.extend(text.chars().take(room + 1).map(|c| if c.is_control() { ' ' } else { c }));
        Ok(())
    }
}

/// Gives back what was only looked at.
pub(crate) async fn looked_at(delivery: Delivery) {
    // Lost means that it is back already.
    let _ = delivery.release().await;
}

/// Is done with a copy that nobody else reads.
pub(crate) async fn seen(copy: Delivery) {
    // Lost, it comes once more.
    let _ = copy.ack().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x6_error_text_is_one_bounded_line() {
        let error: BoxError = format!("a\nb\u{1b}[31m{}", "é".repeat(2000)).into();
        let text = error_text(&*error);
        assert!(text.len() <= ERROR_LIMIT && text.len() > ERROR_LIMIT - 4);
        assert!(text.starts_with("a b [31m") && !text.chars().any(char::is_control));
    }
}
