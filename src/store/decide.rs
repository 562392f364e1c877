//! Decisions about what a query finds, whichever streams that is in.

use std::fmt;

use super::{Append, Appended, EventSet, Position, Query, Store, StoreError, StoreErrorKind, Stored, handle::PAGE};

/// How often a decision is made anew when others were faster.
const ATTEMPTS: u32 = 16;

/// The most events that a decision takes into account before it is their turn.
const AHEAD: usize = 1_000;

/// What a decision is made from: every event that matches the query.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Known<R> {
    /// The events, in the order of their positions.
    pub events: Vec<Stored<R>>,
    /// Up to where the store was looked through.
    pub position: Position,
}

/// Why nothing was recorded.
pub enum Undecided<E> {
    /// The decision was no.
    Refused(E),
    /// The store did not do it; of the kind `Conflict`, if others were faster each time.
    Store(StoreError),
}

impl Store {
    /// Reads all that matches, decides, and records what was decided, unless something that matches was recorded
    /// meanwhile: then it reads that too and decides anew, up to 16 times.
    ///
    /// What is decided may be recorded in any stream. No events: nothing was to be done, and `None` is answered.
    ///
    /// # Errors
    /// `Refused`: the decision was no. `Store`: as [`find`](Self::find) and [`append`](Self::append).
    ///
    /// # Examples
    /// An order is paid once, whichever stream the payment is in:
    /// ```
    /// # mod contracts { tegami::include_contracts!(); }
    /// # use contracts::shop::orders::v1::OrderPaid;
    /// use tegami::store::{Append, Criterion, Memory, Store, StoreError, StreamId, Undecided};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), StoreError> {
    /// # let store = Store::new(Memory::new());
    /// let of_order = Criterion::of::<OrderPaid>().tagged("order_id", "o-1");
    /// let pay = async |till: &str| {
    ///     let decided = store.decide::<OrderPaid, _>(of_order.clone(), |known| {
    ///         if !known.events.is_empty() {
    ///             return Err(Undecided::Refused("it is paid"));
    ///         }
    ///         let paid = OrderPaid::builder().order_id("o-1").currency("EUR").amount_minor(990).build();
    ///         Ok(Some(Append::to(StreamId::of("till", till)?).event(&paid)?))
    ///     });
    ///     decided.await
    /// };
    /// assert!(pay("1").await.is_ok());
    /// assert!(matches!(pay("2").await, Err(Undecided::Refused("it is paid"))));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn decide<R: EventSet, E>(
        &self,
        query: impl Into<Query>,
        mut decide: impl FnMut(&Known<R>) -> Result<Option<Append>, Undecided<E>>,
    ) -> Result<Option<Appended>, Undecided<E>> {
        let query = query.into();
        let mut known = Known { events: Vec::new(), position: Position::START };
        let mut attempt = 1;
        loop {
            self.catch_up(&query, &mut known).await?;
            let settled = known.events.len();
            let ahead = self.look_ahead(&query, &mut known).await?;
            let Some(append) = decide(&known)? else { return Ok(None) };
            // What is ahead is read again in its turn.
            known.events.truncate(settled);
            let append = append.unless(query.clone(), known.position).knowing(ahead);
            match self.append(append).await {
                Err(error) if error.kind().is_conflict() && attempt < ATTEMPTS => attempt += 1,
                answered => return Ok(Some(answered?)),
            }
        }
    }

    /// Reads what matches and is not known yet.
    async fn catch_up<R: EventSet>(&self, query: &Query, known: &mut Known<R>) -> Result<(), StoreError> {
        loop {
            let found = self.find(query.clone(), known.position, PAGE).await?;
            let moved = found.next > known.position;
            known.events.extend(found.events);
            known.position = found.next;
            if !moved {
                return Ok(());
            }
        }
    }

    /// Reads what matches and is recorded, but may not be read in its order yet; where it is.
    async fn look_ahead<R: EventSet>(&self, query: &Query, known: &mut Known<R>) -> Result<Vec<Position>, StoreError> {
        let ahead = self.inner().read_ahead(&self.widened(query), known.position, AHEAD).await?;
        if ahead.len() == AHEAD {
            let text = format!(
                "{AHEAD} or more events that a decision needs wait behind position {}, for a transaction that has begun \
                 before them and is still open: end that one",
                known.position
            );
            return Err(StoreError::new(StoreErrorKind::Busy, text));
        }
        let places = ahead.iter().map(|recorded| recorded.position).collect();
        known.events.extend(self.matching(query, ahead).await?);
        Ok(places)
    }
}

impl<E> From<StoreError> for Undecided<E> {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl<E: fmt::Display> fmt::Display for Undecided<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Debug> fmt::Debug for Undecided<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl<E: std::error::Error + 'static> std::error::Error for Undecided<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Refused(refusal) => refusal.source(),
            Self::Store(error) => error.source(),
        }
    }
}
