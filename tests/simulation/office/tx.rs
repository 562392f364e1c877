//! One transaction: nobody sees it before its commit, and dropped it never was.

use std::sync::Arc;

use async_trait::async_trait;
use tegami::outbox::{DatabaseError, Mark, Marked, Row, Transaction};
use tokio::time::Instant;

use super::{Desk, Office, rows};
use crate::happened::{Kept, Tag};

/// A transaction.
pub struct Tx {
    office: Arc<Office>,
    rows: Vec<(Row, Option<Instant>)>,
    marks: Vec<Mark>,
    effect: Option<Tag>,
}

impl Tx {
    pub fn new(office: &Arc<Office>) -> Self {
        Self { office: office.clone(), rows: Vec::new(), marks: Vec::new(), effect: None }
    }

    /// Has the effect of this delivery.
    pub fn has_effect(&mut self, tag: Tag) {
        self.effect = Some(tag);
    }

    pub fn mark(&mut self, mark: &Mark) -> Option<Marked> {
        let marked = self.office.desk().mark(mark)?;
        if marked == Marked::New {
            self.marks.push(mark.clone());
        }
        Some(marked)
    }

    /// Makes it last; what the model is told of it.
    pub fn commit(mut self, desk: &mut Desk) -> (Vec<Kept>, Option<Tag>) {
        let rows = std::mem::take(&mut self.rows);
        let due = |due: &Option<Instant>| due.map(|due| self.office.world.since(due));
        let kept = rows.iter().map(|(row, time)| rows::kept(row, due(time))).collect();
        let marks = std::mem::take(&mut self.marks);
        desk.commit(rows, &marks);
        marks.iter().for_each(|mark| desk.let_go(mark));
        (kept, self.effect)
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        if !self.marks.is_empty() {
            let mut desk = self.office.desk();
            self.marks.iter().for_each(|mark| desk.let_go(mark));
        }
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
