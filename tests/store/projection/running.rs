//! What a projection makes of events, and how others wait for it.

use std::time::Duration;

use tegami::{
    Error, ErrorKind, Event, Service,
    error::BoxError,
    event::Upcast,
    projection::{Checkpoints, Projection, ProjectionErrorKind},
    sqlite::Tx,
    store::{Append, Position, Store, Stored},
    transport::Memory,
};

use super::{LONG, Shop, all_of, id, sales, write_sale};
use crate::{
    contracts::shop::{
        billing::v1::ReceiptSent,
        orders::{v1::OrderPaid, v2},
    },
    payments::{paid, stream},
};

#[tokio::test]
async fn e3_e4_every_event_is_handled_once_and_in_order_over_stops_and_starts() -> Result<(), Error> {
    let shop = Shop::new().await;
    let mut expected = Vec::new();
    shop.append("before", 7).await;
    expected.extend(all_of("before", 7));
    for round in ["first", "second", "third"] {
        let sales = sales();
        let progress = shop.progress(&sales);
        let running = shop.run_with(sales, |options| options.batch(3)).await;
        let last = shop.append(round, 10).await;
        progress.until(last, LONG).await.expect("it gets there");
        running.stop().await?;
        expected.extend(all_of(round, 10));
        assert_eq!(shop.sales().await, expected);
        assert_eq!(progress.position().await.expect("it is read"), last);
    }
    Ok(())
}

/// Several appends at once, each of which waits for its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_wrote_reads_what_became_of_it() -> Result<(), Error> {
    let shop = Shop::new().await;
    let sales = sales();
    let progress = shop.progress(&sales);
    let running = shop.run(sales).await;
    let each = (0..20).map(|n| {
        let (shop, progress) = (&shop, &progress);
        async move {
            let stream = format!("o-{n}");
            let position = shop.append(&stream, 2).await;
            progress.until(position, LONG).await.expect("it gets there");
            let sales = shop.sales().await;
            let of_stream: Vec<_> = sales.into_iter().filter(|(other, _)| *other == stream).collect();
            assert_eq!(of_stream, all_of(&stream, 2));
        }
    });
    futures_util::future::join_all(each).await;
    running.stop().await?;
    Ok(())
}

/// What it does not handle, it does not wait for, and nobody waits for it.
#[tokio::test]
async fn only_events_that_are_handled_are_read_and_others_are_passed_by() -> Result<(), Error> {
    let shop = Shop::new().await;
    let sales = sales();
    let progress = shop.progress(&sales);
    let receipt = ReceiptSent::builder().order_id("o-1").build();
    let receipt = || Append::to(stream("receipts")).event(&receipt).expect("it is valid");
    shop.store.append(receipt()).await.expect("it is appended");
    let running = shop.run(sales).await;
    shop.append("o-1", 1).await;
    let last = shop.store.append(receipt()).await.expect("it is appended").position;
    progress.until(last, LONG).await.expect("it gets there");
    assert_eq!(shop.sales().await, all_of("o-1", 1));
    assert!(progress.has_reached(last).await.expect("it is known"));
    let next = Position::new(last.number() + 1);
    assert!(!progress.has_reached(next).await.expect("it is known"), "nothing is there yet");
    let late = progress.until(next, Duration::from_millis(50)).await.expect_err("nothing comes");
    assert_eq!(late.kind(), ProjectionErrorKind::Late);
    assert!(late.to_string().contains("sales 1") && late.to_string().contains("position 4"), "{late}");
    running.stop().await?;
    Ok(())
}

impl Upcast<OrderPaid> for v2::OrderPaid {
    fn upcast(old: OrderPaid) -> Self {
        let amount = old.amount_minor.to_string();
        Self { order_id: old.order_id, currency: old.currency, amount, ..Self::default() }
    }
}

