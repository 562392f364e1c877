//! One process of a service: started, stopped, killed and started again as its plan says.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tegami::{
    Event, Service, Subscription,
    process::Manager,
    records::Records,
    schedule::lease::MemoryLeases,
    service::{Ended, Running},
    store::Store,
    testing::transport::{LetterFiled, LetterPosted},
    transport::Memory,
};
use tokio_util::sync::CancellationToken;

use crate::{
    books,
    errand::Errands,
    happened::Happened,
    leases::Leases,
    load::Desk,
    model::QueueFacts,
    office::{Counter, Drawer, Office},
    plan::{Does, End, Pace, ServicePlan},
    reading::Reading,
    tower,
    wire::Wire,
    world::World,
};

/// The drain of the last stop: longer than any handler may run.
const LAST_DRAIN: Duration = Duration::from_secs(60);

/// Where every process finds its broker and its databases.
#[derive(Clone)]
pub struct Harbour {
    pub world: Arc<World>,
    pub broker: Memory,
    pub office: Arc<Office>,
    pub leases: MemoryLeases,
    /// The names of the queues, as the model counts them.
    pub queues: Arc<Vec<String>>,
    pub filters: bool,
    /// Every connection so far.
    pub wires: Arc<Mutex<Vec<Wire>>>,
    /// Set when the last lives may end.
    pub finish: CancellationToken,
}

/// What one life of a service is connected to.
#[derive(Clone)]
pub struct Berth {
    pub by: String,
    pub wire: Wire,
    pub counter: Counter,
    pub leases: Leases,
    office: Arc<Office>,
    queues: Arc<Vec<String>>,
}

impl Berth {
    /// Its process is gone.
    fn kill(&self) {
        self.wire.kill();
        self.counter.kill();
        self.leases.kill();
    }

    /// What is recorded.
    pub fn store(&self, world: &World) -> Store {
        Store::new(Drawer(self.counter.clone())).wall(world.shown.clone())
    }

    /// What is recorded, as a transport.
    pub fn reading(&self, world: &Arc<World>, pace: Pace) -> Reading {
        let records = Records::new(&self.counter, &self.store(world)).hold(pace.hold).poll(pace.poll);
        Reading {
            world: world.clone(),
            by: self.by.clone(),
            queues: self.queues.clone(),
            office: self.office.clone(),
            records: records.clock(world.clock).wall(world.shown.clone()).dice(world.dice()),
        }
    }
}

impl Harbour {
    /// Connects a life of a service.
    pub fn connect(&self, by: String) -> Berth {
        let wire = Wire::new(&self.world, &by, &self.broker, &self.queues, self.filters);
        self.wires.lock().unwrap_or_else(PoisonError::into_inner).push(wire.clone());
        let (counter, leases) = (self.office.connect(&by), Leases::new(&self.world, &by, &self.leases));
        Berth { by, wire, counter, leases, office: self.office.clone(), queues: self.queues.clone() }
    }

