//! Brings a plan's queues and bindings into being, or checks that they are there.

use futures_util::future;
use lapin::{
    Channel, ExchangeKind,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::FieldTable,
};

use super::{
    address::Parameters,
    fault::answer,
    properties::short,
    station::{Declared, Lifetime, Station},
    wire::Wire,
};
use crate::transport::{Binding, Provision, TransportError};

/// The exchange that every broker has.
pub(super) const BUILT_IN: &str = "amq.topic";
/// So many subscriptions are declared at once: each has several queues, and RabbitMQ takes its time for each.
const AT_ONCE: usize = 8;

/// Does what the mode says with the exchange and these queues; what is missing or differs.
pub(super) async fn provision(
    wire: &Wire,
    parameters: &Parameters,
    stations: &[Station],
    mode: Provision,
) -> Result<Vec<TransportError>, TransportError> {
    let differences = match mode {
        Provision::Assume => Vec::new(),
        mode => differences(wire, parameters, stations, mode).await?,
    };
    if !differences.is_empty() {
        return Ok(differences);
    }
    // Nobody but us can make what lives on our connection.
    let channel = wire.channel().await?;
    for station in stations {
        declare(&channel, station, Lifetime::Connection).await?;
        tell_filters(station);
    }
    Ok(differences)
}

async fn differences(
    wire: &Wire,
    parameters: &Parameters,
    stations: &[Station],
    mode: Provision,
) -> Result<Vec<TransportError>, TransportError> {
    let mut look = Look::through(wire).await?;
    look.keep(exchange(&look.channel, &parameters.exchange, mode).await).await?;
    let mut found = look.found;
    // To another exchange than the planned one nothing is bound, so that nothing is made.
    let mode = if found.is_empty() { mode } else { Provision::Verify };
    for some in stations.chunks(AT_ONCE) {
        let looked = future::try_join_all(some.iter().map(|station| look_at(wire, station, mode))).await?;
        found.extend(looked.into_iter().flatten());
    }
    Ok(found)
}

/// Declares the durable queues of a station on channels of their own, or looks at them.
async fn look_at(wire: &Wire, station: &Station, mode: Provision) -> Result<Vec<TransportError>, TransportError> {
    let (queues, mut look) = (station.lasting(Lifetime::Durable), Look::through(wire).await?);
    for queue in &queues {
        let answer = match mode {
            Provision::Verify => verify(&look.channel, queue).await,
            _ => create(&look.channel, queue).await,
        };
        look.keep(answer).await?;
    }
    // AMQP cannot be asked for a binding without making it.
    if mode != Provision::Verify && look.found.is_empty() && queues.iter().any(|queue| queue.name == station.name) {
        look.keep(bind(&look.channel, station).await).await?;
    }
    Ok(look.found)
}

/// What differs, as RabbitMQ answers; each such answer closes the channel, so that the next question needs a new one.
struct Look<'a> {
    wire: &'a Wire,
    channel: Channel,
    found: Vec<TransportError>,
}

impl<'a> Look<'a> {
    async fn through(wire: &'a Wire) -> Result<Self, TransportError> {
        Ok(Self { wire, channel: wire.channel().await?, found: Vec::new() })
    }

    async fn keep(&mut self, answer: Result<(), TransportError>) -> Result<(), TransportError> {
        match answer {
            Err(error) if error.kind().is_difference() => {
                self.found.push(error);
                self.channel = self.wire.channel().await?;
                Ok(())
            }
            answer => answer,
        }
    }
}

/// Says which filters cost the broker's whole way: it knows routing keys only.
fn tell_filters(station: &Station) {
    let filtered = station.plan.bindings.iter().filter(|binding| !binding.policy.is_empty());
    for Binding { event, policy: filter, .. } in filtered {
        tracing::info!(queue = station.name, event, %filter, "filtered by the consumer: RabbitMQ sends it all");
    }
}

