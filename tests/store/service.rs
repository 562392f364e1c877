//! Services whose handlers append to a store, on a paused clock.

use tegami::{
    Context, Error, HandlerError, Service,
    store::{Append, Memory, Sqlite, Store, StreamId, Version},
    testing::TestService,
};

use crate::contracts::shop::orders::v1::OrderPaid;

async fn record(paid: OrderPaid, ctx: Context<Store>) -> Result<(), HandlerError> {
    let append = Append::to(StreamId::of("order", &paid.order_id)?).event(&paid)?;
    ctx.state().append(append.caused_by(ctx.head())).await?;
    Ok(())
}

/// What a handler appends belongs to the conversation of its message; on a paused clock no time passes meanwhile.
async fn recorded_by_a_handler(store: Store) -> Result<(), Error> {
    let billing = TestService::start(Service::new("billing").state(store.clone()).on::<OrderPaid>(record)).await?;
    let paid = OrderPaid::builder().order_id("o-1").currency("EUR").amount_minor(990).build();
    let id = billing.publish(&paid).await?;
    billing.settle().await;
    assert!(billing.dead_letters().is_empty());
    let stream = StreamId::new("order/o-1").expect("a good name");
    let read = store.read::<OrderPaid>(&stream, Version::START).await.expect("it is read");
    let [stored] = &read[..] else { panic!("one event: {read:?}") };
    assert_eq!(stored.event, paid);
    assert_eq!(stored.head.source.service.as_deref(), Some("ledger"));
    assert_eq!((&stored.head.causation_id, &stored.head.correlation_id), (&Some(id.clone()), &Some(id)));
    billing.stop().await?;
    Ok(())
}

#[tokio::test]
async fn what_a_handler_appends_in_memory_belongs_to_its_message() -> Result<(), Error> {
    recorded_by_a_handler(Store::new(Memory::new()).service("ledger")).await
}

#[tokio::test]
async fn what_a_handler_appends_to_a_file_belongs_to_its_message() -> Result<(), Error> {
    let folder = crate::sqlite::Folder::new();
    let sqlite = Sqlite::connect(folder.file()).await.expect("the file can be opened");
    recorded_by_a_handler(Store::new(sqlite).service("ledger")).await
}
