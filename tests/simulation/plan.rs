//! What a seed makes of a world: which services, how they subscribe, when they stop, what is published, what fails.

use std::{ops::Range, time::Duration};

use tegami::{
    Retry,
    schedule::{Missed, Overlap},
};

use crate::model::{Facts, QueueFacts, RelayFacts, ScheduleFacts};

/// How long things go wrong, in milliseconds.
pub const STORM: u64 = 90_000;

/// Sets what came later to these worlds apart from the rest.
const LATER: u64 = 0x9e37_79b9_7f4a_7c15;

/// One world before it begins.
#[derive(Debug)]
pub struct Plan {
    pub services: Vec<ServicePlan>,
    /// How many messages each outside publisher sends.
    pub publishers: Vec<usize>,
    /// How often what can go wrong does: 100 is as often as it may.
    pub rage: u64,
    /// When the broker goes away, and for how long.
    pub outages: Vec<(Duration, Duration)>,
    /// When it takes deliveries back.
    pub losses: Vec<Duration>,
    /// Does the broker filter?
    pub filters: bool,
    /// Do services learn that the broker took a delivery back?
    pub tells_losses: bool,
    /// How many transactions each clerk commits.
    pub clerks: Vec<usize>,
    /// How many letters each of those records that record.
    pub recorders: Vec<usize>,
    pub relays: RelayFacts,
    /// When the database is away, and for how long.
    pub closures: Vec<(Duration, Duration)>,
    /// When the clock on the wall is put forward, or back, and how far.
    pub jumps: Vec<(Duration, Jump)>,
}

/// How a clock jumps.
#[derive(Debug, Clone, Copy)]
pub enum Jump {
    Forward(Duration),
    Back(Duration),
}

/// One service.
#[derive(Debug, Clone)]
pub struct ServicePlan {
    pub name: &'static str,
    /// By the number of their queue.
    pub subscriptions: Vec<(usize, QueueFacts)>,
    /// By their number.
    pub schedules: Vec<(usize, ScheduleFacts)>,
    /// How it publishes from the outbox, if it does.
    pub relay: Option<RelayFacts>,
    /// What it does with letters.
    pub does: Does,
    /// The lives of each of its processes, but for the last.
    pub replicas: Vec<Vec<Life>>,
}

/// What a service does with letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Does {
    /// Handles those that are published.
    Handles,
    /// Handles those that are recorded.
    Reads(Pace),
    /// Makes something of those that are recorded.
    Projects(Pace),
    /// Has a process for each key.
    Errands,
}

/// How one goes about its work that has something of the database's for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    pub hold: Duration,
    pub poll: Duration,
    pub batch: usize,
}

/// From a start to an end.
#[derive(Debug, Clone)]
pub struct Life {
    pub lasts: Duration,
    pub end: End,
    /// Until the next start.
    pub pause: Duration,
}

/// How a life ends.
#[derive(Debug, Clone, Copy)]
pub enum End {
    /// Stopped, with this drain.
    Stopped(Duration),
    /// Dropped where it stands.
    Dropped,
    /// Its process is gone, with its connection.
    Killed,
}

impl Plan {
    /// The plan of a seed's chance.
    pub fn draw(rng: &mut fastrand::Rng) -> Self {
        let (filters, relays) = (rng.bool(), relays(rng));
        let mut services = handling(filters, rng);
        // Half of the worlds have no database, and half have no schedules.
        let (stored, scheduled) = (rng.bool(), rng.bool());
        if stored {
            let subscriptions = services.iter_mut().flat_map(|service| &mut service.subscriptions);
            subscriptions.for_each(|(_, facts)| facts.inbox = rng.bool());
            services[0].relay = rng.bool().then_some(relays);
            services.push(ServicePlan { relay: Some(relays), ..ServicePlan::new("mail", rng) });
        }
        if scheduled {
            let schedules = (0..rng.usize(1..3)).map(|number| (number, schedule(rng))).collect();
            services.push(ServicePlan { schedules, ..ServicePlan::new("tower", rng) });
        }
        // What came later to these worlds has a chance of its own, so that the others stay what they were.
        let mut later = fastrand::Rng::with_seed(rng.clone().u64(..) ^ LATER);
        let recorders = if stored { archives(&mut services, &mut later) } else { Vec::new() };
        let clerks = if stored { rng.usize(1..3) } else { 0 };
        let jumps = if scheduled { rng.usize(0..3) } else { 0 };
        Self {
            services,
            publishers: (0..rng.usize(1..4)).map(|_| rng.usize(6..20)).collect(),
            rage: [0, 30, 100, 200][rng.usize(0..4)],
            outages: (0..rng.usize(0..3)).map(|_| (millis(rng, 0..STORM), millis(rng, 1..15_000))).collect(),
            losses: (0..rng.usize(0..4)).map(|_| millis(rng, 0..STORM)).collect(),
            filters,
            tells_losses: rng.bool(),
            clerks: (0..clerks).map(|_| rng.usize(4..12)).collect(),
            recorders,
            relays,
            closures: (0..rng.usize(0..3)).map(|_| (millis(rng, 0..STORM), millis(rng, 1..30_000))).collect(),
            jumps: (0..jumps).map(|_| (millis(rng, 0..STORM), jump(rng))).collect(),
        }
    }

