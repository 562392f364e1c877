//! The events of a projection, page by page: the next page is read while one is handled.

use tokio_util::task::AbortOnDropHandle;

use crate::{
    lifecycle,
    store::{Page, Position, Query, Store, StoreError, StoreErrorKind},
};

/// Reads pages of so many events.
pub(super) struct Pages {
    store: Store,
    query: Query,
    most: usize,
    /// The page after this position, as it is being read.
    ahead: Option<(Position, AbortOnDropHandle<Result<Page, StoreError>>)>,
}

impl Pages {
    pub(super) fn new(store: Store, query: Query, most: usize) -> Self {
        Self { store, query, most, ahead: None }
    }

    /// The page after this position.
    ///
    /// # Errors
    /// The store cannot be read.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub(super) async fn after(&mut self, position: Position) -> Result<Page, StoreError> {
        let page = match self.ahead.take() {
            Some((after, page)) if after == position => page.await.unwrap_or_else(|_| Err(ended())),
            _ => self.read(position).await,
        }?;
        // One that is not full is the last for now.
        if page.events.len() >= self.most {
            self.ahead = Some((page.next, lifecycle::owned(self.read(page.next))));
        }
        Ok(page)
    }

    fn read(&self, after: Position) -> impl Future<Output = Result<Page, StoreError>> + Send + 'static {
        let (store, query, most) = (self.store.inner().clone(), self.query.clone(), self.most);
        async move { store.read_all(&query, after, most).await }
    }
}

fn ended() -> StoreError {
    StoreError::new(StoreErrorKind::Closed, "the runtime has ended")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        codec::Payload,
        envelope::{Head, Message},
        event::Encoding,
        store::{Append, Entry, Memory, StreamId},
    };

    async fn append(store: &Store, count: usize) {
        for _ in 0..count {
            let payload = Payload { encoding: Encoding::Json, bytes: "{}".into() };
            let entry = Entry::new(Message::new(Head::new().event("e"), payload), 1, None);
            let append = Append::to(StreamId::new("s").expect("a good name")).entry(entry);
            store.append(append).await.expect("it is appended");
        }
    }

    /// A store of so many events, in pages of two.
    async fn pages_of(count: usize) -> (Store, Pages) {
        let store = Store::new(Memory::new());
        append(&store, count).await;
        let pages = Pages::new(store.clone(), Query::all(), 2);
        (store, pages)
    }

    async fn numbers(pages: &mut Pages, after: u64) -> Vec<u64> {
        let page = pages.after(Position::new(after)).await.expect("it can be read");
        page.events.iter().map(|event| event.position.number()).collect()
    }

    #[tokio::test]
    async fn a_page_is_the_one_after_the_position_whatever_was_read_ahead() {
        let (_store, mut pages) = pages_of(6).await;
        assert_eq!(numbers(&mut pages, 0).await, [1, 2]);
        assert_eq!(numbers(&mut pages, 2).await, [3, 4], "the next one, as it was read ahead");
        assert_eq!(numbers(&mut pages, 0).await, [1, 2], "set back");
        assert_eq!(numbers(&mut pages, 4).await, [5, 6], "moved on");
        assert_eq!(numbers(&mut pages, 1).await, [2, 3]);
    }

    #[tokio::test]
    async fn after_the_last_events_nothing_is_read_ahead_so_that_later_ones_are_seen() {
        let (store, mut pages) = pages_of(3).await;
        assert_eq!(numbers(&mut pages, 2).await, [3]);
        // What was read ahead would be read by now.
        tokio::task::yield_now().await;
        append(&store, 1).await;
        assert_eq!(numbers(&mut pages, 3).await, [4]);
    }
}
