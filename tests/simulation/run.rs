//! One simulation: a seed in, a trace and a verdict out.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tegami::transport::{Memory, Provision, Transport};
use tokio::{runtime::Handle, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    load,
    model::Model,
    plan::{Plan, STORM},
    replica::{Harbour, plain, service},
    trace::Trace,
    wire::Wire,
    world::World,
};

/// By when everything must be done once the faults have stopped.
const LIVENESS: Duration = Duration::from_secs(2 * 60 * 60);
/// By when whatever still runs apart from its delivery has ended.
const GHOSTS: Duration = Duration::from_secs(5 * 60);

/// How a simulation went.
pub struct Outcome {
    pub trace: Trace,
    pub verdict: Result<(), String>,
    /// How many messages were stored, completed and given up on.
    pub figures: [usize; 3],
}

/// Simulates what the seed makes of a world.
pub fn simulate(seed: u64) -> Outcome {
    let mut rng = fastrand::Rng::with_seed(seed);
    let plan = Plan::draw(&mut rng);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime can be built");
    let world = runtime.block_on(async { Arc::new(World::new(Model::new(plan.queues()), rng, plan.rage)) });
    let ended = catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async {
            tokio::select! {
                biased;
                () = world.broken() => {}
                () = whole(&world, plan) => {}
            }
        });
    }));
    if ended.is_err() {
        world.fail("the simulation panicked".to_owned());
    }
    world.end()
}

async fn whole(world: &Arc<World>, plan: Plan) {
    let harbour = harbour(world, &plan).await;
    let (mut storm, mut replicas) = (JoinSet::new(), JoinSet::new());
    for service in &plan.services {
        for replica in 0..service.replicas.len() {
            replicas.spawn(harbour.clone().live(service.clone(), replica));
        }
    }
    let (by, _, post) = harbour.start("post", |wire| plain("post", world, wire)).await;
    for (place, count) in plan.publishers.iter().enumerate() {
        storm.spawn(load::publish(world.clone(), post.publisher().clone(), (format!("post {place}"), *count)));
    }
    plan.outages.into_iter().for_each(|(at, lasts)| drop(storm.spawn(outage(harbour.clone(), at, lasts))));
    plan.losses.into_iter().for_each(|at| drop(storm.spawn(loss(harbour.clone(), at))));
    while storm.join_next().await.is_some() {}
    tokio::time::sleep(Duration::from_millis(STORM / 3)).await;
    world.calm();
    tokio::time::sleep(GHOSTS).await;
    let quiet = tokio::time::timeout(LIVENESS, harbour.broker.quiet()).await;
    world.fault(format!("quiet: {}", quiet.is_ok()));
    harbour.finish.cancel();
    while replicas.join_next().await.is_some() {}
    harbour.stop(by, Duration::from_secs(30), post).await;
    tokio::time::sleep(GHOSTS).await;
    let dead = harbour.broker.all_dead_letters().len();
    let [_, _, known] = world.figures();
    world.must(dead == known, &format!("X1: {dead} dead letters are kept, {known} were given up on"));
    let tasks = Handle::current().metrics().num_alive_tasks();
    world.must(tasks == 0, &format!("H2: {tasks} tasks are left at the end"));
}

/// A broker with every queue of the plan.
async fn harbour(world: &Arc<World>, plan: &Plan) -> Harbour {
    let broker = Memory::builder().clock(world.clock).build();
    let mut queues = Vec::new();
    for made in &plan.services {
        let wire = Wire::new(world, "plan", &broker, &Arc::default(), plan.filters);
        let topology = service(made, world, wire.clone()).topology().expect("the plan is sound");
        wire.provision(&topology, Provision::Create).await.expect("nothing has failed yet");
        for (_, facts) in &made.subscriptions {
            let named = topology.queues.iter().find(|queue| queue.ordered == facts.ordered);
            queues.push(named.expect("each subscription has its queue").name.clone());
        }
    }
    let (queues, wires) = (Arc::new(queues), Arc::default());
    let (world, filters, finish) = (world.clone(), plan.filters, CancellationToken::new());
    Harbour { world, broker, queues, filters, wires, finish }
}

/// The broker goes away and comes back.
async fn outage(harbour: Harbour, at: Duration, lasts: Duration) {
    tokio::time::sleep(at).await;
    harbour.world.fault(format!("the broker is away for {lasts:?}"));
    harbour.world.goes_down(lasts);
    wires(&harbour.wires).iter().for_each(Wire::cut);
}

/// The broker takes back some of what it handed out.
async fn loss(harbour: Harbour, at: Duration) {
    tokio::time::sleep(at).await;
    harbour.world.fault("the broker takes deliveries back");
    wires(&harbour.wires).iter().for_each(Wire::lose_leases);
}

fn wires(wires: &Mutex<Vec<Wire>>) -> Vec<Wire> {
    wires.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
