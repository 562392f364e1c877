//! One transaction: nobody sees it before its commit, and dropped it never was.

use std::{collections::BTreeMap, sync::atomic::Ordering};

use async_trait::async_trait;
use tegami::{
    envelope::MessageId,
    outbox::{DatabaseError, DatabaseErrorKind, Mark, Marked, Row, Timeout, Timeouts, Transaction},
    projection::{Claim, Held, Id},
    records::{self, Standing},
    store::{
        self, Append, Appended, Conflict, EventStore, Position, Recorded, StoreError, StoreErrorKind, StreamId, Version,
    },
};
use tokio::time::Instant;

use super::{Counter, archive::away, fault, rows, shelves, timeouts::Deed};
use crate::happened::{Archived, Happened, Rows, Tag};

/// Sets what is half done apart: nobody's transaction may have it at its end.
const HALF: u64 = 1 << 50;

/// A transaction.
pub struct Tx {
    counter: Counter,
    number: u64,
    rows: Vec<(Row, Option<Instant>)>,
    marks: Vec<Mark>,
    effect: Option<Tag>,
    /// Locked and looked at.
    shelves: BTreeMap<Id, shelves::Mark>,
    moved: BTreeMap<Id, (Position, Position)>,
    rewound: Option<Id>,
    projected: Vec<u64>,
    noted: Vec<(String, Vec<Position>, Vec<records::Kept>)>,
    appends: Vec<Append>,
    deeds: Vec<Deed>,
}

impl Tx {
    pub fn new(counter: &Counter) -> Self {
        Self {
            number: counter.office.transactions.fetch_add(1, Ordering::Relaxed),
            counter: counter.clone(),
            rows: Vec::new(),
            marks: Vec::new(),
            effect: None,
            shelves: BTreeMap::new(),
            moved: BTreeMap::new(),
            rewound: None,
            projected: Vec::new(),
            noted: Vec::new(),
            appends: Vec::new(),
            deeds: Vec::new(),
        }
    }

    /// Has the effect of this delivery.
    pub fn has_effect(&mut self, tag: Tag) {
        self.effect = Some(tag);
    }

    /// Has half of what a projection makes of the event at this position; where that is.
    pub fn projects(&mut self, position: Position) -> usize {
        self.projected.push(HALF + position.number());
        self.projected.len() - 1
    }

    /// The other half, too.
    pub fn projected(&mut self, place: usize) {
        self.projected[place] -= HALF;
    }

    pub fn mark(&mut self, mark: &Mark) -> Option<Marked> {
        let marked = self.counter.office.desk().mark(mark)?;
        if marked == Marked::New {
            self.marks.push(mark.clone());
        }
        Some(marked)
    }

    pub(super) fn lock(&mut self, id: &Id) -> bool {
        let mut desk = self.counter.office.desk();
        let locked = desk.shelves.lock(id, self.number);
        if locked && !self.shelves.contains_key(id) {
            let new = shelves::Mark { position: Position::START, holder: None };
            self.shelves.insert(id.clone(), desk.shelves.mark(id).cloned().unwrap_or(new));
        }
        locked
    }

    fn shelf(&mut self, id: &Id) -> &mut shelves::Mark {
        self.shelves.get_mut(id).expect("it is locked")
    }

    pub(super) fn hold(&mut self, claim: &Claim, now: Instant) -> Held {
        self.shelf(&claim.id).hold(claim, now)
    }

    pub(super) fn advance(&mut self, claim: &Claim, from: Position, to: Position) -> bool {
        let shelf = self.shelf(&claim.id);
        if shelf.position != from || !shelf.is_of(claim) {
            return false;
        }
        shelf.position = to;
        self.moved.insert(claim.id.clone(), (from, to));
        true
    }

    pub(super) fn release(&mut self, claim: &Claim) {
        let shelf = self.shelf(&claim.id);
        if shelf.is_of(claim) {
            shelf.holder = None;
        }
    }

    pub(super) fn rewind(&mut self, id: &Id) {
        self.shelf(id).position = Position::START;
        self.rewound = Some(id.clone());
    }

