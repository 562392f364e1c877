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
