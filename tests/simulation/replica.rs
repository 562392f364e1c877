//! One process of a service: started, stopped, killed and started again as its plan says.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tegami::{
    Service,
    service::{Ended, Running},
    testing::transport::{LetterFiled, LetterPosted},
    transport::Memory,
};
use tokio_util::sync::CancellationToken;

use crate::{
    happened::Happened,
    load::Desk,
    model::QueueFacts,
    plan::{End, ServicePlan},
    wire::Wire,
    world::World,
};

/// The drain of the last stop: longer than any handler may run.
const LAST_DRAIN: Duration = Duration::from_secs(60);

/// Where every process finds its broker.
#[derive(Clone)]
pub struct Harbour {
    pub world: Arc<World>,
    pub broker: Memory,
    /// The names of the queues, as the model counts them.
    pub queues: Arc<Vec<String>>,
    pub filters: bool,
    /// Every connection so far.
    pub wires: Arc<Mutex<Vec<Wire>>>,
    /// Set when the last lives may end.
    pub finish: CancellationToken,
}

impl Harbour {
    pub fn connect(&self, by: &str) -> Wire {
        let wire = Wire::new(&self.world, by, &self.broker, &self.queues, self.filters);
        self.wires.lock().unwrap_or_else(PoisonError::into_inner).push(wire.clone());
        wire
    }

    /// Starts a service, as often as it takes.
    pub async fn start(&self, name: &str, make: impl Fn(Wire) -> Service) -> (String, Wire, Running) {
        loop {
            let by = format!("{name}.{}", self.world.number());
            let wire = self.connect(&by);
            self.world.note(Happened::Started { by: by.clone() });
            match make(wire.clone()).start().await {
                Ok(running) => return (by, wire, running),
                Err(error) => self.world.fault(format!("{by} does not start: {error}")),
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    /// Stops a service.
    pub async fn stop(&self, by: String, drain: Duration, running: Running) -> Ended {
        self.world.note(Happened::Stopping { by: by.clone(), drain });
        let ended = running.stop().await.expect("no hook fails");
        self.world.note(Happened::Stopped { by, ended });
        ended
    }

    /// Lives one process of the service to its end.
    pub async fn live(self, plan: ServicePlan, replica: usize) {
        let name = format!("{}/{replica}", plan.name);
        for life in &plan.replicas[replica] {
            let drain = if let End::Stopped(drain) = life.end { drain } else { Duration::ZERO };
            let (by, wire, running) = self.start(&name, |wire| service(&plan, &self.world, wire).drain(drain)).await;
            tokio::time::sleep(life.lasts).await;
            match life.end {
                End::Stopped(_) => drop(self.stop(by, drain, running).await),
                End::Dropped => {
                    self.world.note(Happened::Killed { by });
                    drop(running);
                }
                End::Killed => {
                    self.world.note(Happened::Killed { by });
                    wire.kill();
                    drop(running);
                }
            }
            tokio::time::sleep(life.pause).await;
        }
        let (by, _, running) = self.start(&name, |wire| service(&plan, &self.world, wire).drain(LAST_DRAIN)).await;
        self.finish.cancelled().await;
        let ended = self.stop(by, LAST_DRAIN, running).await;
        self.world.must(ended == Ended::Drained, "S1: a quiet service is not drained");
    }
}

/// The service of this plan.
pub fn service(plan: &ServicePlan, world: &Arc<World>, wire: Wire) -> Service {
    let service = plain(plan.name, world, wire);
    plan.subscriptions.iter().fold(service, |service, (_, facts)| subscribe(service, world, facts))
}

/// A service of this name in this world.
pub fn plain(name: &str, world: &World, wire: Wire) -> Service {
    Service::new(name).prefix("").transport(wire).clock(world.clock).dice(world.dice())
}

fn subscribe(service: Service, world: &Arc<World>, facts: &QueueFacts) -> Service {
    let QueueFacts { from, retry, timeout, concurrency, .. } = facts.clone();
    let desk = Desk(world.clone());
    match facts.ordered {
        true => service.on_with::<LetterFiled>(desk, |s| {
            let s = s.filter(LetterFiled::number().at_least(from));
            s.retry(retry).timeout(timeout).concurrency(concurrency)
        }),
        false => service.on_with::<LetterPosted>(desk, |s| {
            let s = s.filter(LetterPosted::number().at_least(from));
            s.retry(retry).timeout(timeout).concurrency(concurrency)
        }),
    }
}