#[tokio::test]
async fn older_events_are_handled_as_the_newer() -> Result<(), Error> {
    async fn write_v2(paid: Stored<v2::OrderPaid>, tx: &mut Tx) -> Result<(), BoxError> {
        let id = paid.event.order_id;
        tx.run(move |sql| sql.execute("INSERT INTO sales (stream, amount) VALUES (?1, 2)", [id])).await?;
        Ok(())
    }
    let mut shop = Shop::new().await;
    shop.store = shop.store.upcast::<OrderPaid, v2::OrderPaid>();
    shop.append("o-1", 1).await;
    let (order_id, currency, amount) = ("o-2".to_owned(), "EUR".to_owned(), "1".to_owned());
    let newer = v2::OrderPaid { order_id, currency, amount, ..Default::default() };
    let append = Append::to(stream("o-2")).event(&newer).expect("it is valid");
    shop.store.append(append).await.expect("it is appended");
    let sales = Projection::new("sales", 1).on::<v2::OrderPaid>(write_v2);
    let progress = shop.progress(&sales);
    let running = shop.run(sales).await;
    progress.until_caught_up(LONG).await.expect("it gets there");
    assert_eq!(shop.sales().await, [("o-1".to_owned(), 2), ("o-2".to_owned(), 2)]);
    running.stop().await?;
    Ok(())
}

/// S3: a stop comes between two events, and what is handled by then is committed.
#[tokio::test]
async fn s3_a_stop_keeps_what_is_handled_and_gives_the_projection_up() -> Result<(), Error> {
    async fn slow(paid: Stored<OrderPaid>, tx: &mut Tx) -> Result<(), BoxError> {
        tokio::time::sleep(Duration::from_millis(20)).await;
        write_sale(paid, tx).await
    }
    let shop = Shop::new().await;
    shop.append("o-1", 200).await;
    let sales = Projection::new("sales", 1).on::<OrderPaid>(slow);
    let progress = shop.progress(&sales);
    let running = shop.run(sales).await;
    progress.until(Position::new(1), LONG).await.expect("it gets there");
    running.stop().await?;
    let written = shop.sales().await;
    assert!(written.len() < 200, "it stopped before the end");
    assert_eq!(written, all_of("o-1", written.len() as i64));
    let checkpoint = shop.db.checkpoint(&id()).await.expect("it is read").expect("it was run");
    assert_eq!((checkpoint.position, checkpoint.projector), (Position::new(written.len() as u64), None));
    Ok(())
}

#[tokio::test]
async fn k1_a_projection_that_cannot_be_run_stops_the_start_and_says_why() {
    let shop = Shop::new().await;
    let refused = async |projection: Projection<Tx>| {
        let service = Service::new("shop").transport(Memory::new());
        let started = service.projection(&shop.db, &shop.store, projection).start().await;
        let Err(error) = started else { panic!("it starts") };
        assert_eq!(error.kind(), ErrorKind::Setting);
        error.to_string()
    };
    let text = refused(Projection::new("sales", 1)).await;
    assert!(text.contains("`sales 1` handles no event"), "{text}");
    let text = refused(sales().on::<OrderPaid>(write_sale)).await;
    assert!(text.contains("`sales 1` handles event") && text.contains(OrderPaid::CONTRACT.name), "{text}");
    for name in [String::new(), "ö".to_owned(), "a\n".to_owned(), "a".repeat(129)] {
        let text = refused(Projection::new(name, 1).on::<OrderPaid>(write_sale)).await;
        assert!(text.contains("no good name"), "{text}");
    }
}

/// The store is in memory: another database than that of the sales.
#[tokio::test]
async fn a_projection_reads_any_store() -> Result<(), Error> {
    let shop = Shop::of(Store::new(tegami::store::Memory::new())).await;
    let sales = sales();
    let progress = shop.progress(&sales);
    let running = shop.run(sales).await;
    let append = Append::to(stream("o-1")).event(&paid("o-1", 1)).expect("it is valid");
    let position = shop.store.append(append).await.expect("it is appended").position;
    progress.until(position, LONG).await.expect("it gets there");
    assert_eq!(shop.sales().await, all_of("o-1", 1));
    running.stop().await?;
    Ok(())
}
