//! Messages on their way: those that wait in a queue, and those that come from now on. Nobody gets less for it.

use std::time::Duration;

use super::{DescribedMessage, Error, ErrorKind, Open, Peek, Reader, print};
use crate::{
    contract::Contract,
    envelope::MessageId,
    event::Policy,
    lifecycle::Signals,
    pipeline,
    service::plan::{Station, Way},
    time::Dice,
    transport::{Binding, Delivery, QueuePlan, Reach, Transport, TransportError},
};

/// How long nothing may come before it is said that this is all.
const SILENCE: Duration = Duration::from_secs(3);
/// The most of a queue that is looked at.
const MOST: usize = 100;
/// How many deliveries are taken at once.
const AT_ONCE: usize = 10;
/// How many characters of the service's name stand in that of a queue that follows.
const NAME: usize = 16;
/// How many of an id tell one from another.
const UNIQUE: usize = 8;

impl Open {
    /// Takes what waits in a queue, and gives it back untouched.
    pub(super) async fn peek(&self, peek: &Peek) -> Result<Vec<DescribedMessage>, Error> {
        let station = self.asked(Some(&peek.queue))?[0];
        if station.queue.reach == Reach::PerInstance {
            let text = format!("queue `{}` is one for each instance: there is none to look into", peek.queue);
            return Err(Error::new(ErrorKind::Setting, text));
        }
        let limit = peek.limit.clamp(1, MOST);
        let plan = QueuePlan { concurrency: limit, ..station.queue.clone() };
        let transport = &**self.transports.of(station)?;
        let held = taken(transport, &plan, limit).await?;
        let reader = Reader::of(&self.parts, station, transport, self.persons);
        let told = held.iter().filter_map(|delivery| reader.message(delivery)).collect();
        for delivery in held {
            pipeline::looked_at(delivery).await;
        }
        Ok(told)
    }

    /// Tells what flows from now on, each on a line of its own, until somebody asks for the end or nobody reads.
    pub(super) async fn tail(&self, what: &str) -> Result<(), Error> {
        let mut signals = Signals::listen();
        let (station, plan) = self.followed(what)?;
        let transport = match station {
            Some(station) => self.transports.of(station)?,
            None => self.transports.main(),
        };
        let mut deliveries = transport.tail(&plan).await?;
        let reader = match station {
            Some(station) => Reader::of(&self.parts, station, &**transport, self.persons),
            None => Reader::of_published(&self.parts, self.persons),
        };
        tracing::info!(queue = plan.name, "following, until it is stopped");
        loop {
            let next = tokio::select! {
                biased;
                () = signals.next() => return Ok(()),
                next = deliveries.next(AT_ONCE) => next?,
            };
            for delivery in next {
                let printed = reader.message(&delivery).map_or(Ok(()), |message| print(&message));
                if printed.is_err() {
                    return Ok(());
                }
                pipeline::seen(delivery).await;
            }
        }
    }

    /// What is followed: the queue of this name, or the event; and whose handlers would get it.
    fn followed(&self, what: &str) -> Result<(Option<&Station>, QueuePlan), Error> {
        if let Some(station) = self.stations.iter().find(|station| station.queue.name == what) {
            return Ok((Some(station), self.beside(station.queue.ordered, station.queue.bindings.clone())));
        }
        let contract = self.event(what)?;
        let binding = Binding {
            topic: self.names.topic(contract).into_owned(),
            routing_key: self.names.routing_key(contract).into_owned(),
            event: contract.name,
            by_name: contract.shares_topic,
            policy: Policy::default(),
        };
        Ok((self.station_of(contract), self.beside(contract.ordered, vec![binding])))
    }

    /// A queue of our own, that takes the same.
    fn beside(&self, ordered: bool, bindings: Vec<Binding>) -> QueuePlan {
        let dice = self.parts.dice.clone().unwrap_or_else(Dice::system);
        let service: String = self.parts.name.chars().take(NAME).collect();
        let id = MessageId::draw(&dice);
        let (_, unique) = id.as_str().split_at(id.as_str().len() - UNIQUE);
        let end = if ordered { ".fifo" } else { "" };
        let name = self.names.exact(&format!("{service}-tail-{unique}{end}"));
        QueuePlan {
            dead_letters: crate::contract::dead_letter_queue(&name),
            name,
            ordered,
            retry_delays: Vec::new(),
            halts: false,
            bindings,
            concurrency: AT_ONCE,
            reach: Reach::Shared,
        }
    }

    /// The queue whose handlers get this event.
    pub(super) fn station_of(&self, contract: &Contract) -> Option<&Station> {
        let takes = |way: Way<'_>| way.contract.name == contract.name;
        self.stations.iter().find(|station| station.ways().any(takes))
    }
}

/// What waits in a queue, until so many are there, or no more comes. Nobody reads on when they are given back.
async fn taken(transport: &dyn Transport, plan: &QueuePlan, limit: usize) -> Result<Vec<Delivery>, TransportError> {
    let mut deliveries = transport.consume(plan).await?;
    let mut held = Vec::new();
    while held.len() < limit {
        match tokio::time::timeout(SILENCE, deliveries.next(limit - held.len())).await {
            Ok(next) => held.extend(next?),
            Err(_) => break,
        }
    }
    Ok(held)
}
