//! What the parts of a service are made with: its consumers, its schedules, and what it publishes through.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::{
    super::{Error, Parts, plan::Station, transports::Transports},
    Running, draw_instance,
};
use crate::{
    codec::Upcasts,
    consumer::{Budget, Consumer},
    contract::Names,
    health::Kind,
    middleware::Chain,
    pipeline::{self, Pipeline},
    publisher::{self, Line, Link, Publisher},
    telemetry::Observers,
    time::{Clock, Dice, Wall},
};

#[cfg(not(feature = "schedule"))]
use super::super::unscheduled as schedule;
#[cfg(feature = "schedule")]
use crate::schedule;

/// Bytes of all deliveries in work (B1).
const BYTES_IN_WORK: usize = 64 * 1024 * 1024;

/// What all consumers of a service share.
pub(super) struct Crew {
    pub(super) line: Line,
    chain: Arc<Chain<pipeline::Incoming>>,
    budget: Budget,
    upcasts: Upcasts,
}

/// What the service publishes through.
fn line(parts: &mut Parts, names: Names, dice: Dice, transports: &Transports) -> Line {
    Line::new(publisher::Parts {
        ways: transports.ways(&parts.publish),
        envelope: parts.envelope.clone(),
        names,
        service: parts.name.as_str().into(),
        instance: parts.instance.take().unwrap_or_else(|| draw_instance(&dice)),
        unroutable: std::mem::take(&mut parts.unroutable),
        publishes: parts.publishes.iter().map(|contract| contract.name).collect(),
        clock: parts.clock.unwrap_or_else(Clock::system),
        wall: parts.wall.clone().unwrap_or_default(),
        dice,
        observers: Observers::new(std::mem::take(&mut parts.observers)),
    })
}

/// The service's publisher, ready to be used without anything else running.
pub(in crate::service) fn open_line(parts: &mut Parts, names: Names, dice: Dice, transports: &Transports) -> Publisher {
    let line = line(parts, names, dice, transports);
    parts.link.send_replace(Link::Open(line));
    Publisher::new(parts.link.subscribe())
}

impl Crew {
    pub(super) fn new(mut parts: Parts, names: Names, dice: Dice, running: &Running) -> Self {
        let line = line(&mut parts, names, dice, &running.transports);
        let (chain, budget) = (pipeline::chain(parts.consume), Budget::of(BYTES_IN_WORK));
        Self { line, chain, budget, upcasts: parts.upcasts }
    }

    /// What the schedules get.
    pub(super) fn schedule(&self, wall: Wall, running: &Running) -> schedule::Crew {
        schedule::Crew {
            service: self.line.service.clone(),
            instance: self.line.instance.clone(),
            publisher: running.publisher.clone(),
            stop: running.stop.clone(),
            watch: running.watch.clone(),
            lifecycle: running.lifecycle.clone(),
            clock: self.line.clock,
            wall,
            dice: self.line.dice.clone(),
            observers: self.line.observers.clone(),
        }
    }

    /// The consumer of a queue.
    ///
    /// # Errors
    /// Its transport was not attached.
    pub(super) fn consumer(&self, station: Station, running: &Running) -> Result<Consumer, Error> {
        let transport = running.transports.of(&station)?.clone();
        let light = running.board.light(Kind::Queue, station.queue.name.as_str());
        let (slots, keys) = (Arc::new(Semaphore::new(station.concurrency())), station.keys());
        transport.knows(&station.queue.name, station.hands(&self.upcasts));
        let pipeline = Pipeline {
            service: self.line.service.clone(),
            system: transport.name(),
            queue: station.queue.name.as_str().into(),
            routes: station.routing(&self.upcasts),
            keys,
            envelope: transport.envelope().unwrap_or_else(|| self.line.envelope.clone()),
            chain: self.chain.clone(),
            publisher: running.publisher.clone(),
            stop: running.stop.clone(),
            watch: running.watch.clone(),
            clock: self.line.clock,
            dice: self.line.dice.clone(),
            observers: self.line.observers.clone(),
        };
        Ok(Consumer {
            queue: station.queue,
            transport,
            pipeline: Arc::new(pipeline),
            slots,
            budget: self.budget.clone(),
            lifecycle: running.lifecycle.clone(),
            dice: self.line.dice.clone(),
            light,
        })
    }
}
