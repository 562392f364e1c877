//! The reference of queues that are fed from the store: what the database has of one decides, not what anybody was told.

use std::{collections::BTreeSet, time::Duration};

use super::{Checked, ensure, queue::Queue};
use crate::{
    happened::{Handed, KeptRow, Tag},
    reading::RECORDED,
};

/// What is known of one such queue beside its events.
#[derive(Default)]
pub struct Reads {
    /// The life that has it.
    reader: Option<String>,
    /// Up to here, what has no row is done with.
    mark: u64,
    rows: BTreeSet<u64>,
}

/// What one transaction notes.
pub struct Noted<'a> {
    pub done: &'a [u64],
    pub kept: &'a [KeptRow],
    pub dead: &'a [u64],
    pub to: u64,
}

impl Queue {
    /// Somebody has it from now on: was it somebody else's?
    pub fn is_taken(&mut self, by: &str) -> bool {
        let Some(reads) = &mut self.reads else { return false };
        if reads.reader.as_deref() == Some(by) {
            return false;
        }
        reads.reader = Some(by.to_owned());
        for copy in self.copies.values_mut() {
            // A delay counts once a row has it.
            if copy.begun || copy.attempt <= copy.put_off.0 {
                copy.put_off = Default::default();
            }
            (copy.held, copy.begun) = (None, false);
        }
        true
    }

    pub(super) fn hand_out_read(&mut self, now: Duration, handed: &Handed) -> Checked {
        let Handed { tag, by, attempt, redelivered, .. } = handed;
        let reads = self.reads.as_ref().ok_or("it is fed from the store")?;
        ensure!(
            reads.reader.as_ref() == Some(by),
            "L1: {tag} is handed out by {by}, and {:?} has the queue",
            reads.reader
        );
        if self.facts.ordered {
            let before = self.earlier(tag.copy).find(|copy| copy.is_open() && !copy.completed).map(|copy| copy.number);
            ensure!(before.is_none(), "O2: {tag} is handed out before #{}", before.unwrap_or_default());
        }
        let copy = self.copies.get_mut(&tag.copy).ok_or_else(|| format!("D5: {tag} is not for this queue"))?;
        ensure!(copy.is_open(), "D2: {tag} was noted as done with and is handed out");
        ensure!(copy.held.is_none(), "D3: {tag} is handed out beside {:?}", copy.held);
        // Where the row says that it is begun, the attempt may be counted already; and whoever ended before it was handed out
        // has spent one.
        let least = copy.attempt - u32::from(copy.begun);
        let counts = (least..=copy.attempt.max(copy.tried + 1)).contains(attempt);
        ensure!(counts, "D4: {tag} is attempt {attempt}, was tried {} times, {least} is noted", copy.tried);
        ensure!(*redelivered || !copy.seen, "D4: {tag} was handed out before and does not say so");
        let early = *attempt > copy.put_off.0 && now < copy.put_off.1;
        ensure!(!early, "R3: {tag} comes {:?} early", copy.put_off.1.saturating_sub(now));
        (copy.held, copy.seen, copy.tried) = (Some(*tag), true, copy.tried.max(*attempt));
        Ok(())
    }

    /// An attempt failed: the next one comes no sooner than that.
    pub fn put_off(&mut self, tag: Tag, until: Duration) {
        let copy = self.copies.get_mut(&tag.copy);
        copy.into_iter().for_each(|copy| copy.put_off = (copy.tried, until));
    }

    /// That was refused: no row has the delay, and who reads the queue next knows of none.
    pub fn is_not_put_off(&mut self, tag: Tag) {
        if self.reads.is_some()
            && let Some(copy) = self.copies.get_mut(&tag.copy)
        {
            copy.put_off = Default::default();
        }
    }

    pub(super) fn settle_read(&mut self, tag: Tag, is_ack: bool) -> Checked {
        let copy = self.copies.get_mut(&tag.copy).ok_or_else(|| format!("D5: {tag} is not for this queue"))?;
        ensure!(!is_ack || copy.completed, "D2: {tag} is acked, and no handler completed it");
        copy.held = copy.held.filter(|held| *held != tag);
        Ok(())
    }

    /// A transaction notes what became of events.
    pub fn noted(&mut self, by: &str, noted: &Noted<'_>) -> Checked {
        let reads = self.reads.as_mut().ok_or("it is fed from the store")?;
        ensure!(reads.reader.as_deref() == Some(by), "L1: {by} notes, and {:?} has the queue", reads.reader);
        ensure!(noted.to >= reads.mark, "D1: the mark goes back from {} to {}", reads.mark, noted.to);
        reads.mark = noted.to;
        let rows = noted.kept.iter().map(|(position, ..)| position).chain(noted.dead);
        reads.rows.extend(rows);
        reads.rows.retain(|position| !noted.done.contains(position));
        let (rows, mark) = (reads.rows.clone(), reads.mark);
        for position in noted.dead {
            self.copy_at(*position)?.dies();
        }
        for (position, attempt, begun) in noted.kept {
            let copy = self.copy_at(*position)?;
            let (most, number) = (copy.attempt.max(copy.tried + 1) + u32::from(*begun), copy.number);
            ensure!(copy.is_open(), "D2: #{number} was done with and is kept");
            ensure!((1..=most).contains(attempt), "D4: #{number} is kept as attempt {attempt}, {most} is next");
            (copy.attempt, copy.begun) = (*attempt, *begun);
        }
        let passed = |number: u64| number - RECORDED <= mark && !rows.contains(&(number - RECORDED));
        for copy in self.copies.values_mut().filter(|copy| copy.is_open() && passed(copy.number)) {
            ensure!(copy.completed, "D1: #{} is noted as done with, and no handler completed it", copy.number);
            copy.is_done();
        }
        Ok(())
    }

    fn copy_at(&mut self, position: u64) -> Result<&mut super::queue::Copy, String> {
        let copy = self.copies.get_mut(&(RECORDED + position));
        copy.ok_or_else(|| format!("D5: position {position} is not for this queue"))
    }
}