    pub(super) fn note(&mut self, queue: &str, done: &[Position], kept: &[records::Kept]) {
        self.noted.push((queue.to_owned(), done.to_vec(), kept.to_vec()));
    }

    /// Makes it last; what the model is told of it.
    pub fn commit(mut self) -> Result<Vec<Happened>, DatabaseError> {
        for append in std::mem::take(&mut self.appends) {
            // Others were faster, and nothing of it was done yet: there is one append at most.
            self.counter.office.archive.append(append).map_err(|_| fault(DatabaseErrorKind::Busy))?;
        }
        let mut steps = self.counter.office.archive.news();
        steps.extend(self.commit_rows());
        steps.extend(self.commit_timeouts());
        steps.extend(self.commit_shelves());
        Ok(steps)
    }

    fn commit_rows(&mut self) -> Option<Happened> {
        let office = self.counter.office.clone();
        let since = |due: &Option<Instant>| due.map(|due| office.world.since(due));
        let timed = self.deeds.iter().filter_map(|deed| match deed {
            Deed::Set { row, due, .. } => Some(rows::kept(row, since(&Some(*due)))),
            _ => None,
        });
        let kept: Vec<_> = self.rows.iter().map(|(row, due)| rows::kept(row, since(due))).chain(timed).collect();
        let (rows, marks) = (std::mem::take(&mut self.rows), std::mem::take(&mut self.marks));
        let mut desk = office.desk();
        desk.commit(rows, &marks);
        marks.iter().for_each(|mark| desk.let_go(mark));
        let effect = self.effect;
        let is_empty = kept.is_empty() && effect.is_none();
        (!is_empty).then(|| Happened::Rows(Rows::Committed { by: self.counter.by.to_string(), kept, effect }))
    }

    fn commit_timeouts(&mut self) -> Option<Happened> {
        let (mut set, mut gone, mut cancelled) = (Vec::new(), Vec::new(), Vec::new());
        let office = self.counter.office.clone();
        let mut desk = office.desk();
        for deed in std::mem::take(&mut self.deeds) {
            match deed {
                Deed::Set { owner, row, due } => {
                    desk.cancel((&owner, Some(&row.outgoing.event)), (&mut gone, &mut cancelled));
                    set.push((rows::number(&row), office.world.since(due)));
                    desk.timeouts.set(&owner, &row);
                    desk.commit(vec![(*row, Some(due))], &[]);
                }
                Deed::Cancel { owner, event } => {
                    desk.cancel((&owner, event.as_deref()), (&mut gone, &mut cancelled));
                }
                Deed::End { owner, id } => desk.timeouts.end(&owner, &id),
            }
        }
        let is_empty = set.is_empty() && gone.is_empty() && cancelled.is_empty();
        (!is_empty).then_some(Happened::Archived(Archived::Timed { set, gone, cancelled }))
    }

    fn commit_shelves(&mut self) -> Vec<Happened> {
        let mut steps = Vec::new();
        let office = self.counter.office.clone();
        let mut desk = office.desk();
        for (id, mark) in std::mem::take(&mut self.shelves) {
            steps.extend(self.moved(&id, &mark));
            desk.shelves.put(id, mark);
        }
        for (queue, done, kept) in std::mem::take(&mut self.noted) {
            desk.shelves.note(&queue, &done, &kept);
        }
        steps.into_iter().map(Happened::Archived).collect()
    }

    /// What the model is told of one projection or queue.
    fn moved(&mut self, id: &Id, mark: &shelves::Mark) -> Vec<Archived> {
        let by = self.counter.by.to_string();
        if self.rewound.take_if(|rewound| rewound == id).is_some() {
            return vec![Archived::Rewound { projection: id.to_string() }];
        }
        let held = mark.holder.iter().map(|_| Archived::Held { what: id.to_string(), by: by.clone() });
        let mut steps: Vec<Archived> = held.collect();
        let (from, to) = self.moved.remove(id).unwrap_or((mark.position, mark.position));
        match id.name.strip_prefix("queue:") {
            Some(queue) if from != to || self.noted.iter().any(|(name, ..)| name == queue) => {
                steps.push(self.noted_of(queue, by, to));
            }
            Some(_) => {}
            None if from != to || !self.projected.is_empty() => {
                let (projection, effects) = (id.to_string(), std::mem::take(&mut self.projected));
                steps.push(Archived::Projected { projection, by, from: from.number(), to: to.number(), effects });
            }
            None => {}
        }
        steps
    }

