//! What an earlier plan left: looked at, and deleted where it is empty and nobody reads it.
//!
//! RabbitMQ cannot be asked over AMQP which queues there are, so that the earlier plan says what to look for.

use std::collections::BTreeSet;

use lapin::{
    Channel,
    options::{QueueDeclareOptions, QueueDeleteOptions},
    types::FieldTable,
};

use super::{
    address::QueueType,
    fault::answer,
    properties::short,
    station::{Declared, Lifetime, Station},
    topology::{create, unbind},
    wire::{self, Wire},
};
use crate::{
    error::told,
    transport::{Prune, Remnant, TransportError, TransportErrorKind, prune::cut_short},
};

/// Looks for the queues of these stations that are none of today's, station by station.
pub(super) async fn prune(
    wire: &Wire,
    former: &[Station],
    today: &[Station],
    mode: Prune,
) -> Result<Vec<Remnant>, TransportError> {
    let today: BTreeSet<String> = today.iter().flat_map(Station::queues).map(|queue| queue.name).collect();
    let mut remnants = Vec::new();
    for station in former {
        let mut left = station.lasting(Lifetime::Durable);
        left.retain(|queue| !today.contains(&queue.name));
        // The one that is read goes first: then nothing comes into those around it any more.
        left.sort_by_key(|queue| queue.name != station.name);
        let names: Vec<_> = left.iter().map(|queue| queue.name.clone()).collect();
        remnants.extend(
            mode.told(remnant(wire, station, left, mode).await, |why| Remnant::of(names).map(|left| left.kept(why)))?,
        );
    }
    Ok(remnants)
}

async fn remnant(
    wire: &Wire,
    station: &Station,
    left: Vec<Declared>,
    mode: Prune,
) -> Result<Option<Remnant>, TransportError> {
    let mut there = Vec::new();
    let mut why = None;
    for queue in left {
        let Some(found) = look(wire, &queue).await? else { continue };
        why = why.or(found.err());
        there.push(queue);
    }
    let Some(remnant) = Remnant::of(there.iter().map(|queue| queue.name.clone())) else { return Ok(None) };
    if why.is_none() && mode == Prune::Delete {
        why = delete(wire, station, &there).await;
    }
    Ok(Some(remnant.kept(why)))
}

/// Is the queue there, and if so, why must it stay?
async fn look(wire: &Wire, queue: &Declared) -> Result<Option<Result<(), String>>, TransportError> {
    // An answer that tells of a difference takes the channel with it.
    let channel = wire.channel().await?;
    let Some(use_) = count(&channel, queue).await? else { return Ok(None) };
    let found = match create(&channel, queue).await {
        Ok(()) => use_.map_or(Ok(()), Err),
        Err(error) if error.kind() == TransportErrorKind::Mismatch => {
            return Ok(Some(Err(format!("it is not as this service has it: {error}"))));
        }
        Err(error) => return Err(error),
    };
    // What was told is told, however the channel ends.
    wire::close(&channel).await;
    Ok(Some(found))
}

/// What a queue that is there is in use for, if it is.
async fn count(channel: &Channel, queue: &Declared) -> Result<Option<Option<String>>, TransportError> {
    let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let asked = channel.queue_declare(short(&queue.name), options, FieldTable::default());
    let found = match answer(queue, asked).await {
        Err(error) if error.kind() == TransportErrorKind::Missing => return Ok(None),
        found => found?,
    };
    let name = &queue.name;
    Ok(Some(match (found.message_count(), found.consumer_count()) {
        (0, 0) => None,
        (0, _) => Some(format!("`{name}` is read")),
        (messages, _) => Some(format!("`{name}` is not empty: {messages}")),
    }))
}

/// Deletes these, unless something comes in between: then the rest stays, and why.
async fn delete(wire: &Wire, station: &Station, queues: &[Declared]) -> Option<String> {
    for (number, queue) in queues.iter().enumerate() {
        let why = match delete_one(wire, station, queue).await {
            Ok(None) => continue,
            Ok(Some(why)) => why,
            Err(error) => told(&error),
        };
        let gone: Vec<_> = queues[..number].iter().map(|queue| queue.name.clone()).collect();
        return Some(cut_short(&why, &gone, (queue.name == station.name).then_some("bindings")));
    }
    None
}

/// Deletes one, unless something has come meanwhile: then it stays, and why.
///
/// A classic queue refuses to go while it is not empty or is read. A quorum queue knows no such condition, so that it is
/// looked at once more when nothing comes from the exchange any more.
async fn delete_one(wire: &Wire, station: &Station, queue: &Declared) -> Result<Option<String>, TransportError> {
    let asks_first = station.parameters.queue_type == QueueType::Classic;
    let channel = wire.channel().await?;
    if queue.name == station.name {
        unbind(&channel, station).await?;
    }
    match count(&channel, queue).await? {
        // Somebody else was faster, and the answer took the channel with it.
        None => return Ok(None),
        Some(Some(why)) => return Ok(Some(why)),
        Some(None) => {}
    }
    let options = QueueDeleteOptions { if_unused: asks_first, if_empty: asks_first, ..Default::default() };
    let lost = match answer(queue, channel.queue_delete(short(&queue.name), options)).await {
        Err(error) if error.kind() == TransportErrorKind::Mismatch => return Ok(Some(error.to_string())),
        lost => lost?,
    };
    if lost > 0 {
        let text = format!("queue `{}` was deleted with {lost} messages that had just come", queue.name);
        return Err(TransportError::new(TransportErrorKind::Refused, text));
    }
    wire::close(&channel).await;
    Ok(None)
}
