//! Payments that are put into a store, and looked for.

use tegami::{
    Service,
    envelope::MessageId,
    outbox::{Database, Mark},
    store::{Append, Store, StreamId, Version},
    transport::Memory,
};

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

/// That a message was handled.
pub(crate) fn mark() -> Mark {
    Mark::new("billing", MessageId::parse("m-1").expect("a good id"), [7; 32])
}

/// Puts something of each kind into a database: events, a message to be sent, and a mark.
pub(crate) async fn kept_in<D: Database>(db: &D, store: &Store) {
    store.append(payments("o-1", 3)).await.expect("it is appended");
    let orders = Service::new("orders").transport(Memory::new()).start().await.expect("it starts");
    let mut tx = db.begin().await.expect("it begins");
    orders.publisher().in_transaction(&mut tx).publish(&paid("o-1", 1)).await.expect("it is put");
    db.mark(&mut tx, &mark()).await.expect("it is marked");
    db.commit(tx).await.expect("it is committed");
    orders.stop().await.expect("it stops");
}
