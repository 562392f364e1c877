//! The dead letters of a queue: looked at, put back, and deleted.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::{StreamExt, future};
use lapin::{
    BasicProperties, Channel, Consumer,
    message::Delivery as Arrival,
    options::{
        BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions,
        QueueDeclareOptions,
    },
    types::{AMQPValue, FieldTable},
};

use tokio::time::Instant;

use super::{
    acks::APPLIED,
    copies::named,
    fault::{answer, told},
    names::{DEATHS, REASON},
    outlet::{Letter, Outlet},
    properties::{self, copied, short},
    wire::{self, Lent, Wire},
};
use crate::{
    contract::dead_letter_queue,
    envelope::Sealed,
    transport::{
        DeadLetter, Fate, PublishError, PublishErrorKind, Reason, ReasonKind, Sorter, TransportError,
        TransportErrorKind,
    },
};

/// How long the next dead letter may take to arrive, when the broker said that there is one.
const NEXT: Duration = Duration::from_secs(5);
/// How often, and after how long, it is looked whether what was given back is there.
const LOOKS: usize = 100;
const LOOK: Duration = Duration::from_millis(10);
/// How many are looked at, and leave, at once.
const AT_ONCE: usize = 100;
/// How long what stays is held while others are looked at. RabbitMQ waits for 30 minutes at least.
const HELD: Duration = Duration::from_secs(15 * 60);
/// The time for one to be stored.
const BACK_TIME: Duration = Duration::from_secs(10);

/// The dead letters of a queue, oldest first. They go back to their places when the channel is closed.
pub(super) async fn look(wire: &Wire, queue: &str, limit: usize) -> Result<Vec<DeadLetter>, TransportError> {
    let channel = Lent::of(wire.channel().await?);
    let name = dead_letter_queue(queue);
    let count = count(&channel, &name).await?.min(limit);
    let mut letters = Vec::new();
    if count > 0 {
        let (mut consumer, mut tags) = (consume(&channel, &name, count).await?, Vec::new());
        while letters.len() < count {
            let Some(arrival) = next(&mut consumer, &name).await? else { break };
            tags.push(arrival.delivery_tag);
            letters.push(dead_letter(queue, arrival));
        }
        // What is given back would come to this one again at once.
        let cancelled = channel.basic_cancel(consumer.tag(), BasicCancelOptions::default());
        answer(format!("read queue `{name}` no more"), cancelled).await?;
        give_back(&channel, &name, tags).await?;
    }
    answer("close a channel", channel.close(200, "looked".into())).await?;
    Ok(letters)
}

/// How many messages wait in a queue; none, if that cannot be had.
pub(super) async fn waiting(wire: &Wire, queue: &str) -> Option<u64> {
    // A queue that is missing takes the channel with it.
    let channel = wire.channel().await.ok()?;
    let waiting = count(&channel, queue).await.ok()?;
    // What was told is told, however the channel ends.
    wire::close(&channel).await;
    u64::try_from(waiting).ok()
}