/// Declares the queues of a station that live so long, and binds the one that is read.
pub(super) async fn declare(channel: &Channel, station: &Station, lifetime: Lifetime) -> Result<(), TransportError> {
    let queues = station.lasting(lifetime);
    for queue in &queues {
        create(channel, queue).await?;
    }
    match queues.iter().any(|queue| queue.name == station.name) {
        true => bind(channel, station).await,
        false => Ok(()),
    }
}

async fn exchange(channel: &Channel, name: &str, mode: Provision) -> Result<(), TransportError> {
    let passive = mode == Provision::Verify || name == BUILT_IN;
    let options = ExchangeDeclareOptions { passive, durable: true, ..ExchangeDeclareOptions::default() };
    let asked = channel.exchange_declare(short(name), ExchangeKind::Topic, options, FieldTable::default());
    answer(format!("exchange `{name}`"), asked).await
}

pub(super) async fn create(channel: &Channel, queue: &Declared) -> Result<(), TransportError> {
    let alone = queue.lifetime == Lifetime::Connection;
    let options = QueueDeclareOptions { durable: !alone, exclusive: alone, ..Default::default() };
    let asked = channel.queue_declare(short(&queue.name), options, queue.arguments.clone());
    answer(queue, asked).await.map(drop)
}

/// A queue that is there is declared again, which changes nothing and tells what differs.
async fn verify(channel: &Channel, queue: &Declared) -> Result<(), TransportError> {
    let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let asked = channel.queue_declare(short(&queue.name), options, FieldTable::default());
    answer(queue, asked).await?;
    create(channel, queue).await
}

async fn bind(channel: &Channel, station: &Station) -> Result<(), TransportError> {
    let exchange = &station.parameters.exchange;
    for binding in &station.plan.bindings {
        let (queue, key) = (short(&station.name), short(&binding.routing_key));
        let asked = channel.queue_bind(queue, short(exchange), key, QueueBindOptions::default(), FieldTable::default());
        let what = format!("binding of queue `{}` to `{}` on `{exchange}`", station.name, binding.routing_key);
        answer(what, asked).await?;
    }
    Ok(())
}

/// Has nothing come into the queue that is read any more; from where nothing came, nothing is taken away.
pub(super) async fn unbind(channel: &Channel, station: &Station) -> Result<(), TransportError> {
    let exchange = &station.parameters.exchange;
    for binding in &station.plan.bindings {
        let (queue, key) = (short(&station.name), short(&binding.routing_key));
        let asked = channel.queue_unbind(queue, short(exchange), key, FieldTable::default());
        answer(format!("binding of queue `{}` to `{}`", station.name, binding.routing_key), asked).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{
        io::{self, Read},
        sync::Mutex,
    };

    use super::*;
    use crate::{
        event::{Policy, TextField},
        transport::{QueuePlan, Reach},
    };

    fn binding(event: &'static str, policy: Policy) -> Binding {
        Binding { topic: "shop".to_owned(), routing_key: event.to_owned(), event, by_name: false, policy }
    }

    #[test]
    fn filters_that_the_broker_cannot_apply_are_told_by_name() {
        let euros = TextField::<()>::new("currency").is("EUR").policy().clone();
        let plan = QueuePlan {
            name: "billing".to_owned(),
            dead_letters: "billing-dead".to_owned(),
            ordered: false,
            retry_delays: Vec::new(),
            halts: false,
            bindings: vec![binding("paid", euros), binding("placed", Policy::default())],
            concurrency: 1,
            reach: Reach::Shared,
        };
        let (mut log, written) = io::pipe().unwrap();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(Mutex::new(written)).finish();
        let station = Station::new(&plan, &Parameters::default(), "1");
        tracing::subscriber::with_default(subscriber, || tell_filters(&station));
        let mut told = String::new();
        log.read_to_string(&mut told).unwrap();
        let [line] = told.lines().collect::<Vec<_>>()[..] else { panic!("one line: {told}") };
        for word in ["INFO", "consumer", "queue=\"billing\"", "event=\"paid\"", r#"filter=currency is "EUR""#] {
            assert!(line.contains(word), "{line}");
        }
    }
}
