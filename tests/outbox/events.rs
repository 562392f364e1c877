//! Events that are appended in a transaction, beside rows and messages.

use std::{borrow::Borrow, time::Duration};

use tegami::{
    Context, HandlerError, Service,
    aggregate::{Aggregate, Repository},
    outbox::{Database, Outbox},
    store::{
        self, Append, Appended, Conflict, Criterion, Expected, Memory, Position, Store, StoreError, StoreErrorKind,
        StreamId, Version,
    },
    testing::crash_matrix,
    transport,
};

use crate::{OrderPaid, Subject, paid, receipt};

fn stream(name: &str) -> StreamId {
    StreamId::new(name).expect("a good name")
}

/// A payment at the end of the order's stream.
fn payment(order: &str) -> Append {
    Append::to(stream(order)).event(&paid(order)).expect("it is valid")
}

/// How many payments each of these streams has, as everybody sees it.
async fn counts<const N: usize>(store: &Store, orders: [&str; N]) -> [usize; N] {
    let mut counts = [0; N];
    for (count, order) in counts.iter_mut().zip(orders) {
        *count = store.read::<OrderPaid>(&stream(order), Version::START).await.expect("it is read").len();
    }
    counts
}

async fn append<S: Subject>(store: &Store, tx: &mut S::Tx, append: Append) -> Result<Appended, StoreError> {
    store.in_transaction(tx).append(append).await
}

/// T1, E1: whatever ends the transaction, all three are there or none is.
pub(crate) async fn t1_e1_events_rows_and_messages_are_one_commit<S: Subject>() {
    let all = S::open().await;
    let store = Store::new(all.events());
    let billing = Service::new("billing").transport(transport::Memory::new()).start().await.expect("it starts");
    for (order, commits) in [("undone", false), ("done", true)] {
        let mut tx = all.db().begin().await.expect("it begins");
        S::write(&mut tx, order).await.expect("it is written");
        let appended = append::<S>(&store, &mut tx, payment(order)).await.expect("it is appended");
        assert_eq!(appended.version, Version::new(1));
        billing.publisher().in_transaction(&mut tx).publish(&receipt(order)).await.expect("it is put");
        assert_eq!(counts(&store, [order]).await, [0], "nobody sees it yet");
        match commits {
            true => all.db().commit(tx).await.expect("it is committed"),
            false => drop(tx),
        }
    }
    assert_eq!(all.written().await, ["done"]);
    assert_eq!(counts(&store, ["undone", "done"]).await, [0, 1]);
    assert_eq!(all.db().waiting().await.expect("it is read"), 1);
    billing.stop().await.expect("it stops");
}

/// The same checks, and the same errors, as of an append by itself.
pub(crate) async fn e1_a_refused_append_leaves_the_transaction_as_it_was<S: Subject>() {
    let all = S::open().await;
    let store = Store::new(all.events());
    let before = store.append(payment("o-1")).await.expect("it is appended");
    let of_order = Criterion::of::<OrderPaid>().tagged("order_id", "o-1");
    let mut tx = all.db().begin().await.expect("it begins");
    let found = Version::new(1);
    let late = payment("o-1").expecting(Expected::None);
    let conflict = Conflict::Version { expected: Expected::None, found };
    let refused = append::<S>(&store, &mut tx, late).await.expect_err("the stream has an event");
    assert_eq!(refused.kind(), StoreErrorKind::Conflict(conflict));
    let undecided = payment("o-2").unless(of_order.clone(), Position::START);
    let refused = append::<S>(&store, &mut tx, undecided).await.expect_err("there is such an event");
    assert_eq!(refused.kind(), StoreErrorKind::Conflict(Conflict::Query { found: before.position }));
    let broken = Append::to(stream("o-1"));
    let refused = append::<S>(&store, &mut tx, broken).await.expect_err("it has no event");
    assert_eq!(refused.kind(), StoreErrorKind::Invalid);
    let known = payment("o-2").unless(of_order, before.position);
    append::<S>(&store, &mut tx, known).await.expect("nothing came after it");
    let exactly = payment("o-1").expecting(Expected::Exactly(found));
    append::<S>(&store, &mut tx, exactly).await.expect("the stream is there");
    all.db().commit(tx).await.expect("it is committed");
    assert_eq!(counts(&store, ["o-1", "o-2"]).await, [2, 1]);
}

/// An order that is paid three times at most.
#[derive(Debug, Default)]
struct Order(u32);

impl Aggregate for Order {
    const KIND: &'static str = "order";
    type Event = OrderPaid;
    type Command = ();
    type Refusal = String;

    fn decide(&self, (): &()) -> Result<Vec<OrderPaid>, String> {
        if self.0 == 3 { Err("it is paid".to_owned()) } else { Ok(vec![paid("o-1")]) }
    }

    fn evolve(&mut self, _: &OrderPaid) {
        self.0 += 1;
    }
}