    /// Starts a service, as often as it takes.
    pub async fn start(&self, name: &str, make: impl Fn(&Berth) -> Service) -> (Berth, Running) {
        loop {
            let berth = self.connect(format!("{name}.{}", self.world.number()));
            self.world.note(Happened::Started { by: berth.by.clone() });
            match make(&berth).start().await {
                Ok(running) => return (berth, running),
                Err(error) => self.world.fault(format!("{} does not start: {error}", berth.by)),
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
            let (berth, running) = self.start(&name, |berth| service(&plan, &self.world, berth).drain(drain)).await;
            let by = berth.by.clone();
            tokio::time::sleep(life.lasts).await;
            match life.end {
                End::Stopped(_) => drop(self.stop(by, drain, running).await),
                End::Dropped => {
                    self.world.note(Happened::Killed { by });
                    drop(running);
                }
                End::Killed => {
                    self.world.note(Happened::Killed { by });
                    berth.kill();
                    drop(running);
                }
            }
            tokio::time::sleep(life.pause).await;
        }
        let (berth, running) = self.start(&name, |berth| service(&plan, &self.world, berth).drain(LAST_DRAIN)).await;
        self.finish.cancelled().await;
        let ended = self.stop(berth.by, LAST_DRAIN, running).await;
        self.world.must(ended == Ended::Drained, "S1: a quiet service is not drained");
    }
}

/// The service of this plan.
pub fn service(plan: &ServicePlan, world: &Arc<World>, berth: &Berth) -> Service {
    let service = plain(plan.name, world, berth).leases(&berth.leases);
    let service = match plan.does {
        Does::Handles => handling(service, world, (berth, plan)),
        Does::Reads(pace) => handling(service.transport(berth.reading(world, pace)), world, (berth, plan)),
        Does::Projects(pace) => projecting(service, world, (berth, pace)),
        Does::Errands => errands(service, world, (berth, plan)),
    };
    let service = tower::schedule(service, world, (&berth.by, &plan.schedules));
    let Some(relay) = plan.relay else { return service };
    service.outbox_with(&berth.counter, |options| {
        options.poll(relay.poll).batch(relay.batch).hold(relay.hold).refusals(relay.refusals)
    })
}

/// The service of this name in this world.
pub fn plain(name: &str, world: &World, berth: &Berth) -> Service {
    let service = Service::new(name).prefix("").transport(berth.wire.clone());
    service.clock(world.clock).wall(world.shown.clone()).dice(world.dice())
}

fn handling(service: Service, world: &Arc<World>, (berth, plan): (&Berth, &ServicePlan)) -> Service {
    let publishes = plan.does == Does::Handles;
    plan.subscriptions.iter().fold(service, |service, (_, facts)| {
        let desk = Desk { world: world.clone(), publishes };
        if facts.inbox { transactional(service, desk, (berth, facts)) } else { subscribe(service, desk, facts) }
    })
}

fn projecting(service: Service, world: &Arc<World>, (berth, pace): (&Berth, Pace)) -> Service {
    service.projection_with(&berth.counter, &berth.store(world), books::projection(world), |options| {
        options.hold(pace.hold).poll(pace.poll).batch(pace.batch)
    })
}

fn errands(service: Service, world: &Arc<World>, (berth, plan): (&Berth, &ServicePlan)) -> Service {
    let errands = Errands { world: world.clone(), manager: Manager::new(berth.store(world)) };
    plan.subscriptions.iter().fold(service, |service, (_, facts)| {
        let service = service.transactional(&berth.counter);
        match facts.ordered {
            true => service.on_with::<LetterFiled>(errands.clone(), |s| filed(s, facts)),
            false => service.on_with::<LetterPosted>(errands.clone(), |s| posted(s, facts)),
        }
    })
}

fn subscribe(service: Service, desk: Desk, facts: &QueueFacts) -> Service {
    match facts.ordered {
        true => service.on_with::<LetterFiled>(desk, |s| filed(s, facts)),
        false => service.on_with::<LetterPosted>(desk, |s| posted(s, facts)),
    }
}

fn transactional(service: Service, desk: Desk, (berth, facts): (&Berth, &QueueFacts)) -> Service {
    let service = service.transactional(&berth.counter);
    match facts.ordered {
        true => service.on_with::<LetterFiled>(desk, |s| filed(s, facts)),
        false => service.on_with::<LetterPosted>(desk, |s| posted(s, facts)),
    }
}

fn filed(subscription: Subscription<LetterFiled>, facts: &QueueFacts) -> Subscription<LetterFiled> {
    as_planned(subscription.filter(LetterFiled::number().at_least(facts.from)), facts)
}

fn posted(subscription: Subscription<LetterPosted>, facts: &QueueFacts) -> Subscription<LetterPosted> {
    as_planned(subscription.filter(LetterPosted::number().at_least(facts.from)), facts)
}

fn as_planned<E: Event>(subscription: Subscription<E>, facts: &QueueFacts) -> Subscription<E> {
    let QueueFacts { retry, timeout, concurrency, .. } = facts.clone();
    subscription.retry(retry).timeout(timeout).concurrency(concurrency)
}