    /// What the model knows of it.
    pub fn facts(&self) -> Facts {
        let queues = self.services.iter().flat_map(|service| &service.subscriptions);
        let schedules = self.services.iter().flat_map(|service| &service.schedules);
        Facts {
            queues: queues.map(|(_, facts)| facts.clone()).collect(),
            relays: self.relays,
            schedules: schedules.map(|(_, facts)| facts.clone()).collect(),
        }
    }
}

impl ServicePlan {
    /// A service that does nothing yet.
    fn new(name: &'static str, rng: &mut fastrand::Rng) -> Self {
        let replicas = (0..rng.usize(1..4)).map(|_| lives(rng)).collect();
        Self { name, subscriptions: Vec::new(), schedules: Vec::new(), relay: None, does: Does::Handles, replicas }
    }
}

/// Services that handle letters.
fn handling(filters: bool, rng: &mut fastrand::Rng) -> Vec<ServicePlan> {
    let mut queues = 0;
    let mut service = |name| {
        let kinds: &[bool] = [&[false, true][..], &[true], &[false]][rng.usize(0..3)];
        let subscriptions = kinds.iter().map(|ordered| {
            queues += 1;
            (queues - 1, subscription(*ordered, filters, rng))
        });
        let subscriptions = subscriptions.collect();
        ServicePlan { subscriptions, ..ServicePlan::new(name, rng) }
    };
    vec![service("billing"), service("shipping")]
}

/// Services that work on what is recorded, in half of the worlds; how much is.
fn archives(services: &mut Vec<ServicePlan>, rng: &mut fastrand::Rng) -> Vec<usize> {
    if rng.bool() {
        return Vec::new();
    }
    let mut queues: usize = services.iter().map(|service| service.subscriptions.len()).sum();
    let [reads, projects, errands] = [(); 3].map(|()| rng.u8(0..3) > 0);
    let mut both = |is_read: bool, rng: &mut fastrand::Rng| -> Vec<(usize, QueueFacts)> {
        let facts = |ordered, rng: &mut fastrand::Rng| {
            let facts = subscription(ordered, true, rng);
            QueueFacts { from: 0, is_read, inbox: !is_read || rng.bool(), ..facts }
        };
        queues += 2;
        vec![(queues - 2, facts(false, rng)), (queues - 1, facts(true, rng))]
    };
    if reads {
        let (subscriptions, does) = (both(true, rng), Does::Reads(pace(rng)));
        services.push(ServicePlan { subscriptions, does, ..ServicePlan::new("reading", rng) });
    }
    if errands {
        let subscriptions = both(false, rng);
        services.push(ServicePlan { subscriptions, does: Does::Errands, ..ServicePlan::new("errands", rng) });
    }
    if projects {
        services.push(ServicePlan { does: Does::Projects(pace(rng)), ..ServicePlan::new("ledger", rng) });
    }
    (0..rng.usize(1..3)).map(|_| rng.usize(4..12)).collect()
}

fn pace(rng: &mut fastrand::Rng) -> Pace {
    Pace { hold: millis(rng, 1_000..40_000), poll: millis(rng, 200..4_000), batch: rng.usize(1..20) }
}

fn relays(rng: &mut fastrand::Rng) -> RelayFacts {
    RelayFacts {
        poll: millis(rng, 500..4_000),
        batch: rng.usize(1..20),
        hold: millis(rng, 1_000..40_000),
        refusals: rng.u32(1..5),
    }
}

fn schedule(rng: &mut fastrand::Rng) -> ScheduleFacts {
    ScheduleFacts {
        every: Duration::from_secs([5, 10, 20, 60][rng.usize(0..4)]),
        missed: [Missed::Once, Missed::All, Missed::Skip][rng.usize(0..3)],
        overlap: [Overlap::Skip, Overlap::Queue, Overlap::Parallel(2)][rng.usize(0..3)],
    }
}

fn jump(rng: &mut fastrand::Rng) -> Jump {
    if rng.bool() { Jump::Forward(millis(rng, 0..300_000)) } else { Jump::Back(millis(rng, 0..60_000)) }
}

fn subscription(ordered: bool, filtered: bool, rng: &mut fastrand::Rng) -> QueueFacts {
    let plans: [&[u64]; 5] = [&[], &[1_000], &[100, 100], &[100, 1_000, 5_000], &[0, 500, 2_000, 10_000, 30_000]];
    let delays = plans[rng.usize(0..plans.len())].iter().copied().map(Duration::from_millis);
    QueueFacts {
        ordered,
        from: if rng.bool() { 0 } else { rng.u64(0..60) },
        filtered,
        retry: Retry::after(delays),
        timeout: millis(rng, 500..30_000),
        concurrency: rng.usize(1..6),
        inbox: false,
        is_read: false,
    }
}

fn lives(rng: &mut fastrand::Rng) -> Vec<Life> {
    let life = |rng: &mut fastrand::Rng| Life {
        lasts: millis(rng, 0..STORM / 2),
        end: match rng.u8(0..4) {
            0 => End::Dropped,
            1 => End::Killed,
            2 => End::Stopped(Duration::ZERO),
            _ => End::Stopped(millis(rng, 0..20_000)),
        },
        pause: millis(rng, 0..5_000),
    };
    (0..rng.usize(0..3)).map(|_| life(rng)).collect()
}

fn millis(rng: &mut fastrand::Rng, range: Range<u64>) -> Duration {
    Duration::from_millis(rng.u64(range))
}
