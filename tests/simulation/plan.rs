//! What a seed makes of a world: which services, how they subscribe, when they stop, what is published, what fails.

use std::{ops::Range, time::Duration};

use tegami::Retry;

use crate::model::QueueFacts;

/// How long things go wrong, in milliseconds.
pub const STORM: u64 = 90_000;

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
}

/// One service.
#[derive(Debug, Clone)]
pub struct ServicePlan {
    pub name: &'static str,
    /// By the number of their queue.
    pub subscriptions: Vec<(usize, QueueFacts)>,
    /// The lives of each of its processes, but for the last.
    pub replicas: Vec<Vec<Life>>,
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
        let filters = rng.bool();
        let mut queues = 0;
        let mut service = |name, rng: &mut fastrand::Rng| {
            let kinds: &[bool] = [&[false, true][..], &[true], &[false]][rng.usize(0..3)];
            let subscriptions = kinds.iter().map(|ordered| {
                queues += 1;
                (queues - 1, subscription(*ordered, filters, rng))
            });
            let subscriptions = subscriptions.collect();
            ServicePlan { name, subscriptions, replicas: (0..rng.usize(1..4)).map(|_| lives(rng)).collect() }
        };
        let services = ["billing", "shipping"].map(|name| service(name, rng)).into_iter().collect();
        Self {
            services,
            publishers: (0..rng.usize(1..4)).map(|_| rng.usize(8..30)).collect(),
            rage: [0, 30, 100, 200][rng.usize(0..4)],
            outages: (0..rng.usize(0..3)).map(|_| (millis(rng, 0..STORM), millis(rng, 1..15_000))).collect(),
            losses: (0..rng.usize(0..4)).map(|_| millis(rng, 0..STORM)).collect(),
            filters,
        }
    }

    /// The facts of every queue, by number.
    pub fn queues(&self) -> Vec<QueueFacts> {
        let all = self.services.iter().flat_map(|service| &service.subscriptions);
        all.map(|(_, facts)| facts.clone()).collect()
    }
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
