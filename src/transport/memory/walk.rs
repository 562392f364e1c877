//! Seeded random walks over the pure broker, without a runtime: whatever happens, its promises hold.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    queue::Handed,
    state::{Declared, Published, State},
};
use crate::{
    envelope::{MessageId, Sealed},
    event::Policy,
    transport::{Binding, Outgoing, Reach, Reason, ReasonKind, Settlement},
};

const CAPACITY: usize = 20;

/// A broker with one ordered queue, a consumer that does anything, and what must hold of both.
struct Walk {
    rng: fastrand::Rng,
    state: State,
    now: Instant,
    held: Vec<Handed>,
    earliest: BTreeMap<String, Instant>,
    attempts: BTreeMap<String, u32>,
    done: Vec<(String, String)>,
    stored: usize,
    trace: Vec<String>,
}

impl Walk {
    fn new(seed: u64, start: Instant) -> Self {
        let mut state = State::new(CAPACITY);
        let queue = state.declare(
            "billing",
            Declared { ordered: true, reach: Reach::Shared, dead_letters: "billing-dead".to_owned() },
        );
        let binding = Binding {
            topic: "shop".to_owned(),
            routing_key: "paid".to_owned(),
            event: "paid",
            by_name: true,
            policy: Policy::default(),
        };
        state.topics.entry("shop".to_owned()).or_default().routes.bind(queue, &binding);
        Self {
            rng: fastrand::Rng::with_seed(seed),
            state,
            now: start,
            held: Vec::new(),
            earliest: BTreeMap::new(),
            attempts: BTreeMap::new(),
            done: Vec::new(),
            stored: 0,
            trace: Vec::new(),
        }
    }

    fn step(&mut self) {
        match self.rng.u8(0..10) {
            0..=3 => self.publish(),
            4..=5 => self.take(),
            6..=7 => self.settle(),
            8 => self.now += Duration::from_millis(self.rng.u64(0..2_000)),
            _ if self.rng.u8(0..10) == 0 => self.close(),
            _ => {}
        }
        let depth = self.state.depth(0);
        assert_eq!(depth.in_flight, self.held.len());
        let unsettled = depth.ready + depth.delayed + depth.in_flight;
        assert!(unsettled <= CAPACITY && depth.dead <= CAPACITY);
        assert_eq!(unsettled + self.done.len(), self.stored, "none lost, none made up");
        assert_eq!(self.state.is_quiet(), unsettled == 0);
        self.trace.push(format!("{depth:?}"));
    }

    fn publish(&mut self) {
        let id = format!("{:06}", self.stored);
        let mut message = Outgoing::new(MessageId::parse(id.as_str()).unwrap(), "paid", "shop", Sealed::default());
        message.key = Some(self.rng.u8(0..4).to_string());
        let delay = Duration::from_millis(self.rng.u64(0..1_000));
        message.delay = self.rng.bool().then_some(delay);
        let earliest = self.now + message.delay.unwrap_or_default();
        match self.state.publish(&Arc::new(message), self.now) {
            Published::Stored(queues) => {
                self.stored += queues.len();
                self.earliest.insert(id, earliest);
            }
            full => assert_eq!(full, Published::Full(0)),
        }
    }

    fn take(&mut self) {
        let (handed, _) = self.state.take(0, self.rng.usize(1..4), 0, self.now);
        for next in handed {
            let id = next.entry.message.id.to_string();
            assert!(self.earliest.get(&id).is_none_or(|earliest| *earliest <= self.now), "{id} came early");
            assert!(self.held.iter().all(|held| held.entry.key() != next.entry.key()), "{id} beside one of its key");
            assert_eq!(next.entry.attempt, *self.attempts.entry(id).or_insert(1));
            self.held.push(next);
        }
    }

    fn settle(&mut self) {
        if self.held.is_empty() {
            return;
        }
        let next = self.held.swap_remove(self.rng.usize(..self.held.len()));
        let (id, key) = (next.entry.message.id.to_string(), next.entry.key().unwrap_or_default().to_owned());
        let settlement = self.decide(&id);
        let ends = matches!(settlement, Settlement::Ack | Settlement::DeadLetter(_));
        let (settled, _) = self.state.settle(0, next.tag, settlement, self.now);
        if ends && settled.is_ok() {
            self.done.push((key, id));
        }
        assert!(self.state.settle(0, next.tag, Settlement::Ack, self.now).0.is_err(), "settled once");
    }

    fn decide(&mut self, id: &str) -> Settlement {
        match self.rng.u8(0..10) {
            0..=4 => Settlement::Ack,
            5..=7 => {
                let after = Duration::from_millis(self.rng.u64(0..1_000));
                self.earliest.insert(id.to_owned(), self.now + after);
                *self.attempts.get_mut(id).expect("it was handed out") += 1;
                Settlement::Retry { after }
            }
            8 => Settlement::Release,
            _ => Settlement::DeadLetter(Reason::new(ReasonKind::Permanent, "no", 1, std::time::UNIX_EPOCH)),
        }
    }

    fn close(&mut self) {
        self.state.give_back(0, self.now);
        self.held.clear();
    }

    /// Everything still here is acked; then the queue is empty, and each key was done in publish order.
    fn finish(&mut self) {
        for _ in 0..CAPACITY * 2 {
            self.now += Duration::from_secs(10);
            self.take();
            for next in std::mem::take(&mut self.held) {
                let done = (next.entry.key().unwrap_or_default().to_owned(), next.entry.message.id.to_string());
                self.state.settle(0, next.tag, Settlement::Ack, self.now).0.unwrap();
                self.done.push(done);
            }
        }
        assert!(self.state.is_quiet(), "all done once faults stop");
        let mut last = BTreeMap::new();
        for (key, id) in &self.done {
            let before = last.insert(key, id);
            assert!(before.is_none_or(|before| before < id), "key {key}: {before:?} before {id}");
        }
    }
}

fn walk(seed: u64, start: Instant) -> Vec<String> {
    let mut walk = Walk::new(seed, start);
    for _ in 0..500 {
        walk.step();
    }
    walk.finish();
    walk.trace
}

#[test]
fn random_walks_lose_nothing_keep_order_and_come_to_an_end() {
    let start = Instant::now();
    for seed in 0..200 {
        walk(seed, start);
    }
}

#[test]
fn same_seed_walks_the_same_way() {
    let start = Instant::now();
    assert_eq!(walk(7, start), walk(7, start));
    assert_ne!(walk(7, start), walk(8, start));
}
