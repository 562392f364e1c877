//! A test of a service that settles finds what its projections have made.

use std::time::Duration;

use tegami::{
    Context, Error, HandlerError, Service,
    projection::{Projection, Publishing},
    sqlite::Tx,
    store::{Append, Store, Stored},
    testing::TestService,
};

use super::{Shop, Told};
use crate::{
    contracts::shop::{billing::v1::ReceiptSent, orders::v1::OrderPaid},
    payments::{paid, payments, stream},
};

/// The order, and its receipt.
async fn record(order: OrderPaid, ctx: Context<Store>) -> Result<(), HandlerError> {
    let receipt = ReceiptSent::builder().order_id(&*order.order_id).build();
    ctx.state().append(Append::to(stream(&order.order_id)).event(&order)?.event(&receipt)?).await?;
    Ok(())
}

async fn file(_: ReceiptSent, _: Context<Store>) -> Result<(), HandlerError> {
    Ok(())
}

async fn write(sent: Stored<ReceiptSent>, tx: &mut Tx) -> Result<(), tegami::error::BoxError> {
    let row = (sent.stream.to_string(), 1);
    tx.run(move |sql| sql.execute("INSERT INTO sales (stream, amount) VALUES (?1, ?2)", row)).await?;
    Ok(())
}

/// A message is recorded, the record is published, and handled again: all of it is there.
#[tokio::test]
async fn a_test_that_settles_waits_for_projections_and_for_what_is_published_of_a_store() -> Result<(), Error> {
    let shop = Shop::new().await;
    let service = Service::new("shop").state(shop.store.clone()).on::<OrderPaid>(record).on::<ReceiptSent>(file);
    let service = service.publishing(&shop.db, &shop.store, Publishing::new("receipts", 1).event::<ReceiptSent>());
    let service = service.projection(&shop.db, &shop.store, Projection::new("sales", 1).on::<ReceiptSent>(write));
    let service = TestService::start(service).await?;
    for round in 1..=20 {
        service.publish(&paid(&format!("o-{round}"), 1)).await.expect("it is published");
        service.settle().await;
        assert_eq!(shop.sales().await.len(), round);
        assert_eq!((service.published::<ReceiptSent>().len(), service.handled::<ReceiptSent>().len()), (round, round));
    }
    service.stop().await?;
    Ok(())
}

/// It would never end otherwise.
#[tokio::test]
async fn a_test_that_settles_does_not_wait_for_a_projection_that_stands_still() -> Result<(), Error> {
    let (shop, told) = (Shop::new().await, Told::default());
    told.fail(true);
    let service =
        Service::new("shop").projection_with(&shop.db, &shop.store, told.sales(), |options| options.retries(2));
    let service = TestService::start(service).await?;
    shop.store.append(payments("o-1", 5)).await.expect("it is appended");
    service.settle().await;
    assert_eq!(shop.sales().await.len(), 2, "the third fails");
    told.fail(false);
    while shop.sales().await.len() < 5 {
        service.advance(Duration::from_secs(1)).await;
    }
    service.stop().await?;
    Ok(())
}