    fn noted_of(&self, queue: &str, by: String, to: Position) -> Archived {
        let noted = self.noted.iter().find(|(name, ..)| name == queue);
        let (done, kept) = noted.map_or((&[][..], &[][..]), |(_, done, kept)| (done, kept));
        let done = done.iter().map(|position| position.number()).collect();
        let dead = kept.iter().filter(|kept| matches!(kept.standing, Standing::Dead(_)));
        let dead = dead.map(|kept| kept.position.number()).collect();
        let kept = kept.iter().filter(|kept| matches!(kept.standing, Standing::Waits | Standing::Begun));
        let row = |kept: &records::Kept| (kept.position.number(), kept.attempt, kept.standing == Standing::Begun);
        let kept = kept.map(row).collect();
        Archived::Noted { queue: queue.to_owned(), by, done, kept, dead, to: to.number() }
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        let mut desk = self.counter.office.desk();
        self.marks.iter().for_each(|mark| desk.let_go(mark));
        desk.shelves.unlock(self.number);
    }
}

#[async_trait]
impl Transaction for Tx {
    async fn put(&mut self, row: &Row) -> Result<(), DatabaseError> {
        let due = rows::delay(row).map(|delay| Instant::now() + delay);
        self.rows.push((row.clone(), due));
        Ok(())
    }
}

#[async_trait]
impl Timeouts for Tx {
    async fn set_timeout(&mut self, owner: &str, row: &Row) -> Result<(), DatabaseError> {
        let due = Instant::now() + rows::delay(row).expect("a timeout says when it is due");
        self.deeds.push(Deed::Set { owner: owner.to_owned(), row: Box::new(row.clone()), due });
        Ok(())
    }

    async fn cancel_timeouts(&mut self, owner: &str, event: Option<&str>) -> Result<(), DatabaseError> {
        self.deeds.push(Deed::Cancel { owner: owner.to_owned(), event: event.map(str::to_owned) });
        Ok(())
    }

    async fn timeout(&mut self, owner: &str, id: &MessageId) -> Result<Timeout, DatabaseError> {
        self.counter.ask().await?;
        let known = self.counter.office.desk().timeouts.known(owner, id);
        self.counter.answer(known, DatabaseErrorKind::Unreachable).await
    }

    async fn end_timeout(&mut self, owner: &str, id: &MessageId) -> Result<(), DatabaseError> {
        self.deeds.push(Deed::End { owner: owner.to_owned(), id: id.clone() });
        Ok(())
    }
}

#[async_trait]
impl store::Transaction for Tx {
    async fn append(&mut self, _: &dyn EventStore, append: Append) -> Result<Appended, StoreError> {
        append.check()?;
        assert!(self.appends.is_empty(), "one append for each transaction");
        self.counter.ask().await.map_err(|error| away(&error))?;
        let archive = &self.counter.office.archive;
        let found = archive.version(&append.stream);
        if !append.expected.holds(found) {
            let conflict = Conflict::Version { expected: append.expected, found };
            return Err(StoreError::new(StoreErrorKind::Conflict(conflict), "others were faster"));
        }
        let count = append.entries.len() as u64;
        let position = Position::new(archive.end().number() + count);
        self.appends.push(append);
        Ok(Appended::new(position, Version::new(found.number() + count)))
    }

    async fn read_stream(
        &mut self,
        _: &dyn EventStore,
        stream: &StreamId,
        after: Version,
        limit: usize,
    ) -> Result<Vec<Recorded>, StoreError> {
        self.counter.ask().await.map_err(|error| away(&error))?;
        let mut found = self.counter.office.archive.stream(stream, after);
        found.truncate(limit);
        Ok(found)
    }
}
