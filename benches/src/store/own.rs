//! tegami's stores.

use std::hint::black_box;

use futures_util::{StreamExt, stream};
use tegami::store::{Append, Criterion, Expected, Position, Store, StreamId, Version};

use super::{Appends, PAGE, PASSES, STREAM};
use crate::{
    broker::meter::{Cost, Mark},
    event::{OrderPaid, order},
};

/// The stream of this number.
///
/// # Panics
/// Never.
pub fn stream(number: usize) -> StreamId {
    StreamId::of("order", &number.to_string()).expect("a good name")
}

/// So many events for a new stream.
pub fn orders(number: usize, events: usize) -> Append {
    let (append, order) = (Append::to(stream(number)).expecting(Expected::None), order());
    (0..events).try_fold(append, |append, _| append.event(&order)).expect("they are valid")
}

/// Appends.
///
/// # Panics
/// The store does not take it.
pub async fn append(store: &Store, appends: Appends) -> Cost {
    store.append(orders(0, 1)).await.expect("it is recorded");
    let mark = Mark::now();
    let each = stream::iter(1..=appends.count).map(|number| store.append(orders(number, appends.events)));
    each.buffer_unordered(appends.at_once).for_each(async |done| assert!(done.is_ok(), "{done:?}")).await;
    mark.cost(appends.all())
}

/// Fills the store with so many streams.
///
/// # Panics
/// The store does not take it.
pub async fn fill(store: &Store, streams: usize) {
    for number in 0..streams {
        store.append(orders(number, STREAM)).await.expect("it is recorded");
    }
}

/// Reads each stream.
///
/// # Panics
/// They are not there.
pub async fn read(store: &Store, streams: usize) -> Cost {
    let mark = Mark::now();
    for number in (0..PASSES).flat_map(|_| 0..streams) {
        let found = store.read::<OrderPaid>(&stream(number), Version::START).await.expect("it is read");
        assert_eq!(black_box(found).len(), STREAM);
    }
    mark.cost(PASSES * streams * STREAM)
}

/// Finds all by their type, in pages.
///
/// # Panics
/// They are not there.
pub async fn find(store: &Store, streams: usize) -> Cost {
    let (mark, mut after, mut all) = (Mark::now(), Position::START, 0);
    while all < PASSES * streams * STREAM {
        if all % (streams * STREAM) == 0 {
            after = Position::START;
        }
        let found = store.find::<OrderPaid>(Criterion::of::<OrderPaid>(), after, PAGE).await.expect("it is read");
        assert!(!found.events.is_empty(), "{all} are there");
        all += black_box(found.events).len();
        after = found.next;
    }
    mark.cost(all)
}
