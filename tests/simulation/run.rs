//! One simulation: a seed in, a trace and a verdict out.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tegami::{
    schedule::lease::MemoryLeases,
    transport::{Memory, Provision, Transport},
};
use tokio::{runtime::Handle, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    happened::{Happened, Ticked},
    load,
    model::{Figures, Model},
    office::Office,
    plan::{Does, Jump, Plan, STORM},
    replica::{Harbour, plain, service},
    trace::Trace,
    wire::Wire,
    world::World,
};

/// By when everything must be done once the faults have stopped.
const LIVENESS: Duration = Duration::from_secs(2 * 60 * 60);
/// By when whatever still runs apart from its delivery has ended.
const GHOSTS: Duration = Duration::from_secs(2 * 60);
/// How long schedules are looked at once the faults have stopped.
const SCHEDULES: Duration = Duration::from_secs(5 * 60);

/// How a simulation went.
pub struct Outcome {
    pub trace: Trace,
    pub verdict: Result<(), String>,
    /// What it was worth.
    pub figures: Figures,
}

/// Simulates what the seed makes of a world.
pub fn simulate(seed: u64) -> Outcome {
    let mut rng = fastrand::Rng::with_seed(seed);
    let plan = Plan::draw(&mut rng);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime can be built");
    let (model, ways) = (Model::new(plan.facts()), (plan.rage, plan.tells_losses));
    let world = runtime.block_on(async { Arc::new(World::new(model, rng, ways)) });
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
    let scheduled = plan.services.iter().any(|service| !service.schedules.is_empty());
    let harbour = harbour(world, &plan).await;
    let (mut storm, mut replicas) = (JoinSet::new(), JoinSet::new());
    for service in &plan.services {
        for replica in 0..service.replicas.len() {
            replicas.spawn(harbour.clone().live(service.clone(), replica));
        }
    }
    let (berth, post) = harbour.start("post", |berth| plain("post", world, berth)).await;
    for (place, count) in plan.publishers.iter().enumerate() {
        storm.spawn(load::publish(world.clone(), post.publisher().clone(), (format!("post {place}"), *count)));
    }
    for count in &plan.clerks {
        let ways = (harbour.office.connect("clerk"), post.publisher().clone());
        storm.spawn(load::commit(world.clone(), ways, *count));
    }
    let is_projected = plan.services.iter().any(|service| matches!(service.does, Does::Projects(_)));
    for count in &plan.recorders {
        let (counter, store) = (harbour.office.connect("recorder"), berth.store(world));
        let ways = (counter, store, post.publisher().clone());
        storm.spawn(load::record(world.clone(), ways, (*count, is_projected)));
    }
    plan.closures.into_iter().for_each(|(at, lasts)| drop(storm.spawn(closure(harbour.clone(), at, lasts))));
    plan.jumps.into_iter().for_each(|(at, jump)| drop(storm.spawn(jumps(harbour.clone(), at, jump))));
    plan.outages.into_iter().for_each(|(at, lasts)| drop(storm.spawn(outage(harbour.clone(), at, lasts))));
    plan.losses.into_iter().for_each(|at| drop(storm.spawn(loss(harbour.clone(), at))));
    while storm.join_next().await.is_some() {}
    tokio::time::sleep(Duration::from_millis(STORM / 3)).await;
    world.calm();
    tokio::time::sleep(if scheduled { SCHEDULES } else { GHOSTS }).await;
    let quiet = tokio::time::timeout(LIVENESS, quiet(&harbour)).await;
    world.fault(format!("quiet: {}", quiet.is_ok()));
    world.note(Happened::Ticked(Ticked::Over { wall: world.wall() }));
    harbour.finish.cancel();
    while replicas.join_next().await.is_some() {}
    harbour.stop(berth.by, Duration::from_secs(30), post).await;
    tokio::time::sleep(GHOSTS).await;
    let dead = harbour.broker.all_dead_letters().len() + harbour.office.dead();
    let [_, _, known, ..] = world.figures();
    world.must(dead == known, &format!("X1: {dead} dead letters are kept, {known} were given up on"));
    let tasks = Handle::current().metrics().num_alive_tasks();
    world.must(tasks == 0, &format!("H2: {tasks} tasks are left at the end"));
}

/// Waits until no message is on its way.
async fn quiet(harbour: &Harbour) {
    loop {
        harbour.broker.quiet().await;
        if harbour.office.is_quiet() {
            return;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// A broker with every queue of the plan.
async fn harbour(world: &Arc<World>, plan: &Plan) -> Harbour {
    let mut harbour = Harbour {
        world: world.clone(),
        broker: Memory::builder().clock(world.clock).build(),
        office: Office::new(world),
        leases: MemoryLeases::new(),
        queues: Arc::default(),
        filters: plan.filters,
        wires: Arc::default(),
        finish: CancellationToken::new(),
    };
    let mut queues = Vec::new();
    for made in &plan.services {
        let berth = harbour.connect("plan".to_owned());
        let topology = service(made, world, &berth).topology().expect("the plan is sound");
        if let Does::Reads(pace) = made.does {
            while berth.reading(world, pace).provision(&topology, Provision::Create).await.is_err() {}
        } else {
            berth.wire.provision(&topology, Provision::Create).await.expect("nothing has failed yet");
        }
        for (_, facts) in &made.subscriptions {
            let named = topology.queues.iter().find(|queue| queue.ordered == facts.ordered);
            queues.push(named.expect("each subscription has its queue").name.clone());
        }
    }
    harbour.queues = Arc::new(queues);
    harbour
}

/// The broker goes away and comes back.
async fn outage(harbour: Harbour, at: Duration, lasts: Duration) {
    tokio::time::sleep(at).await;
    harbour.world.fault(format!("the broker is away for {lasts:?}"));
    harbour.world.goes_down(lasts);
    wires(&harbour.wires).iter().for_each(Wire::cut);
}

/// The database goes away and comes back.
async fn closure(harbour: Harbour, at: Duration, lasts: Duration) {
    tokio::time::sleep(at).await;
    harbour.world.fault(format!("the database is away for {lasts:?}"));
    harbour.world.shuts(lasts);
}

/// Somebody sets the clock on the wall.
async fn jumps(harbour: Harbour, at: Duration, jump: Jump) {
    tokio::time::sleep(at).await;
    let before = harbour.world.wall();
    match jump {
        Jump::Forward(by) => harbour.world.shown.forward(by),
        Jump::Back(by) => harbour.world.shown.back(by),
    }
    harbour.world.note(Happened::Ticked(Ticked::Jumped { before, wall: harbour.world.wall() }));
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
