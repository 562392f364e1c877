//! The reference outbox: what was committed, who may send it, in which order, and what may be said of it.

use std::{collections::BTreeMap, time::Duration};

use tegami::outbox::Fate;

use super::{Checked, ensure};
use crate::happened::Kept;

/// How relays go about their work.
#[derive(Debug, Clone, Copy)]
pub struct RelayFacts {
    pub poll: Duration,
    pub batch: usize,
    pub hold: Duration,
    pub refusals: u32,
}

/// All messages that were committed.
pub struct Outbox {
    facts: RelayFacts,
    rows: BTreeMap<u64, Row>,
}

struct Row {
    id: String,
    key: String,
    due: Option<Duration>,
    /// Among all that were committed.
    place: usize,
    /// Who took it last, and when.
    claim: Option<(String, Duration)>,
    /// How often the broker refused it, and how often that was told.
    refusals: [u32; 2],
    stored: bool,
    open: bool,
}

impl Outbox {
    pub fn new(facts: RelayFacts) -> Self {
        Self { facts, rows: BTreeMap::new() }
    }

    pub fn committed(&mut self, kept: &Kept) {
        let Kept { post, id, due } = kept.clone();
        let (claim, place) = (None, self.rows.len());
        let row = Row { id, key: post.key, due, place, claim, refusals: [0; 2], stored: false, open: true };
        self.rows.insert(post.number, row);
    }

    pub fn taken(&mut self, now: Duration, by: &str, numbers: &[u64]) {
        for number in numbers {
            let row = self.rows.get_mut(number).expect("what is in the outbox was committed");
            row.claim = Some((by.to_owned(), now));
        }
    }

    /// May it be sent now, by this service?
    pub fn sending(&self, now: Duration, number: u64, (by, id): (&str, &str)) -> Checked {
        let Some(row) = self.rows.get(&number) else { return Ok(()) };
        ensure!(row.id == id, "P6: #{number} is sent with another id");
        ensure!(row.due.is_none_or(|due| due <= now), "T2: #{number} is sent before it is due");
        let mine = row.claim.as_ref().filter(|(who, _)| who == by);
        let (_, since) = mine.ok_or_else(|| format!("T3: #{number} is sent by {by}, which does not hold it"))?;
        let half = self.facts.hold / 2;
        ensure!(
            now <= *since + half,
            "T3: #{number} is sent {:?} after it was taken, for {:?}",
            now - *since,
            half * 2
        );
        Ok(())
    }

    pub fn refused(&mut self, number: u64) {
        let row = self.rows.get_mut(&number);
        row.into_iter().for_each(|row| row.refusals[0] += 1);
    }

    /// The broker has it: were those before it there?
    pub fn stored(&mut self, number: u64) -> Checked {
        let Some(row) = self.rows.get(&number) else { return Ok(()) };
        if !row.stored && row.due.is_none() {
            let earlier = |other: &Row| other.key == row.key && other.place < row.place && other.due.is_none();
            let waits = |other: &Row| !other.stored && other.refusals[0] < self.facts.refusals;
            let skipped = self.rows.iter().find(|(_, other)| earlier(other) && waits(other));
            ensure!(
                skipped.is_none(),
                "T3: #{number} is published before #{}",
                skipped.map_or(0, |(number, _)| *number)
            );
        }
        self.rows.get_mut(&number).expect("it is there").stored = true;
        Ok(())
    }

    /// Is it true, what is said of it?
    pub fn told(&mut self, number: u64, fate: &Fate) -> Checked {
        let most = self.facts.refusals;
        let row = self.rows.get_mut(&number).ok_or("T2: told of a message that nobody committed")?;
        match fate {
            Fate::Sent => ensure!(row.stored, "T2: #{number} is out of the outbox and was not published"),
            Fate::Refused { .. } => {
                row.refusals[1] += 1;
                let [refused, told] = row.refusals;
                ensure!(told <= refused, "T4: #{number} counts {told} refusals, there were {refused}");
            }
            Fate::Parked { .. } => {
                let [refused, _] = row.refusals;
                ensure!(refused >= most, "T4: #{number} is parked after {refused} refusals, {most} are allowed");
            }
            _ => {}
        }
        row.open = row.open && !matches!(fate, Fate::Sent | Fate::Parked { .. });
        Ok(())
    }

    /// These were cancelled before anybody had them.
    pub fn gone(&mut self, numbers: &[u64]) {
        for number in numbers {
            self.rows.get_mut(number).into_iter().for_each(|row| row.open = false);
        }
    }

    /// A message that nobody has published or parked.
    pub fn open(&self) -> Option<u64> {
        self.rows.iter().find(|(_, row)| row.open).map(|(number, _)| *number)
    }

    /// Was it given up on before it was published?
    pub fn is_parked(&self, number: u64) -> bool {
        self.rows.get(&number).is_some_and(|row| !row.open && !row.stored)
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }
}
