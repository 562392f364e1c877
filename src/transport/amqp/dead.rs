//! The dead letters of a queue: looked at, and put back.

use std::time::{Duration, SystemTime};

use futures_util::{StreamExt, stream::FuturesUnordered};
use lapin::{
    Channel, Consumer,
    message::Delivery as Arrival,
    options::{BasicAckOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};

use super::{
    copies::named,
    fault::{answer, told},
    names::{DEATHS, REASON},
    outlet::{Letter, Outlet},
    properties::{self, copied, short},
    wire::Wire,
};
use crate::{
    contract::dead_letter_queue,
    envelope::Sealed,
    transport::{DeadLetter, Reason, ReasonKind, TransportError, TransportErrorKind},
};

/// How long the next dead letter may take to arrive, when the broker said that there is one.
const NEXT: Duration = Duration::from_secs(1);
/// How often, and after how long, it is looked whether what was given back is there.
const LOOKS: usize = 100;
const LOOK: Duration = Duration::from_millis(10);
/// How many go back at once.
const AT_ONCE: usize = 100;
/// The time for one to be stored.
const BACK_TIME: Duration = Duration::from_secs(10);

/// The dead letters of a queue, oldest first. They go back to their places when the channel is closed.
pub(super) async fn look(wire: &Wire, queue: &str, limit: usize) -> Result<Vec<DeadLetter>, TransportError> {
    let channel = wire.channel().await?;
    let name = dead_letter_queue(queue);
    let count = count(&channel, &name).await?.min(limit);
    let (mut letters, mut last) = (Vec::new(), None);
    if count > 0 {
        let mut consumer = consume(&channel, &name, count).await?;
        while letters.len() < count {
            let Some(arrival) = next(&mut consumer, &name).await? else { break };
            last = Some(arrival.delivery_tag);
            letters.push(dead_letter(queue, arrival));
        }
    }
    if let Some(last) = last {
        give_back(&channel, &name, (last, letters.len())).await?;
    }
    answer("close a channel", channel.close(200, "looked".into())).await?;
    Ok(letters)
}

/// Gives back all up to this tag, and waits for a moment until so many are there again: who looks next must see them.
async fn give_back(channel: &Channel, queue: &str, (last, many): (u64, usize)) -> Result<(), TransportError> {
    let options = BasicNackOptions { multiple: true, requeue: true };
    answer("give dead letters back", channel.basic_nack(last, options)).await?;
    let mut looks = 0;
    while count(channel, queue).await? < many && looks < LOOKS {
        looks += 1;
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

/// Puts every dead letter of now back into its queue, as if it had never been tried; how many there were.
pub(super) async fn redrive(wire: &Wire, outlet: &Outlet, queue: &str) -> Result<usize, TransportError> {
    let channel = wire.channel().await?;
    count(&channel, queue).await.map_err(|error| nowhere_to_go(queue, error))?;
    let name = dead_letter_queue(queue);
    let count = count(&channel, &name).await?;
    if count == 0 {
        return Ok(0);
    }
    let mut consumer = consume(&channel, &name, AT_ONCE).await?;
    let (mut taken, mut done, mut going) = (0, 0, FuturesUnordered::new());
    loop {
        while taken < count && going.len() < AT_ONCE {
            let Some(arrival) = next(&mut consumer, &name).await? else {
                taken = count;
                break;
            };
            taken += 1;
            going.push(put_back(&channel, outlet, queue, arrival));
        }
        let Some(back) = going.next().await else { break };
        back?;
        done += 1;
    }
    drop(going);
    answer("close a channel", channel.close(200, "done".into())).await?;
    Ok(done)
}

fn nowhere_to_go(queue: &str, error: TransportError) -> TransportError {
    match error.kind() {
        TransportErrorKind::Missing => {
            let text =
                format!("queue `{queue}` is not there to put its dead letters back into (or each instance has one)");
            TransportError::new(TransportErrorKind::Missing, text).caused_by(error)
        }
        _ => error,
    }
}

async fn put_back(channel: &Channel, outlet: &Outlet, queue: &str, arrival: Arrival) -> Result<(), TransportError> {
    let (properties, headers) = copied(&arrival.properties);
    let properties = named(properties.with_headers(headers), &outlet.setup.dice);
    let letter = Letter::into_queue(queue.to_owned(), arrival.data.into(), properties);
    outlet.publish(letter, BACK_TIME).await.map_err(|error| {
        let text = format!("a dead letter was not put back into queue `{queue}`; it stays");
        TransportError::new(TransportErrorKind::Unreachable, text).caused_by(error)
    })?;
    let acked = channel.basic_ack(arrival.delivery_tag, BasicAckOptions::default());
    answer("take a dead letter out", acked).await
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
    let deaths = properties::get(&properties, DEATHS);
    // A copy of ours has none: where there are some, the broker has put the message aside, and the reason is forged.
    let written = properties::text(&properties, REASON).filter(|_| deaths.is_none());
    let reason = written.and_then(|text| serde_json::from_str(&text).ok());
    let reason = reason.map_or_else(|| brokers_reason(queue, deaths), Reason::plain);
    let sealed = Sealed { body: data.into(), attributes: properties::attributes(&properties) };
    DeadLetter::new(properties::id(&properties), sealed, reason)
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
        Some(AMQPValue::Timestamp(seconds)) => SystemTime::UNIX_EPOCH + Duration::from_secs(seconds),
        _ => SystemTime::UNIX_EPOCH,
    };
    let why = why.replace(char::is_control, " ");
    let text = format!("RabbitMQ put it aside itself ({why}): nobody lived to say what became of it");
    let mut reason = Reason::new(ReasonKind::DeliveryLimit, text, 0, at);
    reason.queue = queue.to_owned();
    reason
}
