//! T-04 on a real broker: RabbitMQ is away while the outboxes of both databases fill, and comes back.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tegami::{
    Context, HandlerError, Service,
    middleware::{Next, from_fn},
    outbox::{Database, Outbox},
    service::Running,
    testing::at_length,
    transport::{Outgoing, amqp::Amqp},
};
use tegami_test_servers::{Rabbit, Release};

use crate::{ReceiptSent, Subject, postgres::Postgres, receipt, sqlite::File, subject::until};

/// The orders whose receipts have come.
type Seen = Arc<Mutex<BTreeSet<String>>>;

async fn note(receipt: ReceiptSent, ctx: Context<Seen>) -> Result<(), HandlerError> {
    ctx.state().lock().expect("nobody panics").insert(receipt.order_id);
    Ok(())
}

/// Commits a receipt for each of these numbers, one in a transaction.
async fn commit<S: Subject>(running: &Running, subject: &S, numbers: std::ops::Range<usize>) {
    for number in numbers {
        let mut tx = subject.db().begin().await.expect("it begins");
        let order = format!("{}-{number}", S::NAME);
        running.publisher().in_transaction(&mut tx).publish(&receipt(order)).await.expect("it is put");
        subject.db().commit(tx).await.expect("it is committed");
    }
}

async fn waiting(file: &File, postgres: &Postgres) -> [u64; 2] {
    [file.db().waiting().await.expect("it is read"), postgres.db().waiting().await.expect("it is read")]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t4_what_two_outboxes_have_while_rabbitmq_is_away_goes_out_uncounted_when_it_is_back() {
    let (rows, away) = (at_length(300, 10_000), Duration::from_secs(at_length(0, 60) as u64));
    let (rabbit, file, postgres) = (Rabbit::take(Release::V4).await, File::open().await, Postgres::open().await);
    let (seen, tries) = (Seen::default(), Arc::new(AtomicUsize::new(0)));
    let tried = tries.clone();
    let counting = from_fn(move |outgoing: Outgoing, next: Next<Outgoing>| {
        tried.fetch_add(1, Ordering::SeqCst);
        next.run(outgoing)
    });
    let service = Service::new("orders").prefix(format!("outage-{}-", fastrand::u32(..)));
    let service = service.transport(Amqp::new(rabbit.url())).state(seen.clone()).on::<ReceiptSent>(note);
    let service = service.outbox(file.db()).outbox(postgres.db()).publish_middleware(counting);
    let running = service.start().await.expect("it starts");
    let has_come = |many: usize| seen.lock().expect("nobody panics").len() >= many;
    tokio::join!(commit(&running, &file, 0..1), commit(&running, &postgres, 0..1));
    until(async || has_come(2)).await;

    rabbit.kill9().await;
    let before = tries.load(Ordering::SeqCst);
    tokio::join!(commit(&running, &file, 1..rows), commit(&running, &postgres, 1..rows));
    until(async || tries.load(Ordering::SeqCst) > before + 3).await;
    tokio::time::sleep(away).await;
    assert_eq!(waiting(&file, &postgres).await, [rows as u64 - 1; 2], "nothing went out");
    assert_eq!((file.refusals().await, postgres.refusals().await), (0, 0), "and nothing was counted");
    let in_vain = tries.load(Ordering::SeqCst) - before;

    rabbit.start().await;
    let all_came = async {
        while !has_come(2 * rows) || waiting(&file, &postgres).await != [0, 0] {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(at_length(60, 600) as u64), all_came).await.expect("all goes out");
    assert!(file.parked().await.is_empty() && postgres.parked().await.is_empty());
    running.stop().await.expect("it stops");
    println!(
        "sqlite, postgres: {rows} rows each, RabbitMQ away for {away:?} more, {in_vain} tries in vain: all sent, 0 refused"
    );
}
