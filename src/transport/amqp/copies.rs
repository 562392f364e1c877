//! Copies of messages that are set aside: where they go, and what they say.

use std::time::Duration;

use lapin::{BasicProperties, types::AMQPValue};

use super::{
    names,
    outlet::Letter,
    parcel::Parcel,
    properties::{NAMELESS, Progress, copied},
    station::LONGEST_WAIT,
};
use crate::{
    envelope::MessageId,
    time::Dice,
    transport::{PublishError, Reason},
};

/// The time for a copy: less than the pipeline gives to an answer.
const COPY_TIME: Duration = Duration::from_secs(4);
/// A wait may be longer than its step by this share, which is as much as chance adds to a delay (R2).
const LONGER: f64 = 1.25;

/// Why a message is set aside.
pub(super) enum Copy {
    /// To be delivered again.
    Later { progress: Progress, after: Duration },
    /// To be kept.
    Dead(Reason),
}

/// Writes the copy, and waits until it is stored.
pub(super) async fn make(parcel: &Parcel, copy: Copy) -> Result<(), PublishError> {
    let (mut properties, mut headers) = copied(&parcel.properties);
    let queue = match copy {
        Copy::Dead(reason) => {
            let reason = serde_json::to_string(&reason).expect("a reason can be written as JSON");
            headers.insert(names::REASON.into(), AMQPValue::LongString(reason.into()));
            parcel.intake.station.plan.dead_letters.clone()
        }
        Copy::Later { mut progress, after } => {
            let (queue, stay) = stay(&parcel.intake.station.steps(), after);
            progress.not_before = Some(parcel.intake.setup.clock.now() + after);
            progress.write(&mut headers);
            properties = properties.with_expiration(stay.as_millis().to_string().into());
            queue
        }
    };
    let properties = named(properties.with_headers(headers), &parcel.intake.setup.dice);
    parcel.intake.outlet.publish(Letter::into_queue(queue, parcel.body.clone(), properties), COPY_TIME).await
}

/// Every copy has an id, for a return is told by that and by where it was to go.
pub(super) fn named(properties: BasicProperties, dice: &Dice) -> BasicProperties {
    match properties.message_id() {
        Some(_) => properties,
        None => properties.with_message_id(format!("{NAMELESS}{}", MessageId::draw(dice)).into()),
    }
}

/// The longest that a message may wait beside these steps: the header that says until when can be anyone's.
pub(super) fn longest(steps: &[(String, Duration)]) -> Duration {
    steps.iter().map(|(_, step)| step.mul_f64(LONGER)).fold(LONGEST_WAIT, Duration::max)
}

/// The queue to wait in, and for how long. Messages leave a queue in the order they came, so that none may stay much
/// longer than the others: who must wait for longer goes through several times.
fn stay(steps: &[(String, Duration)], after: Duration) -> (String, Duration) {
    let longest = steps.iter().rev().find(|(_, step)| *step <= after);
    let (queue, step) = longest.or(steps.first()).expect("there is a step");
    (queue.clone(), after.min(step.mul_f64(LONGER)).min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r5_nobody_has_a_message_wait_for_ever() {
        let step = |seconds| ("step".to_owned(), Duration::from_secs(seconds));
        assert_eq!(longest(&[step(1), step(600)]), Duration::from_secs(86_400));
        assert_eq!(longest(&[step(1), step(200_000)]), Duration::from_secs(250_000), "a step of the plan's own");
    }

    #[test]
    fn r3_a_wait_is_in_the_longest_step_that_it_fills() {
        let [short, long] = [1, 30].map(Duration::from_secs);
        let steps = [("short".to_owned(), short), ("long".to_owned(), long)];
        let stays = |seconds: f64| {
            let (queue, time) = stay(&steps, Duration::from_secs_f64(seconds));
            (queue, time.as_secs_f64())
        };
        assert_eq!(stays(0.1), ("short".into(), 0.1));
        assert_eq!(stays(1.25), ("short".into(), 1.25));
        assert_eq!(stays(29.0), ("short".into(), 1.25), "and then again");
        assert_eq!(stays(31.0), ("long".into(), 31.0));
        assert_eq!(stays(3600.0), ("long".into(), 37.5));
        let year = Duration::from_secs(365 * 86_400);
        assert_eq!(
            stay(&[("year".to_owned(), year)], year),
            ("year".into(), LONGEST_WAIT),
            "as long as the queue keeps it"
        );
    }
}
