//! What waits in a queue; and what is left of queues that earlier plans had.

use super::{
    COUNTED, Records, of_database,
    opening::Opening,
    queues::{Queues, id_of},
};
use crate::{
    projection::{self, Checkpoint, LONGEST},
    store::{Position, StoreError},
    transport::{Backlog, Prune, QueuePlan, Remnant, TransportError, TransportErrorKind},
};

/// Of so many events behind a queue's mark its filters are asked.
const ASKED: u64 = 10_000;
/// So many are read at once.
const PAGE: usize = 500;

impl<D: Queues> Records<D> {
    pub(super) async fn waiting(&self, queue: &QueuePlan) -> Backlog {
        let Ok(Some(mark)) = self.position(&queue.name).await else { return Backlog::default() };
        let behind = self.behind(&self.opening(queue), mark).await.ok();
        let counts = self.database.counts(&queue.name, self.wall.now()).await.ok();
        let waiting = behind.zip(counts).map(|(behind, counts)| behind + counts.due);
        Backlog::new(waiting, counts.map(|counts| counts.dead))
    }

    /// How many events a queue has behind its mark: those that its filters want, of as many as they are asked of.
    async fn behind(&self, opening: &Opening, mark: Position) -> Result<u64, StoreError> {
        let (store, query) = (self.store.inner(), opening.query());
        let (mut asked, mut wanted, mut after) = (0, 0, mark);
        while opening.has_filter() && asked < ASKED {
            let page = store.read_all(&query, after, PAGE).await?;
            if page.events.is_empty() {
                return Ok(wanted);
            }
            asked += page.events.len() as u64;
            wanted += page.events.iter().filter(|event| opening.wants(event)).count() as u64;
            after = page.next;
        }
        Ok(wanted + store.count(&query, after, COUNTED - wanted).await?)
    }

    /// What is left of a queue that only an earlier plan has.
    pub(super) async fn remnant(&self, plan: &QueuePlan, mode: Prune) -> Result<Option<Remnant>, TransportError> {
        let known = self.database.checkpoint(&id_of(&plan.name)).await.map_err(of_database)?;
        let (Some(known), Some(remnant)) = (known, Remnant::of([plan.name.clone()])) else { return Ok(None) };
        let mut why = self.why_it_stays(plan, &known).await?;
        if why.is_none() && mode == Prune::Delete {
            why = match self.remove(&plan.name).await {
                Err(error) if error.kind() == TransportErrorKind::Refused => Some(error.to_string()),
                removed => removed.map(|_| None)?,
            };
        }
        Ok(Some(remnant.kept(why)))
    }

    async fn why_it_stays(&self, plan: &QueuePlan, known: &Checkpoint) -> Result<Option<String>, TransportError> {
        let (queue, now) = (&plan.name, self.wall.now());
        if known.projector.is_some() && known.held_until > now && known.held_until <= now + LONGEST {
            return Ok(Some(format!("`{queue}` is read")));
        }
        if let Some(was) = projection::found(known.position) {
            return Ok(Some(format!(
                "`{queue}` stands still at {was}: its store was brought back to an earlier state"
            )));
        }
        let of_store = |error: StoreError| of_database(super::reader::of_store(error));
        let query = self.opening(plan).query();
        let behind = self.store.inner().count(&query, known.position, COUNTED).await.map_err(of_store)?;
        let kept = self.database.kept(queue).await.map_err(of_database)?.len() as u64;
        let back = self.database.back(queue, 1).await.map_err(of_database)?.len() as u64;
        let dead = self.database.counts(queue, now).await.map_err(of_database)?.dead;
        let waiting = behind + kept + back;
        Ok(match (waiting, dead) {
            (0, 0) => None,
            (0, dead) => Some(format!("`{queue}` has dead letters: {dead}")),
            (waiting, _) => Some(format!("`{queue}` is not empty: {waiting}")),
        })
    }
}
