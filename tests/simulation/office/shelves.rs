//! How far projections and queues have come, who has them, and what queues are not done with.

use std::collections::BTreeMap;

use tegami::{
    projection::{Checkpoint, Claim, Held, Id},
    records::{Kept, Standing},
    store::Position,
    time::Clock,
};
use tokio::time::Instant;

/// All that is committed, and who has locked what.
#[derive(Default)]
pub struct Shelves {
    marks: BTreeMap<Id, Mark>,
    /// By the number of the transaction.
    locks: BTreeMap<Id, u64>,
    kept: BTreeMap<(String, Position), Kept>,
}

/// A checkpoint.
#[derive(Clone)]
pub struct Mark {
    pub position: Position,
    /// Who has it, until then.
    pub holder: Option<(String, Instant)>,
}

impl Mark {
    /// Has it held by who claims it, unless somebody else has it.
    pub fn hold(&mut self, claim: &Claim, now: Instant) -> Held {
        if self.holder.as_ref().is_some_and(|(who, until)| *who != claim.projector && *until > now) {
            return Held::Elsewhere;
        }
        self.holder = Some((claim.projector.clone(), now + claim.hold));
        Held::Here(self.position)
    }

    /// Is it this one's?
    pub fn is_of(&self, claim: &Claim) -> bool {
        self.holder.as_ref().is_some_and(|(who, _)| *who == claim.projector)
    }
}

impl Shelves {
    /// Locks it for a transaction, unless another has it.
    pub fn lock(&mut self, id: &Id, tx: u64) -> bool {
        *self.locks.entry(id.clone()).or_insert(tx) == tx
    }

    pub fn unlock(&mut self, tx: u64) {
        self.locks.retain(|_, by| *by != tx);
    }

    pub fn mark(&self, id: &Id) -> Option<&Mark> {
        self.marks.get(id)
    }

    pub fn put(&mut self, id: Id, mark: Mark) {
        self.marks.insert(id, mark);
    }

    /// As everybody sees it; times are those of this clock.
    pub fn checkpoint(&self, id: &Id, clock: &Clock) -> Option<Checkpoint> {
        let Mark { position, holder } = self.mark(id)?;
        let checkpoint = Checkpoint::new(id.clone(), *position);
        Some(match holder {
            Some((who, until)) => checkpoint.held(Some(who.clone()), clock.wall(*until)),
            None => checkpoint,
        })
    }

    pub fn checkpoints(&self, clock: &Clock) -> Vec<Checkpoint> {
        self.marks.keys().filter_map(|id| self.checkpoint(id, clock)).collect()
    }

    pub fn note(&mut self, queue: &str, done: &[Position], kept: &[Kept]) {
        for position in done {
            self.kept.remove(&(queue.to_owned(), *position));
        }
        for kept in kept {
            self.kept.insert((queue.to_owned(), kept.position), kept.clone());
        }
    }

    pub fn kept(&self, queue: &str) -> impl Iterator<Item = &Kept> {
        self.kept.iter().filter(move |((name, _), _)| name == queue).map(|(_, kept)| kept)
    }

    /// Is everything up to there done with, or given up on?
    pub fn is_quiet(&self, end: Position) -> bool {
        self.marks.values().all(|mark| mark.position >= end)
            && self.kept.values().all(|kept| matches!(kept.standing, Standing::Dead(_)))
    }

    /// How many were given up on.
    pub fn dead(&self) -> usize {
        self.kept.values().filter(|kept| matches!(kept.standing, Standing::Dead(_))).count()
    }
}
