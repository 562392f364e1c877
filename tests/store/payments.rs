//! Payments that are put into a store, and looked for.

use tegami::store::{Append, Store, StreamId, Version};

use crate::contracts::shop::orders::v1::OrderPaid;

pub(crate) fn stream(name: &str) -> StreamId {
    StreamId::new(name).expect("a good name")
}

pub(crate) fn paid(id: &str, amount: i64) -> OrderPaid {
    OrderPaid::builder().order_id(id).currency("EUR").amount_minor(amount).build()
}

/// So many payments at the end of a stream.
pub(crate) fn payments(stream: &str, count: i64) -> Append {
    let append = Append::to(self::stream(stream));
    (1..=count).fold(append, |append, n| append.event(&paid(stream, n)).expect("it is valid"))
}

/// The amounts of a stream, whose versions are without gaps.
pub(crate) async fn amounts(store: &Store, stream: &str) -> Vec<i64> {
    let read = store.read::<OrderPaid>(&self::stream(stream), Version::START).await.expect("it is read");
    for (stored, version) in read.iter().zip(1..) {
        assert_eq!(stored.version.number(), version, "a gap in stream `{stream}`");
    }
    read.into_iter().map(|stored| stored.event.amount_minor).collect()
}
