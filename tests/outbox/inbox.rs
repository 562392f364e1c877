//! Copies of messages: one effect for each message and subscription.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tegami::{
    Context, Error, HandlerError, Retry, Service, TransactionalHandler,
    envelope::MessageId,
    outbox::{Database as _, Mark, Marked, Outbox},
    sqlite::{Database, Tx},
    testing::{
        TestService,
        ledger::{Answer, Checksum, Ended, Entry, Figure, Ledger, Verdict},
    },
    time::Clock,
    transport::Memory,
};
use tokio::sync::Notify;

use super::{Folder, OrderPaid, ReceiptSent, paid, receipt, write, written};

const MESSAGES: usize = 100;
const COPIES: usize = 3;
const QUEUE: &str = "billing-shop-orders-v1-OrderPaid";

/// Fails after its effect in each fifth attempt.
#[derive(Default)]
struct Failing(AtomicUsize);

impl TransactionalHandler<OrderPaid, Ledger, Tx> for Failing {
    async fn call(&self, order: OrderPaid, ctx: Context<Ledger>, tx: &mut Tx) -> Result<(), HandlerError> {
        let id = ctx.message_id().to_string();
        let fails = self.0.fetch_add(1, Ordering::SeqCst) % 5 == 4;
        let checksum = Checksum::of(&Default::default());
        let (subscription, attempt, ledger) = (QUEUE.to_owned(), ctx.attempt(), ctx.state());
        ledger.write(Entry::RunBegin {
            id: id.clone(),
            subscription: subscription.clone(),
            attempt,
            key: None,
            checksum,
        });
        write(tx, &id).await?;
        ctx.in_transaction(tx).publish(&receipt(order.order_id)).await?;
        let ended = if fails { Ended::Err } else { Ended::Ok };
        ledger.write(Entry::RunEnd { id, subscription, attempt, ended, retry_after: None });
        if fails { Err(HandlerError::retry("it fails after its effect")) } else { Ok(()) }
    }
}

/// One of two replicas.
fn replica(memory: &Memory, db: &Database, ledger: &Ledger) -> Service<Ledger> {
    let service = Service::new("billing").transport(memory.clone()).state(ledger.clone()).transactional(db);
    let soon = Retry::after([Duration::from_millis(1); 20]);
    let service = service.on_with::<OrderPaid>(Failing::default(), |s| s.retry(soon));
    service.allow_unroutable::<ReceiptSent>().outbox(db)
}

/// Two replicas with connections of their own, and every message three times.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i1_every_message_comes_three_times_to_two_replicas_and_has_one_effect() -> Result<(), Error> {
    let folder = Folder::new();
    let (db, memory) = (folder.open().await, Memory::new());
    let other = Database::connect(folder.file()).await.expect("it opens");
    let books = folder.0.join("ledger");
    let ledger = Ledger::open(&books, "test", Clock::system()).expect("a ledger");
    ledger.write(Entry::Inbox { subscription: QUEUE.to_owned() });
    let mut replicas = Vec::new();
    for db in [&db, &other] {
        replicas.push(replica(&memory, db, &ledger).start().await?);
    }
    for n in 0..MESSAGES {
        let (id, checksum) = (format!("m-{n}"), Checksum::of(&Default::default()));
        let to = vec![QUEUE.to_owned()];
        ledger.write(Entry::PublishBegin { id: id.clone(), key: None, sequence: n as u64, checksum, to });
        for copy in 0..COPIES {
            let publisher = replicas[copy % 2].publisher();
            let id = MessageId::parse(&id).expect("a good id");
            publisher.publish_with(&paid(format!("o-{n}")), |options| options.id(id)).await.expect("it is published");
        }
        ledger.publish_end(id, Answer::Ok);
    }
    memory.quiet().await;
    for replica in replicas {
        replica.stop().await?;
    }
    let effects = written(&db).await;
    effects.iter().for_each(|id| ledger.effect(id.as_str(), QUEUE));
    let verdict = Verdict::of(&books).expect("it can be read");
    assert!(verdict.figure(Figure::Effects).is_empty() && verdict.is_clean(), "{verdict:?}");
    assert_eq!(effects.len(), MESSAGES);
    assert!(memory.all_dead_letters().is_empty());
    Ok(())
}

#[tokio::test]
async fn i2_two_subscriptions_handle_one_message_each_once() -> Result<(), Error> {
    let folder = Folder::new();
    let db = folder.open().await;
    async fn handle(order: OrderPaid, ctx: Context, tx: &mut Tx) -> Result<(), HandlerError> {
        Ok(write(tx, &format!("{} {}", ctx.queue(), order.order_id)).await?)
    }
    let service = Service::new("billing").transactional(&db).on_with::<OrderPaid>(handle, |s| s.group("one"));
    let service = service.transactional(&db).on_with::<OrderPaid>(handle, |s| s.group("two"));
    let billing = TestService::start(service).await?;
    let id = billing.publish(&paid("o-1")).await?;
    billing.settle().await;
    billing.outside().publish_with(&paid("o-1"), |options| options.id(id)).await?;
    billing.settle().await;
    let mut effects = written(&db).await;
    effects.sort();
    assert_eq!(effects, ["billing-one o-1", "billing-two o-1"]);
    billing.stop().await?;
    Ok(())
}