/// Nobody else sees what it has recorded, and so it must be read there.
pub(crate) async fn e1_what_a_transaction_has_recorded_it_reads_and_builds_on<S: Subject>() {
    let all = S::open().await;
    let store = Store::new(all.events());
    let orders = Repository::<Order>::new(store.clone());
    orders.handle("o-1", &()).await.expect("it is paid once");
    let mut tx = all.db().begin().await.expect("it begins");
    for payments in [2, 3] {
        let handled = orders.in_transaction(&mut tx).handle("o-1", &()).await.expect("it is paid again");
        assert_eq!((handled.state.0, handled.version), (payments, Version::new(u64::from(payments))));
    }
    let refused = orders.in_transaction(&mut tx).handle("o-1", &()).await.expect_err("that is enough");
    assert_eq!(refused.to_string(), "it is paid");
    let of_order = stream("order/o-1");
    let seen = store.in_transaction(&mut tx).read::<OrderPaid>(&of_order, Version::new(1)).await.expect("it is read");
    assert_eq!(seen.len(), 2);
    assert_eq!(orders.load("o-1").await.expect("it is loaded").state.0, 1, "nobody else sees that");
    all.db().commit(tx).await.expect("it is committed");
    assert_eq!(orders.load("o-1").await.expect("it is loaded").state.0, 3);
}

/// E3: who follows is woken by the commit.
pub(crate) async fn e3_who_follows_sees_events_with_their_commit_and_not_before<S: Subject>() {
    let all = S::open().await;
    let store = Store::new(all.events());
    let mut events = store.follow::<OrderPaid>(Criterion::of::<OrderPaid>(), Position::START);
    let mut seen = Vec::new();
    for (order, commits) in [("o-1", true), ("undone", false), ("o-2", true)] {
        let mut tx = all.db().begin().await.expect("it begins");
        append::<S>(&store, &mut tx, payment(order)).await.expect("it is appended");
        append::<S>(&store, &mut tx, payment("both")).await.expect("it is appended");
        let early = tokio::time::timeout(Duration::from_millis(50), events.next()).await;
        assert!(early.is_err(), "it is not committed: {early:?}");
        if commits {
            let (found, committed) = tokio::join!(events.next(), all.db().commit(tx));
            committed.expect("it is committed");
            seen.extend(found.expect("it is read").events.into_iter().map(|stored| stored.event.order_id));
        }
    }
    assert_eq!(seen, ["o-1", "both", "o-2", "both"]);
}

/// What would be recorded elsewhere, outside the transaction, is not recorded.
pub(crate) async fn e1_another_database_is_refused_by_name<S: Subject>() {
    let (all, other) = (S::open().await, S::open().await);
    let elsewhere = [(Store::new(Memory::new()), "memory"), (Store::new(other.events()), "records nothing")];
    for (store, told) in elsewhere {
        let mut tx = all.db().begin().await.expect("it begins");
        let refused = append::<S>(&store, &mut tx, payment("o-1")).await.expect_err("it is another database");
        assert!(refused.kind() == StoreErrorKind::Invalid && refused.to_string().contains(told), "{refused}");
        let read = store.in_transaction(&mut tx).read::<OrderPaid>(&stream("o-1"), Version::START).await;
        assert_eq!(read.expect_err("it is another database").kind(), StoreErrorKind::Invalid);
        let shared: std::sync::Arc<dyn store::EventStore> = std::sync::Arc::new(all.events());
        append::<S>(&Store::new(shared), &mut tx, payment("o-1")).await.expect("it is the same, and shared");
        assert_eq!(counts(&store, ["o-1"]).await, [0]);
    }
}

async fn record<S: Subject>(order: OrderPaid, ctx: Context<Store>, tx: &mut S::Tx) -> Result<(), HandlerError> {
    S::write(tx, &order.order_id).await.map_err(HandlerError::retry)?;
    let events = Append::to(stream("orders")).event(&order)?.event(&order)?.caused_by(ctx.head());
    ctx.state().in_transaction(tx).append(events).await?;
    ctx.in_transaction(tx).publish(&receipt(order.order_id)).await?;
    Ok(())
}

/// `open` gives a database that is empty; the handler can be cut off in so many places at least.
pub(crate) async fn i1_a_handler_that_appends_passes_the_crash_matrix<S: Subject, D: Borrow<S>>(
    open: impl AsyncFn() -> D,
    least: usize,
) {
    let fresh = async || {
        let subject = open().await;
        let all = subject.borrow();
        let service = Service::new("billing").state(Store::new(all.events())).transactional(all.db());
        (service.on::<OrderPaid>(record::<S>).outbox(all.db()), subject)
    };
    let read = async |subject: &D| {
        let subject = subject.borrow();
        let recorded = counts(&Store::new(subject.events()), ["orders"]).await;
        (subject.written().await, recorded)
    };
    let tried = crash_matrix(fresh, &paid("o-1"), read).await;
    assert!(tried.points >= least, "{tried:?}, at least {least}");
}