/// Gives these back in their order, and waits for a moment until so many are there again: who looks next must see them.
/// One by one: of several readers' together, RabbitMQ keeps the order of each.
async fn give_back(channel: &Channel, queue: &str, tags: Vec<u64>) -> Result<(), TransportError> {
    let options = BasicNackOptions { multiple: false, requeue: true };
    for tag in &tags {
        answer("give dead letters back", channel.basic_nack(*tag, options)).await?;
    }
    let mut looks = 0;
    while count(channel, queue).await? < tags.len() && looks < LOOKS {
        looks += 1;
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

/// Does with each dead letter of now what the sorter says. What stays goes back to its place at the end.
pub(super) async fn sort(
    wire: &Wire,
    outlet: &Outlet,
    queue: &str,
    sorter: &mut dyn Sorter,
) -> Result<(), TransportError> {
    let (channel, name) = (Lent::of(wire.channel().await?), dead_letter_queue(queue));
    let unseen = count(&channel, &name).await?;
    let until = outlet.setup.clock.instant() + HELD;
    let mut round = Round { channel, queue, name, unseen, stayed: Vec::new(), until, acked: None };
    let sorted = round.sort(outlet, sorter).await;
    let ended = round.end(outlet).await;
    sorted.and(ended)
}

/// One way through the dead letters of a queue. What was seen and stays is held until its end.
struct Round<'a> {
    channel: Lent,
    queue: &'a str,
    name: String,
    /// How many of then were not looked at yet: they stand before what died since.
    unseen: usize,
    /// Their tags, in the order in which they came.
    stayed: Vec<u64>,
    until: Instant,
    /// When acks were last written.
    acked: Option<Instant>,
}

impl Round<'_> {
    async fn sort(&mut self, outlet: &Outlet, sorter: &mut dyn Sorter) -> Result<(), TransportError> {
        loop {
            let room = sorter.room().await;
            if outlet.setup.clock.instant() >= self.until {
                // RabbitMQ would take back what it waits for so long. Those that stayed are asked about once more.
                self.give_back().await?;
                self.until = outlet.setup.clock.instant() + HELD;
            }
            let some = room.min(self.unseen).min(AT_ONCE);
            if some == 0 {
                return Ok(());
            }
            let arrivals = self.take(some).await?;
            // Somebody else has the others.
            self.unseen = if arrivals.len() < some { 0 } else { self.unseen - some };
            self.decide(arrivals, outlet, sorter).await?;
        }
    }

    /// Takes so many, and no more come.
    async fn take(&self, some: usize) -> Result<Vec<Arrival>, TransportError> {
        let mut consumer = consume(&self.channel, &self.name, some).await?;
        let mut arrivals = Vec::new();
        while arrivals.len() < some {
            let Some(arrival) = next(&mut consumer, &self.name).await? else { break };
            arrivals.push(arrival);
        }
        let cancelled = self.channel.basic_cancel(consumer.tag(), BasicCancelOptions::default());
        answer(format!("read queue `{}` no more", self.name), cancelled).await?;
        Ok(arrivals)
    }

    async fn decide(
        &mut self,
        arrivals: Vec<Arrival>,
        outlet: &Outlet,
        sorter: &mut dyn Sorter,
    ) -> Result<(), TransportError> {
        let (mut leaving, mut stayed) = (Vec::new(), Vec::new());
        for arrival in arrivals {
            let (tag, properties) = (arrival.delivery_tag, arrival.properties.clone());
            let letter = dead_letter(self.queue, arrival);
            match sorter.fate(&letter) {
                Fate::Stay => stayed.push(tag),
                fate => {
                    let leave = self.leave(fate, (tag, properties, letter.sealed.body), outlet);
                    leaving.push(async move { leave.await.map_err(|error| (error, tag)) });
                }
            }
        }
        let mut answer = Ok(());
        let left = future::join_all(leaving).await;
        if !left.is_empty() {
            self.acked = Some(outlet.setup.clock.instant());
        }
        for left in left {
            match left {
                Ok(fate) => sorter.left(fate),
                // The others have left all the same.
                Err((error, tag)) => {
                    stayed.push(tag);
                    answer = Err(error);
                }
            }
        }
        stayed.sort_unstable();
        self.stayed.extend(stayed);
        answer
    }

    /// Takes one out; before that, where it goes back, stores it there.
    async fn leave(
        &self,
        fate: Fate,
        (tag, properties, body): (u64, BasicProperties, Bytes),
        outlet: &Outlet,
    ) -> Result<Fate, TransportError> {
        if fate == Fate::Back {
            let (properties, headers) = copied(&properties);
            let properties = named(properties.with_headers(headers), &outlet.setup.dice);
            let letter = Letter::into_queue(self.queue.to_owned(), body, properties);
            outlet.publish(letter, BACK_TIME).await.map_err(|error| not_put_back(self.queue, error))?;
        }
        let acked = self.channel.basic_ack(tag, BasicAckOptions::default());
        answer("take a dead letter out", acked).await.map(|()| fate)
    }

    /// What stays goes back to its place, before all that was not looked at.
    async fn give_back(&mut self) -> Result<(), TransportError> {
        let stayed = std::mem::take(&mut self.stayed);
        self.unseen += stayed.len();
        give_back(&self.channel, &self.name, stayed).await
    }

    /// Closes the channel once the broker has applied the acks: those that it keeps back it would forget.
    async fn end(mut self, outlet: &Outlet) -> Result<(), TransportError> {
        let now = outlet.setup.clock.instant();
        let applied = self.acked.map_or(now, |acked| acked + APPLIED);
        if self.channel.status().connected() {
            tokio::time::sleep_until(applied).await;
        }
        if self.channel.status().connected() {
            self.give_back().await?;
            answer("close a channel", self.channel.close(200, "sorted".into())).await?;
        } else if now < applied {
            let text = format!("the channel was closed: what was to leave `{}` last may still be there", self.name);
            return Err(TransportError::new(TransportErrorKind::Unreachable, text));
        }
        Ok(())
    }
}