/// Whoever may publish can choose an id: what it stands for is not acked away.
#[tokio::test]
async fn i2_another_message_with_a_known_id_is_kept_as_a_dead_letter() -> Result<(), Error> {
    let folder = Folder::new();
    let db = folder.open().await;
    let service = Service::new("billing").transactional(&db).on::<OrderPaid>(
        async |order: OrderPaid, _: Context, tx: &mut Tx| {
            write(tx, &order.order_id).await?;
            Ok(())
        },
    );
    let billing = TestService::start(service).await?;
    let id = billing.publish(&paid("made up")).await?;
    billing.settle().await;
    billing.outside().publish_with(&paid("real"), |options| options.id(id.clone())).await?;
    billing.settle().await;
    assert_eq!(written(&db).await, ["made up"]);
    let [dead] = &billing.dead_letters()[..] else { panic!("one dead letter") };
    assert_eq!(dead.error(), format!("a message with the id `{id}` and another payload was handled before"));
    billing.stop().await?;
    Ok(())
}

/// The copy comes while the first is handled, which then fails: the copy has the effect.
#[tokio::test]
async fn i3_a_copy_waits_for_the_first_and_handles_it_if_that_fails() -> Result<(), Error> {
    let folder = Folder::new();
    let db = folder.open().await;
    let seen = Arc::new((Notify::new(), AtomicUsize::new(0)));
    let (begun, runs) = &*seen;
    let handler = async |order: OrderPaid, ctx: Context<Arc<(Notify, AtomicUsize)>>, tx: &mut Tx| {
        write(tx, &order.order_id).await?;
        let (begun, runs) = &**ctx.state();
        if runs.fetch_add(1, Ordering::SeqCst) > 0 {
            return Ok(());
        }
        begun.notify_one();
        tokio::time::sleep(Duration::from_secs(3)).await;
        Err(HandlerError::reject("the first fails"))
    };
    let service = Service::new("billing").state(seen.clone()).transactional(&db).on::<OrderPaid>(handler);
    let billing = TestService::start(service).await?;
    let id = billing.publish(&paid("o-1")).await?;
    begun.notified().await;
    billing.outside().publish_with(&paid("o-1"), |options| options.id(id.clone())).await?;
    billing.advance(Duration::from_secs(1)).await;
    assert_eq!((runs.load(Ordering::SeqCst), billing.handled::<OrderPaid>().len()), (1, 0), "neither acked nor run");
    billing.settle().await;
    assert_eq!((runs.load(Ordering::SeqCst), written(&db).await), (2, vec!["o-1".to_owned()]));
    assert_eq!((billing.dead_letters().len(), billing.handled::<OrderPaid>().len()), (1, 1));
    billing.stop().await?;
    Ok(())
}

#[tokio::test]
async fn i4_old_ids_are_forgotten_a_few_at_a_time_and_no_young_one() {
    let folder = Folder::new();
    let db = folder.open().await;
    let mark = |n: usize| Mark::new("billing", MessageId::parse(format!("m-{n}")).expect("a good id"), [7; 32]);
    let mut tx = db.begin().await.expect("it begins");
    for n in 0..50 {
        assert_eq!(db.mark(&mut tx, &mark(n)).await.expect("it is marked"), Marked::New);
    }
    let old = "UPDATE tegami_inbox SET time = time - 14 * 86400 - 60 WHERE CAST(substr(id, 3) AS INTEGER) < 30";
    tx.run(|sql| sql.execute(old, ())).await.expect("it is written");
    tx.commit().await.expect("it is committed");
    let mut forgotten = Vec::new();
    for _ in 0..4 {
        forgotten.push(db.forget(Duration::from_secs(14 * 86400), 12).await.expect("it is written"));
    }
    assert_eq!(forgotten, [12, 12, 6, 0]);
    let mut tx = db.begin().await.expect("it begins");
    for (n, expected) in [(0, Marked::New), (29, Marked::New), (30, Marked::Known), (49, Marked::Known)] {
        assert_eq!(db.mark(&mut tx, &mark(n)).await.expect("it is marked"), expected, "{n}");
    }
}

/// The service forgets by itself: at its start, and then a thousand at a time.
#[tokio::test]
async fn i4_a_service_forgets_what_is_older_than_it_was_told_to_keep() -> Result<(), Error> {
    let folder = Folder::new();
    let db = folder.open().await;
    let mut tx = db.begin().await.expect("it begins");
    let fill = "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 2500) \
                INSERT INTO tegami_inbox SELECT 'billing', 'm-' || n, x'07', unixepoch() - iif(n > 2490, 0, 7200) FROM n";
    tx.run(|sql| sql.execute(fill, ())).await.expect("it is written");
    tx.commit().await.expect("it is committed");
    let service = Service::new("billing").transactional(&db);
    let service = service.on::<OrderPaid>(async |_: OrderPaid, _: Context, _: &mut Tx| Ok(()));
    let billing = TestService::start(service.marks_kept(Duration::from_secs(3600))).await?;
    billing.advance(Duration::from_secs(1)).await;
    let mut tx = db.begin().await.expect("it begins");
    let left = tx.run(|sql| sql.query_row("SELECT count(*) FROM tegami_inbox", (), |row| row.get::<_, i64>(0))).await;
    assert_eq!(left.expect("it is read"), 10);
    tx.rollback().await;
    billing.stop().await?;
    Ok(())
}
