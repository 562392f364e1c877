//! Where letters are handled, with notes of what happened to each key.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::sync::Semaphore;

use crate::{
    HandlerError, Retry, Service, Subscription,
    testing::transport::{LetterFiled, Trial, trial::held},
};

/// The key that can be made to hang.
pub(super) const HANGS: &str = "folder 0";
/// How many letters are handled at once.
const WORKERS: usize = 4;
/// The longest that a handler takes, in milliseconds.
const LONGEST: u64 = 5;
/// How long a failed letter rests.
const REST: Duration = Duration::from_millis(20);

/// What a handler answers to a letter, at this attempt.
type Answer = fn(&LetterFiled, u32) -> Result<(), HandlerError>;

/// The handlers' desk. Clones share it.
#[derive(Clone)]
pub(super) struct Desk(Arc<Inner>);

struct Inner {
    answer: Answer,
    chance: Mutex<fastrand::Rng>,
    gate: Semaphore,
    keys: Mutex<BTreeMap<String, Notes>>,
}

/// What happened to one key.
#[derive(Default)]
struct Notes {
    begun: Vec<u64>,
    done: Vec<u64>,
    running: usize,
    most: usize,
}

impl Desk {
    pub(super) fn new(trial: &Trial, answer: Answer) -> Self {
        let (chance, gate, keys) = (Mutex::new(trial.chance()), Semaphore::new(1), Mutex::default());
        Self(Arc::new(Inner { answer, chance, gate, keys }))
    }

    /// A service that handles letters at this desk.
    pub(super) fn service(&self, trial: &Trial, service: Service) -> Service {
        self.service_with(trial, service, |subscription| subscription)
    }

    /// A service that handles letters at this desk in a way of its own.
    pub(super) fn service_with(
        &self,
        trial: &Trial,
        service: Service,
        choose: impl FnOnce(Subscription<LetterFiled>) -> Subscription<LetterFiled>,
    ) -> Service {
        let (desk, plan) = (self.clone(), Retry::after([REST; 2]));
        let handler = trial.handler(&plan, move |letter: LetterFiled, ctx| {
            let desk = desk.clone();
            async move { desk.handle(letter, ctx.attempt()).await }
        });
        service.on_with::<LetterFiled>(handler, |asked| choose(asked.concurrency(WORKERS).retry(plan)))
    }

    async fn handle(&self, letter: LetterFiled, attempt: u32) -> Result<(), HandlerError> {
        self.note(&letter, |notes| {
            notes.begun.push(letter.number);
            notes.running += 1;
            notes.most = notes.most.max(notes.running);
        });
        if letter.r#box == HANGS {
            let _ = self.0.gate.acquire().await;
        }
        let takes = held(&self.0.chance).u64(0..=LONGEST);
        tokio::time::sleep(Duration::from_millis(takes)).await;
        let answer = (self.0.answer)(&letter, attempt);
        self.note(&letter, |notes| {
            notes.running -= 1;
            notes.done.extend(answer.is_ok().then_some(letter.number));
        });
        answer
    }

    fn note(&self, letter: &LetterFiled, what: impl FnOnce(&mut Notes)) {
        what(held(&self.0.keys).entry(letter.r#box.clone()).or_default());
    }

    /// From now on the one key hangs.
    pub(super) fn hang(&self) {
        self.0.gate.forget_permits(1);
    }

    /// It hangs no more.
    pub(super) fn go_on(&self) {
        self.0.gate.add_permits(1);
    }

    /// The numbers that were begun for a key, as they came.
    pub(super) fn begun(&self, key: &str) -> Vec<u64> {
        held(&self.0.keys).get(key).map(|notes| notes.begun.clone()).unwrap_or_default()
    }

    /// The numbers that were completed for a key, as they came.
    pub(super) fn done(&self, key: &str) -> Vec<u64> {
        held(&self.0.keys).get(key).map(|notes| notes.done.clone()).unwrap_or_default()
    }

    /// So many letters of each key were first completed in order, and never two of a key at once.
    pub(super) fn is_in_order(&self, each: usize) {
        for (key, notes) in &*held(&self.0.keys) {
            assert_eq!(notes.most, 1, "letters of {key} at once");
            let mut firsts: Vec<u64> = Vec::new();
            notes.done.iter().for_each(|number| {
                if !firsts.contains(number) {
                    firsts.push(*number)
                }
            });
            assert_eq!(firsts, (0..each as u64).collect::<Vec<_>>(), "{key}");
        }
    }
}