fn not_put_back(queue: &str, error: PublishError) -> TransportError {
    let (kind, text) = match error.kind() {
        PublishErrorKind::Unroutable => (
            TransportErrorKind::Missing,
            format!("queue `{queue}` is not there to put its dead letters back into (or each instance has one)"),
        ),
        _ => {
            (TransportErrorKind::Unreachable, format!("a dead letter was not put back into queue `{queue}`; it stays"))
        }
    };
    TransportError::new(kind, text).caused_by(error)
}

async fn count(channel: &Channel, queue: &str) -> Result<usize, TransportError> {
    let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let asked = channel.queue_declare(short(queue), options, FieldTable::default());
    let there = answer(format!("queue `{queue}`"), asked).await?;
    Ok(there.message_count() as usize)
}

async fn consume(channel: &Channel, queue: &str, prefetch: usize) -> Result<Consumer, TransportError> {
    let prefetch = u16::try_from(prefetch).unwrap_or(u16::MAX);
    answer("fetch ahead", channel.basic_qos(prefetch, BasicQosOptions::default())).await?;
    let options = BasicConsumeOptions::default();
    let asked = channel.basic_consume(short(queue), "".into(), options, FieldTable::default());
    answer(format!("read queue `{queue}`"), asked).await
}

/// The next one; none when it does not come, for somebody else may have it.
async fn next(consumer: &mut Consumer, queue: &str) -> Result<Option<Arrival>, TransportError> {
    match tokio::time::timeout(NEXT, consumer.next()).await {
        Ok(Some(Ok(arrival))) => Ok(Some(arrival)),
        Ok(Some(Err(error))) => Err(told(format!("read queue `{queue}`"), error)),
        Ok(None) | Err(_) => Ok(None),
    }
}

fn dead_letter(queue: &str, arrival: Arrival) -> DeadLetter {
    let Arrival { properties, data, .. } = arrival;
    letter(queue, &properties, data.into())
}

/// What a message among the dead letters of a queue says, whoever put it there.
pub(super) fn letter(queue: &str, properties: &BasicProperties, body: Bytes) -> DeadLetter {
    let deaths = properties::get(properties, DEATHS);
    // A copy of ours has none: where there are some, the broker has put the message aside, and the reason is forged.
    let written = properties::text(properties, REASON).filter(|_| deaths.is_none());
    let reason = written.and_then(|text| serde_json::from_str(&text).ok());
    let reason = reason.map_or_else(|| brokers_reason(queue, deaths), Reason::plain);
    let sealed = Sealed { body, attributes: properties::attributes(properties) };
    DeadLetter::new(properties::id(properties), sealed, reason)
}

/// Why the broker itself put a message aside (X6).
fn brokers_reason(queue: &str, deaths: Option<&AMQPValue>) -> Reason {
    let latest = match deaths {
        Some(AMQPValue::FieldArray(deaths)) => deaths.as_slice().first(),
        _ => None,
    };
    let field = |name: &str| match latest {
        Some(AMQPValue::FieldTable(death)) => death.inner().get(name).cloned(),
        _ => None,
    };
    let why = match field("reason") {
        Some(AMQPValue::LongString(why)) => String::from_utf8_lossy(why.as_bytes()).into_owned(),
        _ => "unknown".to_owned(),
    };
    let at = match field("time") {
        Some(AMQPValue::Timestamp(seconds)) => SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)),
        _ => None,
    };
    // It may be anyone's word, and of a time that no clock shows.
    let at = at.unwrap_or(SystemTime::UNIX_EPOCH);
    let why = why.replace(char::is_control, " ");
    let text = format!("RabbitMQ put it aside itself ({why}): nobody lived to say what became of it");
    let mut reason = Reason::new(ReasonKind::DeliveryLimit, text, 0, at);
    reason.queue = queue.to_owned();
    reason
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The broker writes such headers, but anyone can put a message with any into a queue of dead letters.
    #[test]
    fn x6_a_forged_death_of_no_time_there_is_can_be_looked_at() {
        for seconds in [0, 1_764_000_000, u64::MAX / 2, u64::MAX] {
            let mut death = FieldTable::default();
            death.insert("reason".into(), AMQPValue::LongString("delivery_limit".into()));
            death.insert("time".into(), AMQPValue::Timestamp(seconds));
            let mut headers = FieldTable::default();
            headers.insert(DEATHS.into(), AMQPValue::FieldArray(vec![AMQPValue::FieldTable(death)].into()));
            let dead = letter("billing", &BasicProperties::default().with_headers(headers), Bytes::new());
            assert_eq!(dead.reason(), ReasonKind::DeliveryLimit);
            let at = dead.details().last.duration_since(SystemTime::UNIX_EPOCH).expect("not before 1970").as_secs();
            assert!(at == seconds || at == 0, "{at}");
        }
    }
}
