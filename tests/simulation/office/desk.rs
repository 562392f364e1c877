//! What the database has: rows and marks. No clock, no chance.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use tegami::outbox::{Claim, Claimed, Fate, Mark, Marked, Row};
use tokio::time::Instant;

use super::{rows::number, shelves::Shelves, timeouts::Timeouts};

/// Everything that is committed, and who is about to commit a mark.
#[derive(Default)]
pub struct Desk {
    commits: u64,
    /// In the order in which they were committed.
    rows: BTreeMap<u64, Kept>,
    next: u64,
    marks: BTreeMap<(String, String), [u8; 32]>,
    /// Marks of transactions that are open.
    open: BTreeSet<(String, String)>,
    pub shelves: Shelves,
    pub timeouts: Timeouts,
}

struct Kept {
    row: Row,
    due: Option<Instant>,
    /// Who has it, until then.
    held: Option<(String, Instant)>,
    /// Somebody had it once, and may have sent it.
    had: bool,
    not_before: Option<Instant>,
    refusals: u32,
    parked: bool,
}

impl Kept {
    /// Does somebody have it, or does it wait?
    fn waits(&self, now: Instant) -> bool {
        let held = self.held.as_ref().is_some_and(|(_, until)| *until > now);
        held || self.not_before.is_some_and(|time| time > now) || self.due.is_some_and(|due| due > now)
    }
}

impl Desk {
    pub fn commit(&mut self, rows: Vec<(Row, Option<Instant>)>, marks: &[Mark]) {
        self.commits += 1;
        for (row, due) in rows {
            self.next += 1;
            let kept = Kept { row, due, held: None, had: false, not_before: None, refusals: 0, parked: false };
            self.rows.insert(self.next, kept);
        }
        self.marks.extend(marks.iter().map(|mark| (name(mark), mark.digest)));
    }

    pub fn commits(&self) -> u64 {
        self.commits
    }

    pub fn waiting(&self) -> u64 {
        self.rows.values().filter(|kept| !kept.parked).count() as u64
    }

    pub fn take(&mut self, claim: &Claim, now: Instant) -> Vec<Claimed> {
        let (mut taken, mut behind) = (Vec::new(), BTreeSet::new());
        for (place, kept) in self.rows.iter_mut().filter(|(_, kept)| !kept.parked) {
            let lane = kept.row.outgoing.key.clone().filter(|_| kept.due.is_none());
            if lane.as_ref().is_some_and(|lane| behind.contains(lane)) {
                continue;
            }
            if kept.waits(now) {
                behind.extend(lane);
            } else if taken.len() < claim.most {
                (kept.held, kept.had) = (Some((claim.relay.clone(), now + claim.hold)), true);
                taken.push(Claimed::new(*place, kept.refusals, kept.row.clone()));
            }
        }
        taken
    }

    /// Does what is told; the numbers of the letters that it was done to.
    pub fn settle(&mut self, claim: &Claim, fates: &[(u64, Fate)], now: Instant) -> Vec<(u64, Fate)> {
        let mut done = Vec::new();
        for (place, fate) in fates {
            let Some(kept) = self.rows.get_mut(place) else { continue };
            let mine = kept.held.as_ref().is_some_and(|(relay, _)| *relay == claim.relay);
            if !mine && *fate != Fate::Sent {
                continue;
            }
            done.push((number(&kept.row), fate.clone()));
            kept.held = None;
            match fate {
                Fate::Refused { again_in, .. } => {
                    kept.refusals += 1;
                    kept.not_before = Some(now + *again_in);
                }
                Fate::Parked { .. } => kept.parked = true,
                Fate::Sent => drop(self.rows.remove(place)),
                _ => {}
            }
        }
        done
    }

    pub fn next_due(&self, now: Instant) -> Option<Duration> {
        let dues = self.rows.values().filter(|kept| !kept.parked).filter_map(|kept| kept.due);
        dues.filter(|due| *due > now).min().map(|due| due - now)
    }

    /// Notes a mark for a transaction; none while another one that notes the same is open.
    pub fn mark(&mut self, mark: &Mark) -> Option<Marked> {
        let name = name(mark);
        match self.marks.get(&name) {
            Some(digest) if *digest == mark.digest => Some(Marked::Known),
            Some(_) => Some(Marked::Other),
            None => self.open.insert(name).then_some(Marked::New),
        }
    }

    /// Cancels timeouts of this owner, of one event or all: the numbers of those that nobody can send any more, and of
    /// those that may be on their way.
    pub fn cancel(&mut self, (owner, event): (&str, Option<&str>), (gone, sent): (&mut Vec<u64>, &mut Vec<u64>)) {
        for id in self.timeouts.of(owner, event) {
            let row = self.rows.iter().find(|(_, kept)| kept.row.outgoing.id.as_str() == id);
            let unsent = row.filter(|(_, kept)| !kept.had).map(|(place, _)| *place);
            if !self.timeouts.cancel(&id, unsent.is_some()) {
                continue;
            }
            let known = self.timeouts.number(&id);
            match unsent.and_then(|place| self.rows.remove(&place)) {
                Some(kept) => gone.push(number(&kept.row)),
                None => sent.extend(known),
            }
        }
    }

    pub fn let_go(&mut self, mark: &Mark) {
        self.open.remove(&name(mark));
    }
}

fn name(mark: &Mark) -> (String, String) {
    (mark.subscription.clone(), mark.id.to_string())
}
